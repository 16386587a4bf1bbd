/** Tables as comma-separated values (RFC 4180), and the filtered buildings page by page. */
import { BUILDINGS, type Building, address, ask } from "./api";

export type Cell = string | number | boolean | null | undefined;

/** Buildings of one request. */
const PAGE = 2_000;
/** Excel takes a file for UTF-8 only with this. */
const MARK = "\ufeff";

function cell(value: Cell): string {
  if (value === null || value === undefined) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvLine(values: Cell[]): string {
  return `${values.map(cell).join(",")}\r\n`;
}

export function csvTable(rows: Cell[][]): Blob {
  return new Blob([MARK, ...rows.map(csvLine)], { type: "text/csv" });
}

interface Page {
  features: Building[];
  links: { rel: string; href: string }[];
}

/** Middle of the box around a footprint, degrees. */
function middle(coordinates: unknown): [number, number] | [null, null] {
  const [lons, lats]: [number[], number[]] = [[], []];
  const visit = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] !== "number") return part.forEach(visit);
    lons.push(part[0]);
    lats.push(part[1] as number);
  };
  visit(coordinates);
  if (!lons.length) return [null, null];
  const mid = (values: number[]): number => Number(((Math.min(...values) + Math.max(...values)) / 2).toFixed(7));
  return [mid(lons), mid(lats)];
}

/** One line of the table of buildings. */
export function buildingLine({ id, geometry, properties }: Building, columns: string[]): string {
  return csvLine([id, ...middle(geometry?.coordinates), ...columns.map((name) => plain(properties[name]))]);
}

function plain(value: unknown): Cell {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : (value as Cell);
}

/** All buildings that a filter leaves, as a table; each page becomes a part of the file at once. */
export async function buildingsCsv(
  filter: string,
  columns: string[],
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const parts: BlobPart[] = [MARK, csvLine(["id", "longitude", "latitude", ...columns])];
  let next: string | undefined = address(`${BUILDINGS}/items`, { filter, limit: PAGE, properties: columns.join(",") });
  let done = 0;
  while (next) {
    const page: Page = await ask<Page>(next, signal);
    parts.push(new Blob(page.features.map((feature) => buildingLine(feature, columns))));
    done += page.features.length;
    onProgress(done);
    next = page.links.find(({ rel }) => rel === "next")?.href;
  }
  return new Blob(parts, { type: "text/csv" });
}

/** Hand a file to the reader. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
