/** Lengths and areas of what a person draws, on the ellipsoid's local scale. */
import { type Geodetic, distanceM, metresPerDegree } from "./geodesy";

export type LonLat = [number, number];

export interface Leg {
  /** Metres along the ground. */
  horizontal: number;
  /** Metres up. */
  rise: number;
  /** Metres straight from one to the other. */
  straight: number;
}

export function leg(from: Geodetic, to: Geodetic): Leg {
  const horizontal = distanceM(from.lon, from.lat, to.lon, to.lat);
  const rise = to.height - from.height;
  return { horizontal, rise, straight: Math.hypot(horizontal, rise) };
}

export function legs(points: Geodetic[]): Leg[] {
  return points.slice(1).map((point, i) => leg(points[i], point));
}

/** Square metres inside a ring that is not closed by a repeated point. */
export function areaM2(ring: LonLat[]): number {
  if (ring.length < 3) return 0;
  const [perLon, perLat] = metresPerDegree(ring.reduce((sum, [, lat]) => sum + lat, 0) / ring.length);
  const [lon0, lat0] = ring[0];
  const at = (i: number): LonLat => [(ring[i % ring.length][0] - lon0) * perLon, (ring[i % ring.length][1] - lat0) * perLat];
  let twice = 0;
  for (let i = 0; i < ring.length; i++) twice += at(i)[0] * at(i + 1)[1] - at(i + 1)[0] * at(i)[1];
  return Math.abs(twice) / 2;
}

export function perimeterM(ring: LonLat[]): number {
  return ring.reduce((sum, [lon, lat], i) => sum + distanceM(lon, lat, ...ring[(i + 1) % ring.length]), 0);
}

type Pair = [LonLat, LonLat];

function side([a, b]: Pair, [x, y]: LonLat): number {
  return Math.sign((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]));
}

function cross(one: Pair, other: Pair): boolean {
  return side(one, other[0]) * side(one, other[1]) < 0 && side(other, one[0]) * side(other, one[1]) < 0;
}

/** Whether the ring's edges cross each other, so that it encloses no single area. */
export function crossesItself(ring: LonLat[]): boolean {
  const edges = ring.map((point, i): Pair => [point, ring[(i + 1) % ring.length]]);
  return edges.some((edge, i) => edges.slice(i + 2).some((later) => cross(edge, later)));
}
