/** Flights: the smooth zoom and pan of van Wijk and Nuij (2003). */
import { distanceM } from "../geo/geodesy";
import { type Pose, turn } from "./pose";

const RHO = 1.25;

export interface Flight {
  durationMs: number;
  /** The pose at a fraction 0..1 of the time. */
  at(fraction: number): Pose;
}

interface Path {
  length: number;
  /** Fraction of the way and the range after `s` of the path's length. */
  at(s: number): [number, number];
}

function zoomPath(distance: number, from: number, to: number): Path {
  if (distance < Math.min(from, to) * 0.01) {
    const length = Math.abs(Math.log(to / from)) / RHO;
    return { length, at: (s) => [length ? s / length : 1, from * Math.exp((Math.sign(to - from) || 0) * RHO * s)] };
  }
  const rho2 = RHO * RHO;
  const grown = to * to - from * from;
  const stretch = rho2 * rho2 * distance * distance;
  const r = (value: number): number => Math.log(Math.sqrt(value * value + 1) - value);
  const r0 = r((grown + stretch) / (2 * from * rho2 * distance));
  const r1 = r((grown - stretch) / (2 * to * rho2 * distance));
  const length = (r1 - r0) / RHO;
  const way = (s: number): number =>
    (from / rho2) * (Math.cosh(r0) * Math.tanh(RHO * s + r0) - Math.sinh(r0));
  return {
    length,
    at: (s) => [way(s) / distance, (from * Math.cosh(r0)) / Math.cosh(RHO * s + r0)],
  };
}

const ease = (t: number): number => (t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2);

/** From high up one looks down at the way, not at the horizon. */
function lookDown(range: number): number {
  const t = Math.min(1, Math.max(0, Math.log(range / 5_000) / Math.log(12)));
  return -55 * t * t * (3 - 2 * t);
}

export function fly(from: Pose, to: Pose): Flight {
  const path = zoomPath(distanceM(from.lon, from.lat, to.lon, to.lat), from.range, to.range);
  const turning = turn(from.heading, to.heading);
  const mix = (a: number, b: number, t: number): number => a + (b - a) * t;
  return {
    durationMs: Math.min(4200, Math.max(700, path.length * 700)),
    at(fraction) {
      if (fraction >= 1) return to;
      const t = ease(fraction);
      const [way, range] = path.at(t * path.length);
      return {
        lon: mix(from.lon, to.lon, way),
        lat: mix(from.lat, to.lat, way),
        ground: mix(from.ground, to.ground, way),
        range,
        heading: from.heading + turning * t,
        pitch: Math.min(mix(from.pitch, to.pitch, t), lookDown(range)),
      };
    },
  };
}
