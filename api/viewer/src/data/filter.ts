/** The filter that the controls describe, as CQL2 text. */

import type { LonLat } from "../geo/measure";

export type Range = [number | null, number | null];

export interface Controls {
  /** Attribute name → chosen values. */
  choices: Record<string, string[]>;
  /** Attribute name → lowest and highest value, null where open. */
  ranges: Record<string, Range>;
  /** Areas as rings of longitude and latitude; a building stands in one of them. */
  areas: LonLat[][];
  /** CQL2 as typed. */
  text: string;
}

export const NO_FILTER: Controls = { choices: {}, ranges: {}, areas: [], text: "" };

export function isEmpty(controls: Controls): boolean {
  return cql2(controls) === "";
}

export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function choice(name: string, values: string[]): string {
  const literals = values.map((value) => (value === "true" || value === "false" ? value : quoted(value)));
  return literals.length === 1 ? `${name} = ${literals[0]}` : `${name} IN (${literals.join(", ")})`;
}

function range(name: string, [low, high]: Range): string {
  if (low !== null && high !== null) return `${name} BETWEEN ${low} AND ${high}`;
  if (low !== null) return `${name} >= ${low}`;
  return high !== null ? `${name} <= ${high}` : "";
}

/** Buildings that stand in an area, wholly or in part. */
export function within(ring: LonLat[]): string {
  const corners = [...ring, ring[0]].map(([lon, lat]) => `${lon} ${lat}`);
  return `S_INTERSECTS(geometry, POLYGON((${corners.join(", ")})))`;
}

function withinAny(areas: LonLat[][]): string {
  const clauses = areas.map(within);
  return clauses.length > 1 ? `(${clauses.join(" OR ")})` : (clauses[0] ?? "");
}

/** A filter for people: coordinates would fill the page. */
export function shortened(filter: string): string {
  return filter.replaceAll(/POLYGON\(\([^)]*\)\)/g, "POLYGON(…)");
}

/** One CQL2 text; `without` leaves out the control of one attribute, for that control's own histogram. */
export function cql2(controls: Controls, without?: string): string {
  const clauses = [
    ...Object.entries(controls.choices)
      .filter(([name, values]) => name !== without && values.length)
      .map(([name, values]) => choice(name, values)),
    ...Object.entries(controls.ranges)
      .filter(([name]) => name !== without)
      .map(([name, limits]) => range(name, limits)),
    withinAny(controls.areas),
  ].filter(Boolean);
  const typed = controls.text.trim();
  if (typed) clauses.push(clauses.length ? `(${typed})` : typed);
  return clauses.join(" AND ");
}

function without<T>(record: Record<string, T>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

export function withChoice(controls: Controls, name: string, values: string[]): Controls {
  const { choices } = controls;
  return { ...controls, choices: values.length ? { ...choices, [name]: values } : without(choices, name) };
}

export function withRange(controls: Controls, name: string, limits: Range): Controls {
  const { ranges } = controls;
  const open = limits[0] === null && limits[1] === null;
  return { ...controls, ranges: open ? without(ranges, name) : { ...ranges, [name]: limits } };
}
