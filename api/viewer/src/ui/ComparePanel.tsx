/** The cities side by side: a chart, a table, and the same numbers as files. */
import { isEmpty, shortened } from "../data/filter";
import { GROUPS, colourable } from "../data/catalogue";
import type { Comparison } from "../data/compare";
import type { Key } from "../i18n/en";
import { attributeLabel, t, unitText } from "../i18n";
import { appliedFilter, catalogue, controls } from "../state";
import { byArea, comparedBy, comparing, comparison } from "../workbench";
import { Downloads } from "./Downloads";
import { NumberCharts, TermChart } from "./CompareChart";
import { CompareTable } from "./CompareTable";
import { ToolPanel } from "./ToolPanel";

export function ComparePanel() {
  const found = comparison.value;
  return (
    <ToolPanel title={t("compare")} testid="compare" busy={comparing.value}>
      <div class="tool-body">
        <WhatChoice />
        <AttributeChoice />
        {!isEmpty(controls.value) && (
          <p class="filter-note">
            {t("onlyFiltered")} <code>{shortened(appliedFilter.value ?? "")}</code>
          </p>
        )}
        {found ? <Figures found={found} /> : <div class="lines skeleton" />}
      </div>
    </ToolPanel>
  );
}

/** Cities or areas, where there are areas to compare. */
function WhatChoice() {
  if (controls.value.areas.length < 2) return null;
  return (
    <div class="places what" role="group" aria-label={t("compare")}>
      {([false, true] as const).map((areas) => (
        <button key={String(areas)} type="button" aria-current={byArea.value === areas} onClick={() => (byArea.value = areas)}>
          {t(areas ? "areas" : "cities")}
        </button>
      ))}
    </div>
  );
}

function AttributeChoice() {
  const usable = colourable(catalogue.value).filter(({ name }) => name !== "city" && name !== "dataset");
  return (
    <label class="labelled">
      <span>{t("comparedBy")}</span>
      <select class="wide" value={comparedBy.value} onChange={(event) => (comparedBy.value = event.currentTarget.value)}>
        {GROUPS.map((group) => {
          const members = usable.filter((attribute) => attribute.group === group);
          return members.length ? (
            <optgroup key={group} label={t(`group_${group}` as Key)}>
              {members.map((attribute) => (
                <option key={attribute.name} value={attribute.name}>
                  {attributeLabel(attribute)}
                </option>
              ))}
            </optgroup>
          ) : null;
        })}
      </select>
    </label>
  );
}

function Figures({ found }: { found: Comparison }) {
  const { attribute, sides } = found;
  const unit = unitText(attribute);
  const known = sides.some(({ summary }) => summary.known > 0);
  return (
    <div data-attribute={attribute.name} class="figures">
      <h3>
        {attributeLabel(attribute)} {unit && <small>{unit}</small>}
      </h3>
      {!known && <p class="hint">{t(sides.some(({ summary }) => summary.count) ? "noValues" : "emptyResult")}</p>}
      {known && (attribute.kind === "number" ? <NumberCharts found={found} /> : <TermChart found={found} />)}
      <CompareTable found={found} />
      <Downloads found={found} />
    </div>
  );
}
