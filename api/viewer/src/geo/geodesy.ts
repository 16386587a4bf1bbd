/** WGS 84 on doubles: degrees and metres in, EPSG:4978 metres out, and back. */
import { Matrix4, Vector3 } from "three";

export const SEMI_MAJOR_M = 6378137;
const FLATTENING = 1 / 298.257223563;
const SEMI_MINOR_M = SEMI_MAJOR_M * (1 - FLATTENING);
const E2 = FLATTENING * (2 - FLATTENING);
const EP2 = E2 / (1 - E2);
const RADIANS = Math.PI / 180;

export interface Geodetic {
  lon: number;
  lat: number;
  /** Ellipsoidal height in metres. */
  height: number;
}

export function toEcef(lon: number, lat: number, height: number, out = new Vector3()): Vector3 {
  const l = lon * RADIANS;
  const p = lat * RADIANS;
  const n = SEMI_MAJOR_M / Math.sqrt(1 - E2 * Math.sin(p) ** 2);
  const r = (n + height) * Math.cos(p);
  return out.set(r * Math.cos(l), r * Math.sin(l), (n * (1 - E2) + height) * Math.sin(p));
}

/** Bowring's formula: under a millimetre near the ground. */
export function toGeodetic(point: Vector3): Geodetic {
  const r = Math.hypot(point.x, point.y);
  const t = Math.atan2(point.z * SEMI_MAJOR_M, r * SEMI_MINOR_M);
  const lat = Math.atan2(
    point.z + EP2 * SEMI_MINOR_M * Math.sin(t) ** 3,
    r - E2 * SEMI_MAJOR_M * Math.cos(t) ** 3,
  );
  const n = SEMI_MAJOR_M / Math.sqrt(1 - E2 * Math.sin(lat) ** 2);
  const height = r * Math.cos(lat) + point.z * Math.sin(lat) - (SEMI_MAJOR_M * SEMI_MAJOR_M) / n;
  return { lon: Math.atan2(point.y, point.x) / RADIANS, lat: lat / RADIANS, height };
}

export interface Axes {
  east: Vector3;
  north: Vector3;
  up: Vector3;
}

export function localAxes(lon: number, lat: number): Axes {
  const l = lon * RADIANS;
  const p = lat * RADIANS;
  return {
    east: new Vector3(-Math.sin(l), Math.cos(l), 0),
    north: new Vector3(-Math.sin(p) * Math.cos(l), -Math.sin(p) * Math.sin(l), Math.cos(p)),
    up: new Vector3(Math.cos(p) * Math.cos(l), Math.cos(p) * Math.sin(l), Math.sin(p)),
  };
}

/** From a local frame (x east, y up, z south: three.js's habit) to EPSG:4978. */
export function localFrame(lon: number, lat: number, height: number): Matrix4 {
  const { east, north, up } = localAxes(lon, lat);
  return new Matrix4()
    .makeBasis(east, up, north.negate())
    .setPosition(toEcef(lon, lat, height));
}

/** Where a ray first meets the surface `height` metres above the ellipsoid, or null. */
export function meetSurface(origin: Vector3, direction: Vector3, height: number): Vector3 | null {
  const a = SEMI_MAJOR_M + height;
  const b = SEMI_MINOR_M + height;
  const o = new Vector3(origin.x / a, origin.y / a, origin.z / b);
  const d = new Vector3(direction.x / a, direction.y / a, direction.z / b);
  const dd = d.dot(d);
  const od = o.dot(d);
  const discriminant = od * od - dd * (o.dot(o) - 1);
  if (discriminant < 0) return null;
  const t = (-od - Math.sqrt(discriminant)) / dd;
  return t > 0 ? direction.clone().multiplyScalar(t).add(origin) : null;
}

/** Metres per degree of longitude and latitude at a latitude. */
export function metresPerDegree(lat: number): [number, number] {
  const p = lat * RADIANS;
  const w = Math.sqrt(1 - E2 * Math.sin(p) ** 2);
  const n = SEMI_MAJOR_M / w;
  return [n * Math.cos(p) * RADIANS, ((n * (1 - E2)) / (w * w)) * RADIANS];
}

/** Distance in metres between two near points, good to a few parts in 10,000 over 100 km. */
export function distanceM(lon0: number, lat0: number, lon1: number, lat1: number): number {
  const [east, north] = metresPerDegree((lat0 + lat1) / 2);
  return Math.hypot((lon1 - lon0) * east, (lat1 - lat0) * north);
}
