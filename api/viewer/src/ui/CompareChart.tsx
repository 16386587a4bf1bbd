/** Charts of a comparison: shares, so that a large city and a small one can be laid side by side. */
import type { Compared, Comparison, Part } from "../data/compare";
import type { Attribute } from "../data/catalogue";
import { formatCount, formatNumber, formatShare, sideName, t, unitText, valueLabel } from "../i18n";
import { sideColour } from "./sides";

const [WIDTH, HEIGHT] = [348, 84];
const LEFT = 36;
const PLOT = WIDTH - LEFT - 6;

const shareOf = (part: Part, side: Compared): number => (side.summary.known ? part.count / side.summary.known : 0);

export function partLabel(attribute: Attribute, { from, to, term }: Part): string {
  if (term !== null) return valueLabel(attribute, term);
  const text = (value: number): string => formatNumber(attribute, value);
  if (to === null) return t("andOver", { value: text(from as number) });
  const last = attribute.integer ? to - 1 : to;
  return last > (from as number) ? `${text(from as number)} – ${text(last)}` : text(from as number);
}

/** A round share at or above the highest bar. */
function ceiling(found: Comparison): number {
  const most = Math.max(0.01, ...found.sides.flatMap((side) => side.parts.map((part) => shareOf(part, side))));
  return [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1].find((share) => share >= most) ?? 1;
}

/** One histogram under the other, over the same classes and with the same scale. */
export function NumberCharts({ found }: { found: Comparison }) {
  const top = ceiling(found);
  return (
    <div class="multiples">
      {found.sides.map((side, i) => (
        <figure key={side.key}>
          <figcaption>
            <i class="swatch" style={{ background: sideColour(i) }} />
            <b>{sideName(side.key)}</b>
            <span class="muted">{t("countOfBuildings", { count: formatCount(side.summary.known) })}</span>
          </figcaption>
          <Histogram found={found} side={side} colour={sideColour(i)} top={top} />
        </figure>
      ))}
    </div>
  );
}

/** Where a value stands on the axis of classes; the open class is as wide as the others. */
function positionOf(value: number, parts: Part[]): number {
  const index = parts.findLastIndex(({ from }) => value >= (from as number));
  if (index < 0) return 0;
  const { from, to } = parts[index];
  const within = to === null ? 0.5 : (value - (from as number)) / (to - (from as number));
  return ((index + Math.min(1, within)) / parts.length) * PLOT;
}

interface HistogramProps {
  found: Comparison;
  side: Compared;
  colour: string;
  top: number;
}

function Histogram({ found: { attribute }, side, colour, top }: HistogramProps) {
  const { parts, summary } = side;
  const band = PLOT / parts.length;
  const median = summary.median;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 18}`} class="chart" role="img" aria-label={chartText(attribute, side)}>
      {[0.5, 1].map((share) => (
        <g key={share} class="tick">
          <line x1={LEFT} x2={WIDTH - 6} y1={HEIGHT - share * (HEIGHT - 8)} y2={HEIGHT - share * (HEIGHT - 8)} />
          <text x={LEFT - 5} y={HEIGHT - share * (HEIGHT - 8) + 3.5} text-anchor="end">
            {formatShare(top * share)}
          </text>
        </g>
      ))}
      {parts.map((part, i) => {
        const height = part.count ? Math.max(1, (shareOf(part, side) / top) * (HEIGHT - 8)) : 0;
        return (
          <rect key={part.from} x={LEFT + i * band + 0.5} y={HEIGHT - height} width={Math.max(1, band - 1)} height={height} fill={colour} class="bar">
            <title>{`${partLabel(attribute, part)} ${unitText(attribute)}: ${formatShare(shareOf(part, side))} (${formatCount(part.count)})`}</title>
          </rect>
        );
      })}
      <line class="base" x1={LEFT} x2={WIDTH - 6} y1={HEIGHT} y2={HEIGHT} />
      <Ticks attribute={attribute} parts={parts} />
      {median !== null && <Median attribute={attribute} at={LEFT + positionOf(median, parts)} value={median} />}
    </svg>
  );
}

function Ticks({ attribute, parts }: { attribute: Attribute; parts: Part[] }) {
  const band = PLOT / parts.length;
  const every = Math.max(1, Math.ceil(parts.length / 6));
  return (
    <g class="tick">
      {parts.map((part, i) =>
        i % every === 0 && LEFT + i * band < WIDTH - 22 ? (
          <text key={part.from} x={LEFT + i * band} y={HEIGHT + 13} text-anchor="middle">
            {formatNumber(attribute, part.from as number)}
          </text>
        ) : null,
      )}
    </g>
  );
}

function Median({ attribute, at, value }: { attribute: Attribute; at: number; value: number }) {
  const right = at < WIDTH - 110;
  return (
    <g class="median">
      <line x1={at} x2={at} y1={2} y2={HEIGHT} />
      <text x={right ? at + 5 : at - 5} y={11} text-anchor={right ? "start" : "end"}>
        {`${t("median")} ${formatNumber(attribute, value)} ${unitText(attribute)}`}
      </text>
    </g>
  );
}

function chartText(attribute: Attribute, side: Compared): string {
  const classes = side.parts.filter(({ count }) => count);
  return classes.map((part) => `${partLabel(attribute, part)}: ${formatShare(shareOf(part, side))}`).join("; ");
}

const MOST_TERMS = 10;

/** A row for each term with a bar for each side. */
export function TermChart({ found }: { found: Comparison }) {
  const { attribute, sides } = found;
  const top = ceiling(found);
  const terms = sides[0].parts.slice(0, MOST_TERMS);
  return (
    <div class="terms">
      <p class="keys">
        {sides.map((side, i) => (
          <span key={side.key}>
            <i class="swatch" style={{ background: sideColour(i) }} /> {sideName(side.key)}
          </span>
        ))}
      </p>
      {terms.map((term, row) => (
        <div key={term.term} class="term">
          <span class="term-name">{partLabel(attribute, term)}</span>
          <span class="term-bars" aria-hidden="true">
            {sides.map((side, i) => (
              <span key={side.key}>
                <i style={{ width: `${(100 * shareOf(side.parts[row], side)) / top}%`, background: sideColour(i) }} />
                <em>{formatShare(shareOf(side.parts[row], side))}</em>
              </span>
            ))}
          </span>
        </div>
      ))}
    </div>
  );
}
