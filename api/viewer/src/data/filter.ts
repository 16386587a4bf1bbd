/** The filter that the controls describe, as CQL2 text. */

export type Range = [number | null, number | null];

export interface Controls {
  /** Attribute name → chosen values. */
  choices: Record<string, string[]>;
  /** Attribute name → lowest and highest value, null where open. */
  ranges: Record<string, Range>;
  /** CQL2 as typed. */
  text: string;
}

export const NO_FILTER: Controls = { choices: {}, ranges: {}, text: "" };

export function isEmpty(controls: Controls): boolean {
  return cql2(controls) === "";
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function choice(name: string, values: string[]): string {
  const literals = values.map((value) => (value === "true" || value === "false" ? value : quoted(value)));
  return literals.length === 1 ? `${name} = ${literals[0]}` : `${name} IN (${literals.join(", ")})`;
}

function range(name: string, [low, high]: Range): string {
  if (low !== null && high !== null) return `${name} BETWEEN ${low} AND ${high}`;
  if (low !== null) return `${name} >= ${low}`;
  return high !== null ? `${name} <= ${high}` : "";
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
  ].filter(Boolean);
  const typed = controls.text.trim();
  if (typed) clauses.push(clauses.length ? `(${typed})` : typed);
  return clauses.join(" AND ");
}

export function withChoice(controls: Controls, name: string, values: string[]): Controls {
  const choices = { ...controls.choices, [name]: values };
  if (!values.length) delete choices[name];
  return { ...controls, choices };
}

export function withRange(controls: Controls, name: string, limits: Range): Controls {
  const ranges = { ...controls.ranges, [name]: limits };
  if (limits[0] === null && limits[1] === null) delete ranges[name];
  return { ...controls, ranges };
}
