/** Statistics of several sides - cities or areas - by one attribute, from the service's own aggregates. */
import { BUILDINGS, address, ask } from "./api";
import type { Attribute } from "./catalogue";

/** What is compared: its own condition, or a value of `city`, which one request answers for all. */
export interface Side {
  key: string;
  /** CQL2 that makes the side; null where `key` is a city. */
  filter: string | null;
}

export interface Summary {
  /** Buildings of the side. */
  count: number;
  /** Of them those with a value. */
  known: number;
  sum: number | null;
  mean: number | null;
  median: number | null;
  /** A quarter of the values lies below, a quarter above. */
  quarter: [number | null, number | null];
  range: [number | null, number | null];
}

export interface Part {
  /** Lower and upper limit of a class, null where it is open; of a term both are null. */
  from: number | null;
  to: number | null;
  term: string | null;
  count: number;
}

export interface Compared {
  key: string;
  summary: Summary;
  parts: Part[];
}

export interface Comparison {
  attribute: Attribute;
  sides: Compared[];
}

type Row = Record<string, string | number | boolean | null>;

const WANTED_CLASSES = 18;
const FAR = 0.99;

/** Round limits from near the least value to the far quantile; what lies beyond is one open class. */
export function roundEdges(low: number, far: number, integer: boolean): number[] {
  const span = far - low;
  if (!(span > 0)) return [low];
  const raw = span / WANTED_CLASSES;
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((one) => one * power >= raw * 0.999) ?? 10;
  const step = integer ? Math.max(1, Math.round(factor * power)) : factor * power;
  const tidy = (value: number): number => Number(value.toPrecision(12));
  const first = Math.floor(tidy(low / step));
  const last = Math.ceil(tidy(far / step));
  return Array.from({ length: last - first + 1 }, (_, i) => tidy((first + i) * step));
}

/** Whether adding the values up says something: areas and volumes do, heights and years do not. */
export function summable({ unit }: Attribute): boolean {
  return unit === "m2" || unit === "m3";
}

const both = (a: string, b: string): string => (a && b ? `(${a}) AND (${b})` : a || b);

/** Rows of each side; the cities come in one request. */
async function rowsBySide(
  sides: Side[],
  filter: string,
  groupby: string,
  aggregate: string,
  signal: AbortSignal,
): Promise<Map<string, Row[]>> {
  const rows = async (where: string, by: string): Promise<Row[]> => {
    const url = address(`${BUILDINGS}/statistics`, { groupby: by, aggregate, filter: where });
    return (await ask<{ groups: Row[] }>(url, signal)).groups;
  };
  if (sides.every((side) => side.filter === null)) {
    const found = await rows(filter, groupby ? `city,${groupby}` : "city");
    return new Map(sides.map(({ key }) => [key, found.filter((row) => row.city === key)]));
  }
  const found = await Promise.all(sides.map((side) => rows(both(filter, side.filter ?? ""), groupby)));
  return new Map(sides.map(({ key }, i) => [key, found[i]]));
}

function number(row: Row | undefined, name: string): number | null {
  const value = row?.[name];
  return typeof value === "number" ? value : null;
}

function summaryOf(row: Row | undefined, name: string): Summary {
  const of = (aggregate: string): number | null => number(row, aggregate);
  return {
    count: of("count") ?? 0,
    known: of(`count(${name})`) ?? 0,
    sum: of(`sum(${name})`),
    mean: of(`avg(${name})`),
    median: of(`median(${name})`),
    quarter: [of(`quantile(${name},0.25)`), of(`quantile(${name},0.75)`)],
    range: [of(`min(${name})`), of(`max(${name})`)],
  };
}

const NUMBERS = ["count", "sum", "avg", "median", "min", "max"];

async function compareNumbers(attribute: Attribute, sides: Side[], filter: string, signal: AbortSignal): Promise<Comparison> {
  const { name, integer } = attribute;
  const far = `quantile(${name},${FAR})`;
  const wanted = ["count", ...NUMBERS.map((one) => `${one}(${name})`), `quantile(${name},0.25)`, `quantile(${name},0.75)`, far];
  const summaries = await rowsBySide(sides, filter, "", wanted.join(","), signal);
  const firsts = [...summaries.values()].map((rows) => rows[0]);
  const present = (values: (number | null)[]): number[] => values.filter((value) => value !== null);
  const lows = present(firsts.map((row) => number(row, `min(${name})`)));
  const fars = present(firsts.map((row) => number(row, far)));
  const edges = lows.length ? roundEdges(Math.min(...lows), Math.max(...fars), integer) : [];
  const by = `classes(${name},${edges.join(",")})`;
  const classes = edges.length ? await rowsBySide(sides, filter, by, "count", signal) : new Map<string, Row[]>();
  return {
    attribute,
    sides: sides.map(({ key }) => ({
      key,
      summary: summaryOf(summaries.get(key)?.[0], name),
      parts: partsOf(edges, classes.get(key) ?? []),
    })),
  };
}

/** Counts by class. The name of the group repeats the breaks as the service writes them. */
function partsOf(edges: number[], rows: Row[]): Part[] {
  const counted = new Map<number, number>();
  for (const { count, city: _, ...group } of rows) {
    const [from] = String(Object.values(group)[0] ?? "").split("..");
    if (from) counted.set(Number(from), Number(count));
  }
  return edges.map((from, i) => ({ from, to: edges[i + 1] ?? null, term: null, count: counted.get(from) ?? 0 }));
}

async function compareTerms(attribute: Attribute, sides: Side[], filter: string, signal: AbortSignal): Promise<Comparison> {
  const { name } = attribute;
  const found = await rowsBySide(sides, filter, name, "count", signal);
  const totals = new Map<string, number>();
  for (const row of [...found.values()].flat()) {
    if (row[name] !== null) totals.set(String(row[name]), (totals.get(String(row[name])) ?? 0) + Number(row.count));
  }
  const terms = [...totals].toSorted((a, b) => b[1] - a[1]).map(([term]) => term);
  return { attribute, sides: sides.map(({ key }) => ({ key, ...termsOf(name, terms, found.get(key) ?? []) })) };
}

function termsOf(name: string, terms: string[], rows: Row[]): Omit<Compared, "key"> {
  const counted = new Map(rows.map((row) => [row[name] === null ? null : String(row[name]), Number(row.count)]));
  const count = [...counted.values()].reduce((sum, one) => sum + one, 0);
  const known = count - (counted.get(null) ?? 0);
  return {
    summary: { count, known, sum: null, mean: null, median: null, quarter: [null, null], range: [null, null] },
    parts: terms.map((term) => ({ from: null, to: null, term, count: counted.get(term) ?? 0 })),
  };
}

/** Compare the sides under a filter; Problem where the service refuses. */
export function compare(attribute: Attribute, sides: Side[], filter: string, signal: AbortSignal): Promise<Comparison> {
  return (attribute.kind === "number" ? compareNumbers : compareTerms)(attribute, sides, filter, signal);
}
