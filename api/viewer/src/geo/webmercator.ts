/** The tile matrix set WebMercatorQuad: the world as a square from 0 to 1, east and south of its north-west corner. */

const RADIANS = Math.PI / 180;
/** Of the square's side, at the equator. */
const EQUATOR_M = 2 * Math.PI * 6378137;
export const TILE_PIXELS = 256;

export interface TileIndex {
  zoom: number;
  x: number;
  y: number;
}

/** Place of a point in the square. */
export function toSquare(lon: number, lat: number): [number, number] {
  const sine = Math.sin(lat * RADIANS);
  return [lon / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
}

/** Longitude and latitude of a place in the square. */
export function fromSquare(x: number, y: number): [number, number] {
  return [(x - 0.5) * 360, Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) / RADIANS];
}

/** The zoom level, not rounded, whose pixels are this large on the ground, in metres. */
export function zoomOf(metres: number, lat: number): number {
  return Math.log2((EQUATOR_M * Math.cos(lat * RADIANS)) / (TILE_PIXELS * metres));
}

/** The address of a tile; `{-y}` counts rows from the south, as TMS does. */
export function fillTemplate(template: string, { zoom, x, y }: TileIndex): string {
  const values: Record<string, number> = { z: zoom, x, y, "-y": 2 ** zoom - 1 - y };
  return template.replace(/\{(z|x|y|-y)\}/g, (_gap, name: string) => String(values[name]));
}

/** A square of tiles of one zoom level. */
export interface TileWindow {
  zoom: number;
  /** Of the tile in its north-west corner. */
  x: number;
  y: number;
  /** Tiles a side. */
  side: number;
}

/** The window of a zoom level in whose middle a place is, to half a tile. */
export function windowAround(lon: number, lat: number, zoom: number, side: number): TileWindow {
  const [x, y] = toSquare(lon, lat).map((at) => Math.round(at * 2 ** zoom - side / 2));
  return { zoom, x, y, side };
}

/** The tiles of a window that there are in the world, the nearest to its middle first. */
export function tilesOf({ zoom, x, y, side }: TileWindow): TileIndex[] {
  const found: TileIndex[] = [];
  const count = 2 ** zoom;
  for (let i = 0; i < side * side; i++) {
    const tile = { zoom, x: x + (i % side), y: y + Math.floor(i / side) };
    if (tile.x >= 0 && tile.x < count && tile.y >= 0 && tile.y < count) found.push(tile);
  }
  const away = (tile: TileIndex): number => Math.hypot(tile.x + 0.5 - x - side / 2, tile.y + 0.5 - y - side / 2);
  return found.sort((a, b) => away(a) - away(b));
}

/** A finer window where one looks, and ever wider ones around it: four times as wide at each step. */
const SIDES = [6, 4, 4];
const STEP = 2;

/** The windows for a place seen at so many metres a pixel, the finest first. */
export function windowsFor(lon: number, lat: number, metres: number, most: number): TileWindow[] {
  const finest = Math.min(most, Math.max(0, Math.round(zoomOf(metres, lat))));
  const levels = SIDES.map((side, i) => ({ side, zoom: finest - i * STEP })).filter(({ zoom }) => zoom >= 0);
  return levels.map(({ side, zoom }) => windowAround(lon, lat, zoom, side));
}
