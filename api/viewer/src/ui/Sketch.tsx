/** What is drawn over a view: measured lines with their lengths, areas, and the cross for drawing by keys. */
import type { ComponentChildren } from "preact";
import type { Vector3 } from "three";
import { type Geodetic, toEcef } from "../geo/geodesy";
import { type LonLat, leg } from "../geo/measure";
import { formatMetres } from "../i18n";
import { USUAL_GROUND_M } from "../poses";
import type { Projection, Screen } from "../scene/projection";
import { controls, frame } from "../state";
import { type Pane, theWorld } from "../view";
import { draft, drawing, line, tool } from "../workbench";
import { sideColour } from "./sides";

/** Rises below this are not drawn as a step. */
const STEP_M = 0.5;

export function Sketch({ pane }: { pane: Pane }) {
  const world = theWorld(pane);
  // Points are projected with the camera of the last frame drawn.
  if (!world || frame.value === 0) return null;
  const projection = world.projection();
  const onGround = ([lon, lat]: LonLat): Vector3 => toEcef(lon, lat, (world.ground.level(lon, lat) ?? USUAL_GROUND_M) + 0.3);
  return (
    <svg class="sketch" aria-hidden="true">
      {controls.value.areas.map((ring, i) => (
        <Area key={ring.join()} corners={projection.ring(ring.map(onGround))} number={i + 1} />
      ))}
      {tool.value === "area" && <Draft corners={draft.value.map(onGround)} projection={projection} />}
      {tool.value === "measure" && <Measured points={line.value} projection={projection} />}
      {drawing.value && <Cross at={world.centre} />}
    </svg>
  );
}

const path = (points: Screen[]): string => points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

function Area({ corners, number }: { corners: Screen[]; number: number }) {
  if (corners.length < 3) return null;
  const top = corners.reduce((best, corner) => (corner.y < best.y ? corner : best));
  return (
    <g style={{ "--side": sideColour(number - 1) }}>
      <polygon class="area" points={path(corners)} />
      <Label at={top} dy={-12}>
        {number}
      </Label>
    </g>
  );
}

function Draft({ corners, projection }: { corners: Vector3[]; projection: Projection }) {
  const seen = projection.ring(corners);
  return (
    <g>
      {seen.length > 2 && <polygon class="area draft" points={path(seen)} />}
      {seen.length === 2 && <polyline class="measured" points={path(seen)} />}
      {corners.map((corner, i) => (
        <Dot key={i} at={projection.point(corner)} />
      ))}
    </g>
  );
}

function Measured({ points, projection }: { points: Geodetic[]; projection: Projection }) {
  const ecef = ({ lon, lat, height }: Geodetic): Vector3 => toEcef(lon, lat, height);
  return (
    <g>
      {points.slice(1).map((to, i) => (
        <Leg key={i} from={points[i]} to={to} projection={projection} />
      ))}
      {points.map((point, i) => (
        <Dot key={i} at={projection.point(ecef(point))} />
      ))}
    </g>
  );
}

function Leg({ from, to, projection }: { from: Geodetic; to: Geodetic; projection: Projection }) {
  const corner = to.height > from.height ? { ...to, height: from.height } : { ...from, height: to.height };
  const { straight, horizontal, rise } = leg(from, to);
  const ecef = ({ lon, lat, height }: Geodetic): Vector3 => toEcef(lon, lat, height);
  const [a, b] = to.height > from.height ? [from, to] : [to, from];
  const step = Math.abs(rise) > STEP_M && horizontal > STEP_M;
  const level = step ? projection.line(ecef(a), ecef(corner)) : null;
  const upright = step ? projection.line(ecef(corner), ecef(b)) : null;
  return (
    <g>
      <Line ends={level} text={formatMetres(horizontal)} kind="step" />
      <Line ends={upright} text={formatMetres(Math.abs(rise))} kind="step" />
      <Line ends={projection.line(ecef(from), ecef(to))} text={formatMetres(straight)} kind="measured" />
    </g>
  );
}

function Line({ ends, text, kind }: { ends: [Screen, Screen] | null; text: string; kind: string }) {
  if (!ends) return null;
  const [a, b] = ends;
  const long = Math.hypot(a.x - b.x, a.y - b.y) > 46;
  return (
    <g>
      <polyline class={kind} points={path(ends)} />
      {long && <Label at={{ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }}>{text}</Label>}
    </g>
  );
}

function Dot({ at }: { at: Screen | null }) {
  return at && <circle class="dot" cx={at.x} cy={at.y} r={4.5} />;
}

function Cross({ at: { x, y } }: { at: Screen }) {
  return <path class="cross" d={`M${x - 9} ${y}h18M${x} ${y - 9}v18`} />;
}

function Label({ at, dy = 0, children }: { at: Screen; dy?: number; children: ComponentChildren }) {
  return (
    <text class="sketch-label" x={at.x} y={at.y + dy} dy="0.35em" text-anchor="middle">
      {children}
    </text>
  );
}
