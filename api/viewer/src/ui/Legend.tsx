/** What the colours mean: classes or values, with the number of buildings of each. */
import type { NumberClass, Scale } from "../colour/scale";
import type { Attribute } from "../data/catalogue";
import { attributeLabel, formatCount, formatNumber, t, unitText, valueLabel } from "../i18n";
import { PALETTES } from "../scene/palette";
import { colourBy, scale, theme } from "../state";
import { Close } from "./icons";

interface Row {
  key: string;
  label: string;
  colour: string;
  count: number;
}

function classLabel(attribute: Attribute, { from, to }: NumberClass): string {
  const text = (value: number): string => formatNumber(attribute, value);
  if (from === null && to === null) return attributeLabel(attribute);
  if (from === null) return t("under", { value: text(to as number) });
  if (to === null) return t("andOver", { value: text(from) });
  // Whole numbers: 1960–1969 says what "1960 up to 1970" means.
  const last = attribute.integer ? to - 1 : to;
  return last > from ? `${text(from)} – ${text(last)}` : text(from);
}

function rowsOf(current: Scale): Row[] {
  const { attribute } = current;
  const classes = current.classes.map((one) => ({
    key: String(one.from),
    label: classLabel(attribute, one),
    colour: one.colour,
    count: one.count,
  }));
  const categories = current.categories.map((one) => ({
    key: String(one.value),
    label: one.value === null ? t("other") : valueLabel(attribute, one.value),
    colour: one.colour,
    count: one.count,
  }));
  return [...classes.reverse(), ...categories];
}

export function Legend() {
  const current = scale.value;
  if (!current) return null;
  const rows = rowsOf(current);
  const most = Math.max(1, ...rows.map((row) => row.count), current.missing);
  const missing: Row = { key: "missing", label: t("noValue"), colour: PALETTES[theme.value].missing, count: current.missing };
  const shown = current.missing > 0 ? [...rows, missing] : rows;
  return (
    <section class="legend card" aria-label={t("legend")} data-testid="legend">
      <header>
        <h2>
          {attributeLabel(current.attribute)} {current.attribute.unit && <small>{unitText(current.attribute)}</small>}
        </h2>
        <button type="button" class="icon-button small" aria-label={t("close")} onClick={() => (colourBy.value = null)}>
          <Close />
        </button>
      </header>
      {rows.length === 0 && <p class="hint">{t("noValues")}</p>}
      <ul>
        {shown.map((row) => (
          <li key={row.key}>
            <i class="swatch" style={{ background: row.colour }} />
            <span class="legend-label">{row.label}</span>
            <span class="choice-bar" aria-hidden="true">
              <i style={{ width: `${(100 * row.count) / most}%` }} />
            </span>
            <span class="choice-count">{formatCount(row.count)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
