/** The rows of a comparison's table, for the page and for the file. */
import { type Compared, type Comparison, summable } from "../data/compare";
import type { Cell } from "../data/csv";
import { formatCount, formatNumber, formatShare, sideName, t, unitText } from "../i18n";
import { partLabel } from "./CompareChart";

export interface Measure {
  key: string;
  label: string;
  text: (side: Compared) => string;
  value: (side: Compared) => Cell;
}

export function measures(found: Comparison): Measure[] {
  const { attribute } = found;
  const count: Measure = {
    key: "count",
    label: t("count"),
    text: ({ summary }) => formatCount(summary.count),
    value: ({ summary }) => summary.count,
  };
  return [count, ...(attribute.kind === "number" ? numberMeasures(found) : termMeasures(found))];
}

function numberMeasures({ attribute }: Comparison): Measure[] {
  type Read = (side: Compared) => number | null;
  const one = (key: string, label: string, read: Read): Measure => ({
    key,
    label,
    text: (side) => (read(side) === null ? "–" : formatNumber(attribute, read(side) as number)),
    value: read,
  });
  const least = one("min", t("least"), ({ summary }) => summary.range[0]);
  return [
    { key: "known", label: t("withValue"), text: ({ summary }) => formatCount(summary.known), value: ({ summary }) => summary.known },
    ...(summable(attribute) ? [one("sum", t("sum"), ({ summary }) => summary.sum)] : []),
    one("mean", t("mean"), ({ summary }) => summary.mean),
    one("median", t("median"), ({ summary }) => summary.median),
    one("quarter", t("quarterBelow"), ({ summary }) => summary.quarter[0]),
    one("three_quarters", t("quarterAbove"), ({ summary }) => summary.quarter[1]),
    least,
    one("max", t("most"), ({ summary }) => summary.range[1]),
  ];
}

function termMeasures({ attribute, sides }: Comparison): Measure[] {
  const terms = sides[0]?.parts ?? [];
  const missing: Measure = {
    key: "missing",
    label: t("noValue"),
    text: ({ summary }) => formatCount(summary.count - summary.known),
    value: ({ summary }) => summary.count - summary.known,
  };
  return [
    ...terms.map((term, i): Measure => ({
      key: String(term.term),
      label: partLabel(attribute, term),
      text: ({ parts, summary }) => `${formatCount(parts[i].count)} (${formatShare(summary.known ? parts[i].count / summary.known : 0)})`,
      value: ({ parts }) => parts[i].count,
    })),
    missing,
  ];
}

/** The table as rows of a file: names of measures, then a column for each side; unrounded. */
export function tableRows(found: Comparison): Cell[][] {
  const unit = unitText(found.attribute);
  const title = `${found.attribute.name}${unit ? ` (${unit})` : ""}`;
  return [[title, ...found.sides.map(({ key }) => sideName(key))], ...measures(found).map((one) => [one.key, ...found.sides.map(one.value)])];
}
