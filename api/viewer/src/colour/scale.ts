/** Colour scales: classes for numbers, a colour each for categories; readable by the colour-blind. */
import type { Bin, Histogram } from "../data/api";
import type { Attribute } from "../data/catalogue";
import type { Value } from "../data/sidecar";

export interface NumberClass {
  /** Lower limit, included; null: no limit. */
  from: number | null;
  /** Upper limit, not included; null: no limit. */
  to: number | null;
  colour: string;
  count: number;
}

export interface Category {
  /** null: all that is not named. */
  value: string | null;
  colour: string;
  count: number;
}

export interface Scale {
  attribute: Attribute;
  classes: NumberClass[];
  categories: Category[];
  missing: number;
}

/** Viridis (CC0), dark to light, without its darkest end, which a dark ground swallows. */
const VIRIDIS = ["#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
/** Okabe and Ito (2008), without black. */
const OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];
const OTHER = "#8c7a6b";
const MOST_CLASSES = 7;

function sequential(count: number): string[] {
  if (count === 1) return [VIRIDIS[3]];
  return Array.from({ length: count }, (_, i) => VIRIDIS[Math.round((i * (VIRIDIS.length - 1)) / (count - 1))]);
}

/** The value below which a share of the histogram lies, linear within a bin. */
function quantile(bins: Bin[], share: number): number {
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  let rest = total * share;
  for (const bin of bins) {
    if (rest <= bin.count && bin.count > 0) return bin.from + ((bin.to - bin.from) * rest) / bin.count;
    rest -= bin.count;
  }
  return bins[bins.length - 1].to;
}

/** The largest of 1, 2, 5 × 10ⁿ that is not larger than a gap. */
function unitWithin(gap: number, integer: boolean): number {
  const power = 10 ** Math.floor(Math.log10(gap));
  const unit = power * ([5, 2, 1].find((factor) => factor * power <= gap * 1.0001) ?? 1);
  return integer ? Math.max(1, Math.round(unit)) : unit;
}

const round = (value: number, unit: number): number => Number((Math.round(value / unit) * unit).toPrecision(10));

/** Equal shares; where few values reach far up, as heights do, the last class is for those few. */
function shares(bins: Bin[], wanted: number): number[] {
  const equal = (parts: number): number[] => Array.from({ length: parts - 1 }, (_, i) => (i + 1) / parts);
  const [middle, upper] = [quantile(bins, 0.5), quantile(bins, 0.85)];
  const skewed = bins[bins.length - 1].to - upper > 3 * (upper - middle);
  return skewed ? [...equal(wanted - 1), 0.97] : equal(wanted);
}

/** Limits between classes of about equal numbers of buildings, rounded to numbers that people say. */
export function niceLimits(bins: Bin[], integer: boolean, wanted = MOST_CLASSES): number[] {
  const [low, high] = [bins[0].from, bins[bins.length - 1].to];
  const quantiles = shares(bins, wanted).map((share) => quantile(bins, share));
  const gaps = quantiles.map((value, i) => value - (quantiles[i - 1] ?? low)).filter((gap) => gap > 0);
  if (!gaps.length) return [];
  const tidy = (limits: number[]): number[] => [...new Set(limits)].filter((limit) => limit > low && limit < high).sort((a, b) => a - b);
  const middle = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)];
  const even = tidy(quantiles.map((value) => round(value, unitWithin(middle, integer))));
  if (even.length >= gaps.length - 1) return even;
  // Skewed values: fine steps where many buildings are, coarse ones where few are.
  return tidy(quantiles.map((value, i) => round(value, unitWithin(Math.max(value - (quantiles[i - 1] ?? low), 1e-9), integer))));
}

function classCount(bins: Bin[], from: number | null, to: number | null): number {
  let sum = 0;
  for (const bin of bins) {
    const low = Math.max(bin.from, from ?? -Infinity);
    const high = Math.min(bin.to, to ?? Infinity);
    if (bin.to > bin.from) sum += (bin.count * Math.max(0, high - low)) / (bin.to - bin.from);
    else if (bin.from >= (from ?? -Infinity) && bin.from < (to ?? Infinity)) sum += bin.count;
  }
  return Math.round(sum);
}

function numberClasses(bins: Bin[], integer: boolean): NumberClass[] {
  if (!bins.length) return [];
  const limits = niceLimits(bins, integer);
  const edges = [null, ...limits, null];
  const colours = sequential(edges.length - 1);
  return colours.map((colour, i) => ({
    from: edges[i],
    to: edges[i + 1],
    colour,
    count: classCount(bins, edges[i], edges[i + 1]),
  }));
}

function categoriesOf({ values = [], other = 0 }: Histogram): Category[] {
  const sorted = values.toSorted((a, b) => b.count - a.count);
  const named = sorted.slice(0, sorted.length > OKABE_ITO.length || other ? OKABE_ITO.length - 1 : OKABE_ITO.length);
  const rest = sorted.slice(named.length).reduce((sum, { count }) => sum + count, other);
  const categories: Category[] = named.map(({ value, count }, i) => ({ value: String(value), colour: OKABE_ITO[i], count }));
  if (rest) categories.push({ value: null, colour: OTHER, count: rest });
  return categories;
}

export function makeScale(attribute: Attribute, histogram: Histogram): Scale {
  const bins = (histogram.bins ?? []).filter((bin) => Number.isFinite(bin.from));
  return {
    attribute,
    classes: attribute.kind === "number" ? numberClasses(bins, attribute.integer) : [],
    categories: attribute.kind === "number" ? [] : categoriesOf(histogram),
    missing: histogram.missing,
  };
}

const hex = (colour: string): number => Number.parseInt(colour.slice(1), 16);

/** A function from value to 0xrrggbb. */
export function colouring(scale: Scale, missing: string): (value: Value) => number {
  const grey = hex(missing);
  if (scale.attribute.kind === "number") {
    const limits = scale.classes.slice(1).map((one) => one.from as number);
    const colours = scale.classes.map((one) => hex(one.colour));
    return (value) => {
      if (typeof value !== "number" || Number.isNaN(value) || !colours.length) return grey;
      const index = limits.findIndex((limit) => value < limit);
      return colours[index < 0 ? colours.length - 1 : index];
    };
  }
  const colours = new Map(scale.categories.map((one) => [one.value, hex(one.colour)]));
  const other = colours.get(null) ?? grey;
  return (value) => (value === null ? grey : (colours.get(String(value)) ?? other));
}
