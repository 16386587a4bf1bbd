/** Moving about: drag to move, right drag or Ctrl to turn, wheel to zoom, two fingers, arrow keys. */
import type { Vector3 } from "three";
import { toGeodetic } from "../geo/geodesy";
import { type Pose, clampPose } from "./pose";

export interface Surface {
  pose: Pose;
  /** The ground under a point of the canvas (CSS pixels), EPSG:4978, or null in the sky. */
  groundAt(x: number, y: number): Vector3 | null;
  move(pose: Pose): void;
  click(x: number, y: number): void;
  /** True where a double click means something else than to zoom. */
  doubleClick(): boolean;
  hover(x: number, y: number): void;
  /** A person takes over: flights end. */
  interrupt(): void;
}

interface Finger {
  x: number;
  y: number;
}

const CLICK_SLOP_PX = 5;
const TURN_PER_PX = 0.28;
const TILT_PER_PX = 0.22;
const ZOOM_PER_WHEEL_PX = 0.0014;
/** Metres of ground a drag may move per pixel and metre of range. */
const FASTEST_PER_PX = 0.008;
const METRES_PER_DEGREE = 55_000;

export class Controls {
  private readonly fingers = new Map<number, Finger>();
  private mode: "move" | "turn" | null = null;
  private travelled = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly surface: Surface,
  ) {
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.motion(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => surface.hover(-1, -1));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", (event) => {
      if (!surface.doubleClick()) this.zoomAt(event.offsetX, event.offsetY, event.shiftKey ? 2 : 0.5);
    });
  }

  zoomAt(x: number, y: number, factor: number): void {
    const { pose } = this.surface;
    const range = clampPose({ ...pose, range: pose.range * factor }).range;
    const applied = range / pose.range;
    const anchor = this.surface.groundAt(x, y);
    const zoomed = { ...pose, range };
    if (anchor) {
      const { lon, lat } = toGeodetic(anchor);
      zoomed.lon += (lon - pose.lon) * (1 - applied);
      zoomed.lat += (lat - pose.lat) * (1 - applied);
    }
    this.surface.move(clampPose(zoomed));
  }

  private down(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
    this.surface.interrupt();
    this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.mode = event.button === 2 || event.ctrlKey || event.metaKey ? "turn" : "move";
    if (this.fingers.size === 1) this.travelled = 0;
  }

  private motion(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return this.surface.hover(event.offsetX, event.offsetY);
    const before = [...this.fingers.values()].map((one) => ({ ...one }));
    const [dx, dy] = [event.offsetX - finger.x, event.offsetY - finger.y];
    this.travelled += Math.hypot(dx, dy);
    finger.x = event.offsetX;
    finger.y = event.offsetY;
    if (this.travelled < CLICK_SLOP_PX) return;
    const after = [...this.fingers.values()];
    if (after.length >= 2) this.pinch(before, after);
    else if (this.mode === "turn") this.turn(dx * TURN_PER_PX, dy * TILT_PER_PX);
    else this.drag(before[0], after[0]);
  }

  private up(event: PointerEvent): void {
    const wasClick = this.fingers.size === 1 && this.travelled < CLICK_SLOP_PX && event.type === "pointerup";
    this.fingers.delete(event.pointerId);
    if (wasClick && event.button === 0 && this.mode === "move") this.surface.click(event.offsetX, event.offsetY);
    if (this.fingers.size === 0) this.mode = null;
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.surface.interrupt();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? 300 : 1);
    const limited = Math.min(240, Math.max(-240, pixels));
    this.zoomAt(event.offsetX, event.offsetY, Math.exp(limited * ZOOM_PER_WHEEL_PX));
  }

  private turn(degrees: number, tilt: number): void {
    const { pose } = this.surface;
    this.surface.move(clampPose({ ...pose, heading: pose.heading + degrees, pitch: pose.pitch - tilt }));
  }

  /** Keep the ground under the finger: rays near the horizon are limited, or the world would slip away. */
  private drag(from: Finger, to: Finger): void {
    const [a, b] = [this.surface.groundAt(from.x, from.y), this.surface.groundAt(to.x, to.y)];
    const { pose } = this.surface;
    const limit = (pose.range * FASTEST_PER_PX * Math.hypot(to.x - from.x, to.y - from.y)) / METRES_PER_DEGREE;
    if (!a || !b) return;
    const [p, q] = [toGeodetic(a), toGeodetic(b)];
    const clampStep = (step: number): number => Math.min(limit, Math.max(-limit, step));
    this.surface.move(
      clampPose({ ...pose, lon: pose.lon + clampStep(p.lon - q.lon), lat: pose.lat + clampStep(p.lat - q.lat) }),
    );
  }

  private pinch(before: Finger[], after: Finger[]): void {
    const span = (f: Finger[]): [number, number] => [f[1].x - f[0].x, f[1].y - f[0].y];
    const middle = (f: Finger[]): Finger => ({ x: (f[0].x + f[1].x) / 2, y: (f[0].y + f[1].y) / 2 });
    const [b, a] = [span(before), span(after)];
    const [from, to] = [middle(before), middle(after)];
    const stretch = Math.hypot(...b) / Math.max(1, Math.hypot(...a));
    const angle = ((Math.atan2(a[1], a[0]) - Math.atan2(b[1], b[0])) * 180) / Math.PI;
    const twist = ((angle + 540) % 360) - 180;
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    // Two fingers side by side going up or down together tilt; anything else moves, zooms and turns.
    if (Math.abs(dy) > 2 * Math.abs(dx) && Math.abs(stretch - 1) < 0.01 && Math.abs(a[0]) > Math.abs(a[1])) {
      return this.turn(0, dy * TILT_PER_PX * 2);
    }
    this.drag(from, to);
    this.zoomAt(to.x, to.y, stretch);
    this.turn(-twist, 0);
  }

  private key(event: KeyboardEvent): void {
    const step = event.shiftKey ? "turn" : "move";
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const arrow = arrows[event.key];
    const zoom = { "+": 0.8, "=": 0.8, "-": 1.25 }[event.key];
    if (!arrow && !zoom) return;
    event.preventDefault();
    this.surface.interrupt();
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (zoom) this.zoomAt(width / 2, height / 2, zoom);
    else if (step === "turn") this.turn(arrow[0] * 8, -arrow[1] * 5);
    else this.drag({ x: width / 2, y: height / 2 }, { x: width / 2 - arrow[0] * 60, y: height / 2 + arrow[1] * 60 });
  }
}
