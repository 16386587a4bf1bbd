/** Distances and heights between points that are clicked one after another. */
import { type Leg, legs } from "../geo/measure";
import { formatMetres, t } from "../i18n";
import { line, undoPoint } from "../workbench";
import { ToolPanel } from "./ToolPanel";

export function MeasurePanel() {
  const measured = legs(line.value);
  return (
    <ToolPanel title={t("measure")} testid="measure">
      <div class="tool-body">
        <p class="hint first">{t("measureHint")}</p>
        {measured.length > 0 ? <Legs measured={measured} /> : <p class="hint">{t(line.value.length ? "nextPoint" : "firstPoint")}</p>}
        {line.value.length > 0 && (
          <div class="downloads">
            <button type="button" class="secondary plain" onClick={undoPoint}>
              {t("undo")}
            </button>
            <button type="button" class="secondary plain" onClick={() => (line.value = [])}>
              {t("startAnew")}
            </button>
          </div>
        )}
      </div>
    </ToolPanel>
  );
}

const signed = (metres: number): string => (metres > 0 ? "+" : "") + formatMetres(metres);

function Legs({ measured }: { measured: Leg[] }) {
  const total = measured.reduce((sum, one) => ({
    horizontal: sum.horizontal + one.horizontal,
    rise: sum.rise + one.rise,
    straight: sum.straight + one.straight,
  }));
  return (
    <table class="compared" aria-live="polite">
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">{t("leg")}</span>
          </th>
          <th scope="col">{t("horizontal")}</th>
          <th scope="col">{t("rise")}</th>
          <th scope="col">{t("straight")}</th>
        </tr>
      </thead>
      <tbody>
        {measured.map((one, i) => (
          <Row key={i} name={`${i + 1}`} leg={one} />
        ))}
        {measured.length > 1 && <Row name={t("total")} leg={total} />}
      </tbody>
    </table>
  );
}

function Row({ name, leg }: { name: string; leg: Leg }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-leg="horizontal">{formatMetres(leg.horizontal)}</td>
      <td data-leg="rise">{signed(leg.rise)}</td>
      <td data-leg="straight">{formatMetres(leg.straight)}</td>
    </tr>
  );
}
