/** Attribute values by feature id, from the Arrow table beside a tile. */
import { fetchBytes, sidecarUrl } from "./api";

export type Value = string | number | boolean | null;

const cache = new Map<string, Promise<Value[]>>();
/** Columns kept; the oldest go first. */
const CACHED = 600;

/** Values of one attribute, row i for feature i. */
export function fetchColumn(contentUrl: string, property: string): Promise<Value[]> {
  const url = sidecarUrl(contentUrl, property);
  const known = cache.get(url);
  if (known) return known;
  const column = readColumn(url, property);
  cache.set(url, column);
  column.catch(() => cache.delete(url));
  if (cache.size > CACHED) cache.delete(cache.keys().next().value as string);
  return column;
}

async function readColumn(url: string, property: string): Promise<Value[]> {
  // Arrow is a third of the page: it comes only when somebody colours.
  const [bytes, { tableFromIPC }] = await Promise.all([fetchBytes(url), import("apache-arrow")]);
  const vector = tableFromIPC(bytes).getChild(property);
  if (!vector) throw new Error(`The tile's table has no column ${property}`);
  return Array.from(vector, (value: unknown) => plain(value));
}

function plain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  return value as Value;
}
