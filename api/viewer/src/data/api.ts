/** The service's addresses and answers. */

import { fetchEarly } from "./early";

export interface Dataset {
  name: string;
  title: string;
  city: string | null;
  synthetic: boolean;
  placement: string;
  heights?: { credit?: string | null } | null;
  /** West, south, east, north in degrees. */
  bbox: [number, number, number, number] | null;
  count: number;
  role: string;
  publisher?: string | null;
  licence?: string | null;
  /** Of textures and materials. */
  themes?: string[];
}

export interface Queryable {
  type: "string" | "integer" | "number" | "boolean";
  title: string;
  description?: string;
  enum?: string[];
  "x-unit"?: string;
  "x-group"?: string;
  "x-origin"?: string;
  "x-labels"?: Record<string, string>;
  "x-meanings"?: Record<string, string>;
}

export interface Bin {
  from: number;
  to: number;
  count: number;
}

export interface Histogram {
  property: string;
  /** Buildings with a value. */
  count: number;
  /** Buildings without one. */
  missing: number;
  /** Buildings with rare values, which `values` does not list. */
  other?: number;
  minimum?: number | null;
  maximum?: number | null;
  bins?: Bin[];
  values?: { value: string | boolean; count: number }[];
}

export interface Building {
  id: string;
  geometry: { type: string; coordinates: unknown } | null;
  properties: Record<string, unknown>;
}

/** A feature that an import refused, or stored without a mesh. */
export interface ReportEntry {
  code: string;
  object_id: string | null;
  /** In the file: `line 812`, `byte 40211`. */
  place: string;
  reason: string;
  suggestion: string;
  /** The stored object with its id, null where there is none. */
  item: string | null;
  bbox: [number, number, number, number] | null;
}

/** What came of the newest import of one file. */
export interface FileReport {
  file: string;
  imported: string;
  format: string;
  reference_system: string;
  placement: string;
  read: number;
  added: number;
  geometry_changed: number;
  attributes_changed: number;
  unchanged: number;
  removed: number;
  left_out: number;
  refused_count: number;
  refused: ReportEntry[];
  problems_count: number;
  problems: ReportEntry[];
  unknown_codes: Record<string, number>;
  not_stored: Record<string, number>;
  stored_otherwise: Record<string, number>;
}

export interface Report {
  dataset: string;
  files_count: number;
  files: FileReport[];
}

/** An answer of the service that is no success: RFC 9457. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

export const BUILDINGS = "/collections/buildings";

export function address(path: string, query: Record<string, string | number | null | undefined> = {}): string {
  const url = new URL(path, window.location.origin);
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(key, String(value));
  }
  return url.toString();
}

async function problem(response: Response): Promise<Problem> {
  const fallback = `${response.status} ${response.statusText}`;
  try {
    const body = (await response.json()) as { detail?: unknown; title?: unknown };
    const detail = typeof body.detail === "string" ? body.detail : body.title;
    return new Problem(response.status, typeof detail === "string" ? detail : fallback);
  } catch {
    return new Problem(response.status, fallback);
  }
}

export async function ask<T>(url: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetchEarly(url, { headers: { Accept: "application/geo+json, application/json" }, signal: signal ?? null });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new Problem(0, (error as Error).message);
  }
  if (!response.ok) throw await problem(response);
  return (await response.json()) as T;
}

export async function fetchDatasets(): Promise<Dataset[]> {
  return (await ask<{ datasets: Dataset[] }>(address("/datasets"))).datasets;
}

export async function fetchQueryables(): Promise<Record<string, Queryable>> {
  return (await ask<{ properties: Record<string, Queryable> }>(address(`${BUILDINGS}/queryables`))).properties;
}

export function fetchHistogram(
  property: string,
  options: { filter?: string; bins?: number; signal?: AbortSignal } = {},
): Promise<Histogram> {
  const { filter, bins, signal } = options;
  return ask<Histogram>(address(`${BUILDINGS}/histogram`, { property, filter, bins }), signal);
}

export function fetchBuilding(id: string, signal?: AbortSignal): Promise<Building> {
  return ask<Building>(itemUrl(id), signal);
}

export function fetchReport(dataset: string, signal?: AbortSignal): Promise<Report> {
  return ask<Report>(address(`/datasets/${encodeURIComponent(dataset)}/report`), signal);
}

export function itemUrl(id: string, format?: string): string {
  return address(`${BUILDINGS}/items/${encodeURIComponent(id)}`, { f: format });
}

export function tilesetUrl(filter: string, textured = false): string {
  return address(`${BUILDINGS}/3dtiles/tileset.json`, { filter, profile: textured ? "textured" : null });
}

/** Every building that a filter leaves, as one file. */
export function downloadOf(filter: string, format: "csv" | "geoparquet"): string {
  return address(`${BUILDINGS}/download`, { f: format, filter });
}

/** The Arrow table of a tile's attributes beside its content: same path, same filter. */
export function sidecarUrl(contentUrl: string, property: string): string {
  const url = new URL(contentUrl);
  url.pathname = url.pathname.replace(/\.glb$/, ".arrow");
  url.searchParams.set("properties", property);
  return url.toString();
}

export async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw await problem(response);
  return new Uint8Array(await response.arrayBuffer());
}
