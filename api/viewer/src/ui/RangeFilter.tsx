import { useEffect, useState } from "preact/hooks";
import type { Bin } from "../data/api";
import type { Attribute } from "../data/catalogue";
import { type Range, withRange } from "../data/filter";
import { attributeLabel, attributeMeaning, formatNumber, t, unitText } from "../i18n";
import { controls } from "../state";
import { useHistograms } from "./histogram";

const BINS = 36;
const STEPS = 200;

interface Domain {
  low: number;
  high: number;
  step: number;
}

/** Round limits just outside the values, and a step that makes about 200 stops. */
function domainOf(minimum: number, maximum: number, integer: boolean): Domain {
  const raw = Math.max((maximum - minimum) / STEPS, integer ? 1 : 1e-6);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = integer ? Math.max(1, Math.round(raw)) : power * ([5, 2, 1].find((factor) => factor * power <= raw) ?? 1);
  const tidy = (value: number): number => Number(value.toPrecision(12));
  return { low: tidy(Math.floor(minimum / step) * step), high: tidy(Math.ceil(maximum / step) * step), step };
}

/** A histogram with two handles under it. The filter changes when a handle is let go. */
export function RangeFilter({ attribute }: { attribute: Attribute }) {
  const { all, left } = useHistograms(attribute.name, BINS);
  const applied: Range = controls.value.ranges[attribute.name] ?? [null, null];
  const [draft, setDraft] = useState<Range>(applied);
  useEffect(() => setDraft(applied), [applied[0], applied[1]]);
  const title = (
    <>
      {attributeLabel(attribute)}
      {attribute.unit && <small> {unitText(attribute)}</small>}
    </>
  );
  const { minimum, maximum } = all ?? {};
  if (typeof minimum !== "number" || typeof maximum !== "number") {
    return (
      <fieldset class="field" data-attribute={attribute.name}>
        <legend title={attributeMeaning(attribute)}>{title}</legend>
        {all ? <p class="hint">{t("noValues")}</p> : <div class="bars skeleton" />}
      </fieldset>
    );
  }
  const domain = domainOf(minimum, maximum, attribute.integer);
  const limits: [number, number] = [draft[0] ?? domain.low, draft[1] ?? domain.high];
  const open = ([low, high]: [number, number]): Range => [low <= domain.low ? null : low, high >= domain.high ? null : high];
  const commit = (next: Range): void => {
    setDraft(next);
    controls.value = withRange(controls.value, attribute.name, next);
  };
  const spoken = attributeLabel(attribute);
  const handle = (end: 0 | 1) => ({
    type: "range" as const,
    min: domain.low,
    max: domain.high,
    step: domain.step,
    value: limits[end],
    "aria-label": t(end ? "highest" : "lowest", { label: spoken }),
    "aria-valuetext": `${formatNumber(attribute, limits[end])} ${unitText(attribute)}`,
    onInput: (event: Event) => setDraft(open(moved(limits, end, valueOf(event)))),
    onChange: (event: Event) => commit(open(moved(limits, end, valueOf(event)))),
  });
  return (
    <fieldset class="field" data-attribute={attribute.name}>
      <legend title={attributeMeaning(attribute)}>{title}</legend>
      <Bars bins={left?.bins ?? []} domain={domain} limits={limits} />
      <div class="slider" style={{ "--low": share(limits[0], domain), "--high": share(limits[1], domain) }}>
        <input {...handle(0)} />
        <input {...handle(1)} />
      </div>
      <div class="limits">
        <Limit attribute={attribute} name={t("from")} value={limits[0]} domain={domain} onCommit={(value) => commit(open(moved(limits, 0, value)))} />
        <Limit attribute={attribute} name={t("to")} value={limits[1]} domain={domain} onCommit={(value) => commit(open(moved(limits, 1, value)))} />
      </div>
    </fieldset>
  );
}

const valueOf = (event: Event): number => Number((event.currentTarget as HTMLInputElement).value);

function moved(limits: [number, number], end: 0 | 1, value: number): [number, number] {
  return end ? [limits[0], Math.max(value, limits[0])] : [Math.min(value, limits[1]), limits[1]];
}

function share(value: number, { low, high }: Domain): number {
  return high > low ? (value - low) / (high - low) : 0;
}

function Bars({ bins, domain, limits }: { bins: Bin[]; domain: Domain; limits: [number, number] }) {
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  return (
    <svg class="bars" viewBox="0 0 100 36" preserveAspectRatio="none" aria-hidden="true">
      {bins.map((bin) => {
        const x = 100 * share(bin.from, domain);
        const width = Math.max(0.6, 100 * share(bin.to, domain) - x);
        const height = bin.count ? Math.max(1, (34 * bin.count) / most) : 0;
        const inside = bin.to > limits[0] && bin.from < limits[1];
        return <rect key={bin.from} x={x} y={36 - height} width={width * 0.86} height={height} class={inside ? "in" : "out"} />;
      })}
    </svg>
  );
}

interface LimitProps {
  attribute: Attribute;
  name: string;
  value: number;
  domain: Domain;
  onCommit: (value: number) => void;
}

function Limit({ attribute, name, value, domain, onCommit }: LimitProps) {
  return (
    <label class="limit">
      <span>{name}</span>
      <input
        type="number"
        min={domain.low}
        max={domain.high}
        step="any"
        aria-label={`${attributeLabel(attribute)}: ${name}`}
        value={Number(value.toFixed(2))}
        onChange={(event) => {
          const typed = event.currentTarget.valueAsNumber;
          if (Number.isFinite(typed)) onCommit(typed);
          else event.currentTarget.value = String(value);
        }}
      />
    </label>
  );
}
