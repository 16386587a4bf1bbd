/** The surfaces of one building: the finest tile of a tileset that holds nothing else. */
import { Matrix4 } from "three";
import { BUILDINGS, address, ask } from "./api";
import { quoted } from "./filter";

const SURFACE_PROPERTIES = ["area_m2", "slope_deg", "azimuth_deg"];

export interface SingleModel {
  /** Of the GLB, with the measures of its surfaces. */
  url: string;
  /** From the tile to EPSG:4978. */
  transform: Matrix4;
}

interface Tile {
  content?: { uri: string };
  transform?: number[];
  children?: Tile[];
}

const cache = new Map<string, Promise<SingleModel | null>>();
const CACHED = 100;

/** null where the building has no place, and so no model. */
export function fetchSingle(id: string): Promise<SingleModel | null> {
  const known = cache.get(id);
  if (known) return known;
  const asked = find(id);
  cache.set(id, asked);
  asked.catch(() => cache.delete(id));
  if (cache.size > CACHED) cache.delete(cache.keys().next().value as string);
  return asked;
}

async function find(id: string): Promise<SingleModel | null> {
  const tileset = address(`${BUILDINGS}/3dtiles/tileset.json`, {
    filter: `id = ${quoted(id)}`,
    properties: ["height_m", ...SURFACE_PROPERTIES].join(","),
  });
  const { root } = await ask<{ root: Tile }>(tileset);
  const transform = new Matrix4();
  let finest: SingleModel | null = null;
  for (let tile: Tile | undefined = root; tile; tile = tile.children?.[0]) {
    if (tile.transform) transform.multiply(new Matrix4().fromArray(tile.transform));
    if (tile.content) finest = { url: new URL(tile.content.uri, tileset).href, transform: transform.clone() };
  }
  return finest;
}
