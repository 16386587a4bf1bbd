/** Marks on the browser's timeline, for whoever measures the page: `first-view`, `recoloured`, `filtered`, `redrawn`. */

export type Mark = "first-view" | "recoloured" | "filtered" | "redrawn";

const wanted = new Set<Mark>();

/** Mark when the next frame has been drawn. */
export function markNextFrame(name: Mark): void {
  wanted.add(name);
}

/** A frame is on its way to the screen; the browser asks for the next one when it is there. */
export function frameDrawn(): void {
  if (!wanted.size) return;
  const names = [...wanted];
  wanted.clear();
  requestAnimationFrame(() => names.forEach((name) => performance.mark(name)));
}
