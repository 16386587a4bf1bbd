/** What is drawn after what: nearer things first, and the wide ones behind them last, so that a pixel is computed once. */
import type { RenderItem } from "three";

export const ORDER = { buildings: 0, cityGround: 1, farGround: 2, sky: 3 };

/** Left to itself, the library draws solid things in the order in which their materials were made, whatever hides them. */
export function nearFirst(a: RenderItem, b: RenderItem): number {
  return a.renderOrder - b.renderOrder || a.z - b.z || a.id - b.id;
}
