/** Loading of tiles goes on between frames: where a frame takes long, tiles must not wait for it. */
import { Scheduler } from "3d-tiles-renderer/core";

const timers = {
  requestAnimationFrame: (work: () => void): number => window.setTimeout(work, 0),
  cancelAnimationFrame: (handle: number): void => window.clearTimeout(handle),
};

/** The library offers its clock to XR sessions only; one of timers serves as well. */
export function loadBetweenFrames(): void {
  Scheduler.setXRSession(timers as unknown as XRSession);
}
