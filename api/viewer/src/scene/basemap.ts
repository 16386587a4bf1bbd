/** Map tiles over the ground: windows of tiles around the point looked at, each drawn into a texture. */
import { CanvasTexture, LinearFilter, LinearMipmapLinearFilter, SRGBColorSpace, type Texture, Vector3 } from "three";
import { TILE_PIXELS, type TileIndex, type TileWindow, tilesOf, toSquare, windowsFor } from "../geo/webmercator";
import type { Pose } from "./pose";
import { TileImages } from "./tileimages";

/** Where a tile is to be had, null where none is. */
export interface TileSource {
  address(tile: TileIndex): string | null;
  /** The finest zoom level. */
  zoom: number;
}

export const WINDOWS = 3;
/** Metres that the height of the view covers, for each metre of distance. */
const VIEW_HEIGHT = 2 * Math.tan((21 * Math.PI) / 180);
/** Tiles are asked for when the view has rested for so long. */
const REST_MS = 120;
const SHARED_MS = 200;

/** Coordinates of the ground's vertices count from here: a float holds centimetres over both cities, and not over the world. */
const ORIGIN = toSquare(25, 60);

/** The place of a vertex for the shader, in units of the whole square. */
export function mapPlace(lon: number, lat: number): [number, number] {
  const [x, y] = toSquare(lon, lat);
  return [x - ORIGIN[0], y - ORIGIN[1]];
}

class Window {
  readonly texture: CanvasTexture;
  /** North-west corner as of `mapPlace`, and how many such windows make the whole square's side. */
  readonly place = new Vector3();
  private readonly context: CanvasRenderingContext2D;
  private held: TileWindow | null = null;
  /** The tiles that the canvas shows; null: those of another place. */
  private drawn: string | null = null;

  constructor() {
    const canvas = document.createElement("canvas");
    this.context = canvas.getContext("2d") as CanvasRenderingContext2D;
    this.texture = new CanvasTexture(canvas);
    this.texture.colorSpace = SRGBColorSpace;
    this.texture.flipY = false;
    // Where a tile is missing the plain ground shows, without a dark rim.
    this.texture.premultiplyAlpha = true;
    this.texture.minFilter = LinearMipmapLinearFilter;
    this.texture.magFilter = LinearFilter;
    this.texture.anisotropy = 8;
  }

  /** Take a place; true where that is another than before. */
  take(window: TileWindow): boolean {
    const { held } = this;
    if (held?.zoom === window.zoom && held.x === window.x && held.y === window.y) return false;
    this.held = window;
    this.drawn = null;
    const tiles = 2 ** window.zoom;
    this.place.set(window.x / tiles - ORIGIN[0], window.y / tiles - ORIGIN[1], tiles / window.side);
    return true;
  }

  tiles(): TileIndex[] {
    return this.held ? tilesOf(this.held) : [];
  }

  /** Draw what has come; the texture is sent anew only where that changed. */
  draw(image: (tile: TileIndex) => ImageBitmap | null): number {
    if (!this.held) return 0;
    const { x, y, side } = this.held;
    const there = this.tiles().flatMap((tile) => {
      const found = image(tile);
      return found ? [{ tile, found }] : [];
    });
    const key = there.map(({ tile }) => `${tile.x}/${tile.y}`).join();
    if (key === this.drawn) return there.length;
    this.drawn = key;
    const { canvas } = this.context;
    // A new size clears the canvas, and so does the same one.
    canvas.width = canvas.height = side * TILE_PIXELS;
    for (const { tile, found } of there) {
      this.context.drawImage(found, (tile.x - x) * TILE_PIXELS, (tile.y - y) * TILE_PIXELS, TILE_PIXELS, TILE_PIXELS);
    }
    this.texture.needsUpdate = true;
    return there.length;
  }
}

export class BaseMap {
  /** Tiles on the ground now. */
  tiles = 0;
  private source: TileSource | null = null;
  private windows: Window[] = [];
  private readonly images: TileImages;
  private resting = 0;
  private later = 0;
  private fresh = false;

  constructor(
    private readonly invalidate: () => void,
    failed: () => void,
  ) {
    this.images = new TileImages({ failed, came: () => this.came() });
  }

  get shown(): boolean {
    return this.source !== null;
  }

  get idle(): boolean {
    return !this.resting && !this.fresh && this.images.idle;
  }

  /** Lay the tiles of a source on the ground, or none. */
  show(source: TileSource | null): void {
    if (source === this.source) return;
    this.dispose();
    this.source = source;
    if (source) this.windows = Array.from({ length: WINDOWS }, () => new Window());
    this.invalidate();
  }

  /** Keep to the point looked at. `height`: of the view in pixels. */
  follow({ lon, lat, range }: Pose, height: number): void {
    if (!this.source) return;
    const wanted = windowsFor(lon, lat, (range * VIEW_HEIGHT) / Math.max(1, height), this.source.zoom);
    const moved = this.windows.map((window, i) => window.take(wanted[i] ?? wanted[wanted.length - 1])).some(Boolean);
    if (moved) {
      clearTimeout(this.resting);
      this.resting = window.setTimeout(() => this.ask(), REST_MS);
    }
    if (moved || this.fresh) this.draw();
  }

  /** The textures and where they lie, the finest first. */
  layers(): { texture: Texture; place: Vector3 }[] {
    return this.windows;
  }

  dispose(): void {
    clearTimeout(this.resting);
    clearTimeout(this.later);
    this.resting = this.later = 0;
    this.fresh = false;
    this.images.clear();
    for (const { texture } of this.windows) texture.dispose();
    this.windows = [];
    this.source = null;
    this.tiles = 0;
  }

  /** Frames are dear while tiles come one by one: several share one. */
  private came(): void {
    this.fresh = true;
    this.later ||= window.setTimeout(() => {
      this.later = 0;
      this.invalidate();
    }, this.images.idle ? 0 : SHARED_MS);
  }

  private ask(): void {
    this.resting = 0;
    const tiles = this.windows.flatMap((window) => window.tiles());
    this.images.want(tiles.flatMap((tile) => this.source?.address(tile) ?? []));
    this.invalidate();
  }

  private draw(): void {
    this.fresh = false;
    const image = (tile: TileIndex): ImageBitmap | null => {
      const url = this.source?.address(tile);
      return (url && this.images.get(url)) || null;
    };
    this.tiles = this.windows.map((window) => window.draw(image)).reduce((sum, count) => sum + count, 0);
  }
}
