/** When to draw: only when something changed, and seldom while tiles arrive, for drawing must not slow down loading. */

export interface Work {
  /** Whether there is anything to draw yet. */
  ready(): boolean;
  /** Ask for the tiles that the view needs; true when all are there. */
  advance(): boolean;
  /** Draw. `again`: something still moves; `coarse`: this frame was drawn in haste; `fine`: nothing is left to do. */
  draw(time: number): "again" | "coarse" | "fine";
}

const LOADING_MS = 250;
/** While loading, frames take at most about this part of the time. */
const LOADING_SHARE = 5;
const REST_MS = 140;

export class Frames {
  private frame = 0;
  private traversal = 0;
  private later = 0;
  /** How long the last frame kept the machine busy, milliseconds. */
  private cost = 16;

  private drawn = false;
  private held = true;
  private patience = 0;

  /** Nothing is drawn before `release`. */
  constructor(private readonly work: Work) {}

  /** Drawing is possible. `patience`: how long the very first frame may wait for tiles, milliseconds. */
  release(patience: number): void {
    this.held = false;
    this.patience = patience;
    this.request();
  }

  get idle(): boolean {
    return !this.frame && !this.traversal && !this.later;
  }

  /** Draw at the next frame. */
  request(): void {
    if (!this.work.ready()) return;
    if (!this.held && (this.drawn || this.patience === 0)) this.draw();
    else this.stir();
  }

  /** Drop what was asked for. */
  stop(): void {
    clearTimeout(this.later);
    clearTimeout(this.traversal);
    cancelAnimationFrame(this.frame);
    this.later = this.traversal = this.frame = 0;
  }

  private draw(): void {
    clearTimeout(this.later);
    this.later = 0;
    this.frame ||= requestAnimationFrame((time) => this.run(time));
  }

  /** Tiles came or are wanted: go on with them at once, and draw when all are there, or now and then. */
  stir(): void {
    if (!this.work.ready()) return;
    this.traversal ||= window.setTimeout(() => {
      this.traversal = 0;
      const complete = this.work.advance();
      if (this.held) return;
      if (complete) this.draw();
      else this.drawLater(this.drawn ? Math.max(LOADING_MS, LOADING_SHARE * this.cost) : this.patience);
    });
  }

  private drawLater(delay: number): void {
    if (!this.frame) this.later ||= window.setTimeout(() => this.draw(), delay);
  }

  private run(time: number): void {
    this.frame = 0;
    this.drawn = true;
    // Drawing asks for tiles too: to do so again would draw the same frame once more.
    clearTimeout(this.traversal);
    this.traversal = 0;
    const next = this.work.draw(time);
    if (next === "again") this.request();
    else if (next === "coarse") this.drawLater(REST_MS);
    const drawn = performance.now();
    // The next frame comes when the drawing of this one has ended.
    requestAnimationFrame(() => (this.cost = performance.now() - drawn));
  }
}
