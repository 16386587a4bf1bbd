/** The images of map tiles: each is asked for once, and a bounded number is kept. */

/** Of 256 x 256 pixels each: 48 MiB, nearly three times what a view shows. */
const MOST = 192;

export class TileImages {
  /** In the order of their last use; null: could not be loaded. */
  private readonly kept = new Map<string, ImageBitmap | null>();
  private readonly asked = new Map<string, AbortController>();

  constructor(private readonly events: { came: () => void; failed: () => void }) {}

  get idle(): boolean {
    return this.asked.size === 0;
  }

  /** The image, null where it cannot be had, undefined where it has not come. */
  get(url: string): ImageBitmap | null | undefined {
    const image = this.kept.get(url);
    if (image === undefined) return undefined;
    this.kept.delete(url);
    this.kept.set(url, image);
    return image;
  }

  /** Ask for what of these is not there, and no more for any other. */
  want(urls: string[]): void {
    const wanted = new Set(urls);
    for (const [url, request] of this.asked) {
      if (wanted.has(url)) continue;
      this.asked.delete(url);
      request.abort();
    }
    for (const url of wanted) {
      if (!this.kept.has(url) && !this.asked.has(url)) void this.ask(url);
    }
  }

  /** Forget all. */
  clear(): void {
    this.want([]);
    for (const image of this.kept.values()) image?.close();
    this.kept.clear();
  }

  private async ask(url: string): Promise<void> {
    const request = new AbortController();
    this.asked.set(url, request);
    const image = await load(url, request.signal);
    // Asked for no more, and perhaps anew since.
    if (this.asked.get(url) !== request) {
      image?.close();
      return;
    }
    this.asked.delete(url);
    this.kept.set(url, image);
    this.trim();
    if (image) this.events.came();
    else this.events.failed();
  }

  private trim(): void {
    for (const [url, image] of this.kept) {
      if (this.kept.size <= MOST) return;
      this.kept.delete(url);
      image?.close();
    }
  }
}

async function load(url: string, signal: AbortSignal): Promise<ImageBitmap | null> {
  try {
    const answer = await fetch(url, { signal, credentials: "omit" });
    return answer.ok ? await createImageBitmap(await answer.blob()) : null;
  } catch {
    return null;
  }
}
