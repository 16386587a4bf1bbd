/** Tables as comma-separated values (RFC 4180). */

export type Cell = string | number | boolean | null | undefined;

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

/** Hand a file to the reader. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
