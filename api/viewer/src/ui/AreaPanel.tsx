/** Areas drawn on the ground, as filter and to compare. */
import { useState } from "preact/hooks";
import { areaM2, perimeterM } from "../geo/measure";
import { formatArea, formatMetres, t } from "../i18n";
import { controls, counts } from "../state";
import { MOST_AREAS, byArea, comparedBy, draft, drawing, finishArea, removeArea, tool, undoPoint } from "../workbench";
import { Close } from "./icons";
import { sideColour } from "./sides";
import { ToolPanel } from "./ToolPanel";

export function AreaPanel() {
  const { areas } = controls.value;
  const compare = (): void => {
    byArea.value = true;
    comparedBy.value = comparedBy.value || "height_m";
    tool.value = "compare";
  };
  return (
    <ToolPanel title={t("area")} testid="area">
      <div class="tool-body">
        <p class="hint first">{t(drawing.value ? "areaHint" : "areasFull", { count: MOST_AREAS })}</p>
        {drawing.value && <DraftState />}
        <AreaList />
        {areas.length > 0 && <p class="hint">{t("areaCount", { count: counts.value?.total ?? 0 })}</p>}
        {areas.length > 1 && (
          <button type="button" class="secondary plain" onClick={compare}>
            {t("compareAreas")}
          </button>
        )}
      </div>
    </ToolPanel>
  );
}

function DraftState() {
  const [refused, setRefused] = useState(false);
  const corners = draft.value;
  if (!corners.length) return null;
  const finish = (): void => setRefused(!finishArea());
  return (
    <div aria-live="polite">
      <p class="draft-size">
        {t("corners", { count: corners.length })}
        {corners.length > 2 && <b> {formatArea(areaM2(corners))}</b>}
      </p>
      {refused && (
        <p class="error" role="alert">
          {t("areaCrosses")}
        </p>
      )}
      <div class="downloads">
        <button type="button" class="primary" disabled={corners.length < 3} onClick={finish}>
          {t("finishArea")}
        </button>
        <button type="button" class="secondary plain" onClick={undoPoint}>
          {t("undo")}
        </button>
      </div>
    </div>
  );
}

/** The areas of the filter, each with its size, to be removed one by one. */
export function AreaList() {
  return (
    <ul class="areas">
      {controls.value.areas.map((ring, i) => (
        <li key={ring.join()}>
          <i class="swatch" style={{ background: sideColour(i) }} />
          <span>{t("areaNumber", { number: i + 1 })}</span>
          <span class="muted" title={t("perimeter", { length: formatMetres(perimeterM(ring)) })}>
            {formatArea(areaM2(ring))}
          </span>
          <button type="button" class="icon-button small" aria-label={t("removeArea", { number: i + 1 })} onClick={() => removeArea(i)}>
            <Close />
          </button>
        </li>
      ))}
    </ul>
  );
}
