import { useEffect, useRef, useState } from "preact/hooks";
import type { Bin, Histogram } from "../data/api";
import type { Attribute } from "../data/catalogue";
import { type Range, withRange } from "../data/filter";
import { attributeLabel, attributeMeaning, formatNumber, t, unitText } from "../i18n";
import { controls, tryAgain } from "../state";
import { useHistograms } from "./histogram";

const BINS = 36;
const STEPS = 200;
const OPEN: Range = [null, null];

interface Domain {
  low: number;
  high: number;
  step: number;
}

/** Round limits just outside the values, and a step that makes about 200 stops; null without values. */
function domainOf(all: Histogram | null, integer: boolean): Domain | null {
  const { minimum, maximum } = all ?? {};
  if (typeof minimum !== "number" || typeof maximum !== "number") return null;
  const raw = Math.max((maximum - minimum) / STEPS, integer ? 1 : 1e-6);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = integer ? Math.max(1, Math.round(raw)) : power * ([5, 2, 1].find((factor) => factor * power <= raw) ?? 1);
  const tidy = (value: number): number => Number(value.toPrecision(12));
  return { low: tidy(Math.floor(minimum / step) * step), high: tidy(Math.ceil(maximum / step) * step), step };
}

/**
 * A histogram with two handles under it. The filter changes when a handle is let go. Before the histogram has
 * come, or where it does not come, limits can be typed all the same.
 */
export function RangeFilter({ attribute }: { attribute: Attribute }) {
  const { all, left, failed } = useHistograms(attribute.name, BINS);
  const applied: Range = controls.value.ranges[attribute.name] ?? OPEN;
  const [draft, setDraft] = useState<Range>(applied);
  useEffect(() => setDraft(applied), [applied[0], applied[1]]);
  const domain = domainOf(all, attribute.integer);
  // Where the other controls leave nothing, the shape of all still tells where there would be something.
  const nothing = left?.bins?.every(({ count }) => count === 0) ?? false;
  const bars = { bins: (nothing ? all : left)?.bins ?? [], pale: nothing };
  const commit = (next: Range): void => {
    setDraft(next);
    controls.value = withRange(controls.value, attribute.name, next);
  };
  const limit = (end: 0 | 1) => ({
    attribute,
    name: t(end ? "to" : "from"),
    value: draft[end] ?? (end ? domain?.high : domain?.low) ?? null,
    onCommit: (value: number | null) => commit(moved(draft, end, value, domain)),
  });
  return (
    <fieldset class="field" data-attribute={attribute.name}>
      <legend title={attributeMeaning(attribute)}>
        {attributeLabel(attribute)}
        {attribute.unit && <small> {unitText(attribute)}</small>}
      </legend>
      {domain && <Bars {...bars} domain={domain} limits={closed(draft, domain)} onDraft={setDraft} onCommit={commit} />}
      {domain && <Slider attribute={attribute} domain={domain} draft={draft} onDraft={setDraft} onCommit={commit} />}
      {!all && (failed ? <HistogramFailed /> : <div class="bars skeleton" />)}
      {all && !domain && <p class="hint">{t("noValues")}</p>}
      {(domain ?? !all) && (
        <div class="limits">
          <Limit {...limit(0)} />
          <Limit {...limit(1)} />
        </div>
      )}
    </fieldset>
  );
}

/** What a control says that has no histogram. */
export function HistogramFailed() {
  return (
    <p class="hint" role="status">
      {t("histogramFailed")}{" "}
      <button type="button" class="quiet" onClick={tryAgain}>
        {t("retry")}
      </button>
    </p>
  );
}

const closed = ([low, high]: Range, domain: Domain): [number, number] => [low ?? domain.low, high ?? domain.high];

/** One end elsewhere, yet not beyond the other; open where it leaves nothing out. */
function moved(range: Range, end: 0 | 1, value: number | null, domain: Domain | null): Range {
  const next: Range = end ? [range[0], value] : [value, range[1]];
  const [low, high] = next;
  if (low !== null && high !== null && low > high) next[end] = range[1 - end];
  if (domain && next[0] !== null && next[0] <= domain.low) next[0] = null;
  if (domain && next[1] !== null && next[1] >= domain.high) next[1] = null;
  return next;
}

interface SliderProps {
  attribute: Attribute;
  domain: Domain;
  draft: Range;
  onDraft: (range: Range) => void;
  onCommit: (range: Range) => void;
}

