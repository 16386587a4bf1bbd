import { useState } from "preact/hooks";
import type { Attribute } from "../data/catalogue";
import { withChoice } from "../data/filter";
import { attributeLabel, attributeMeaning, formatCount, t, valueLabel } from "../i18n";
import { controls } from "../state";
import { HistogramFailed } from "./RangeFilter";
import { useHistograms } from "./histogram";

const FIRST = 5;

/** Values to tick, most frequent first, each with the number of buildings that the rest of the filter leaves. */
export function ChoiceFilter({ attribute }: { attribute: Attribute }) {
  const { all, left, failed } = useHistograms(attribute.name);
  const [expanded, setExpanded] = useState(false);
  const chosen = controls.value.choices[attribute.name] ?? [];
  const counted = new Map((left?.values ?? []).map(({ value, count }) => [String(value), count]));
  // Without counts, the terms of the code list can be chosen all the same.
  const listed = (all?.values ?? []).toSorted((a, b) => b.count - a.count).map(({ value }) => String(value));
  const known = all ? listed : attribute.codes;
  const values = [...known, ...chosen.filter((value) => !known.includes(value))];
  const shown = expanded ? values : values.filter((value, i) => i < FIRST || chosen.includes(value));
  const most = Math.max(1, ...counted.values());
  const toggle = (value: string): void => {
    const next = chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value];
    controls.value = withChoice(controls.value, attribute.name, next);
  };
  return (
    <fieldset class="field choices" data-attribute={attribute.name}>
      <legend title={attributeMeaning(attribute)}>{attributeLabel(attribute)}</legend>
      {shown.map((value) => (
        <label key={value} class="choice">
          <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
          <span class="choice-name" title={valueLabel(attribute, value)}>{valueLabel(attribute, value)}</span>
          <span class="choice-bar" aria-hidden="true">
            <i style={{ width: `${(100 * (counted.get(value) ?? 0)) / most}%` }} />
          </span>
          <span class="choice-count">{left && formatCount(counted.get(value) ?? 0)}</span>
        </label>
      ))}
      {failed && <HistogramFailed />}
      {all && !values.length && <p class="hint">{t("noValues")}</p>}
      {values.length > FIRST && (
        <button type="button" class="quiet" aria-expanded={expanded} onClick={() => setExpanded(!expanded)}>
          {expanded ? t("showFewer") : t("showAll", { count: values.length })}
        </button>
      )}
    </fieldset>
  );
}