function Slider({ attribute, domain, draft, onDraft, onCommit }: SliderProps) {
  const limits = closed(draft, domain);
  const handle = (end: 0 | 1) => ({
    type: "range" as const,
    min: domain.low,
    max: domain.high,
    step: domain.step,
    value: limits[end],
    "aria-label": t(end ? "highest" : "lowest", { label: attributeLabel(attribute) }),
    "aria-valuetext": `${formatNumber(attribute, limits[end])} ${unitText(attribute)}`,
    onInput: (event: Event) => onDraft(moved(draft, end, valueOf(event), domain)),
    onChange: (event: Event) => onCommit(moved(draft, end, valueOf(event), domain)),
  });
  return (
    <div class="slider" style={{ "--low": share(limits[0], domain), "--high": share(limits[1], domain) }}>
      <input {...handle(0)} />
      <input {...handle(1)} />
    </div>
  );
}

const valueOf = (event: Event): number => Number((event.currentTarget as HTMLInputElement).value);

function share(value: number, { low, high }: Domain): number {
  return high > low ? (value - low) / (high - low) : 0;
}

interface BarsProps {
  bins: Bin[];
  /** None of them is in the range. */
  pale: boolean;
  domain: Domain;
  limits: [number, number];
  onDraft: (range: Range) => void;
  onCommit: (range: Range) => void;
}

/** The histogram. Drawn over, it becomes a brush: the range is what was drawn. Keys have the handles below. */
function Bars({ bins, pale, domain, limits, onDraft, onCommit }: BarsProps) {
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const brush = useBrush(domain, onDraft, onCommit);
  return (
    <svg class="bars" viewBox="0 0 100 36" preserveAspectRatio="none" aria-hidden="true" {...brush}>
      {bins.map((bin) => {
        const x = 100 * share(bin.from, domain);
        const width = Math.max(0.6, 100 * share(bin.to, domain) - x);
        const height = bin.count ? Math.max(1, (34 * bin.count) / most) : 0;
        const inside = !pale && bin.to > limits[0] && bin.from < limits[1];
        return <rect key={bin.from} x={x} y={36 - height} width={width * 0.86} height={height} class={inside ? "in" : "out"} />;
      })}
    </svg>
  );
}

/** The value under the pointer, on a step. */
function valueUnder(event: PointerEvent, { low, high, step }: Domain): number {
  const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
  const at = Math.min(1, Math.max(0, (event.clientX - left) / width));
  return Number((low + Math.round((at * (high - low)) / step) * step).toPrecision(12));
}

/** What a press, a way and a release over the histogram do. A click alone does nothing. */
function useBrush(domain: Domain, onDraft: (range: Range) => void, onCommit: (range: Range) => void) {
  const start = useRef<number | null>(null);
  const drawn = (event: PointerEvent): Range => {
    const ends = [start.current as number, valueUnder(event, domain)].toSorted((a, b) => a - b);
    return moved(moved(OPEN, 0, ends[0], domain), 1, ends[1], domain);
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      start.current = valueUnder(event, domain);
    },
    onPointerMove: (event: PointerEvent) => {
      if (start.current !== null && valueUnder(event, domain) !== start.current) onDraft(drawn(event));
    },
    onPointerUp: (event: PointerEvent) => {
      if (start.current !== null && valueUnder(event, domain) !== start.current) onCommit(drawn(event));
      start.current = null;
    },
    onPointerCancel: () => (start.current = null),
  };
}

interface LimitProps {
  attribute: Attribute;
  name: string;
  /** null: open, and nothing tells where the values end. */
  value: number | null;
  onCommit: (value: number | null) => void;
}

function Limit({ attribute, name, value, onCommit }: LimitProps) {
  // What is being typed must not be overwritten when a histogram comes.
  const [typed, setTyped] = useState<string | null>(null);
  const known = value === null ? "" : String(Number(value.toFixed(2)));
  return (
    <label class="limit">
      <span>{name}</span>
      <input
        type="number"
        step="any"
        aria-label={`${attributeLabel(attribute)}: ${name}`}
        value={typed ?? known}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => {
          const { value: text, valueAsNumber: number } = event.currentTarget;
          setTyped(null);
          // What is no number, such as "1e", leaves all as it was; an emptied field opens that end.
          if (Number.isFinite(number)) onCommit(number);
          else if (text === "" && !event.currentTarget.validity.badInput) onCommit(null);
        }}
      />
    </label>
  );
}
