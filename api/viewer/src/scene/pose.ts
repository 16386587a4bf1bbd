/** Where the camera looks: a point on the ground, a direction and a distance. */
import { Matrix4, Vector3 } from "three";
import { localAxes, toEcef } from "../geo/geodesy";

export interface Pose {
  /** The point looked at, degrees. */
  lon: number;
  lat: number;
  /** Its ellipsoidal height, metres. */
  ground: number;
  /** Metres from the eye to the point. */
  range: number;
  /** Degrees clockwise from north. */
  heading: number;
  /** Degrees, 0 level, -90 straight down. */
  pitch: number;
}

export const MIN_RANGE_M = 25;
export const MAX_RANGE_M = 900_000;
const STEEPEST = -89.9;
const RADIANS = Math.PI / 180;

/** The shallowest pitch at a range: from far away one looks down, from near along the street. */
export function shallowestPitch(range: number): number {
  const t = Math.min(1, Math.max(0, Math.log(range / 8_000) / Math.log(20)));
  return -6 - 24 * t;
}

export function clampPose(pose: Pose): Pose {
  const range = Math.min(MAX_RANGE_M, Math.max(MIN_RANGE_M, pose.range));
  const pitch = Math.min(shallowestPitch(range), Math.max(STEEPEST, pose.pitch));
  const heading = ((pose.heading % 360) + 360) % 360;
  return { ...pose, range, pitch, heading, lat: Math.min(85, Math.max(-85, pose.lat)) };
}

/** The camera's matrix in EPSG:4978. */
export function cameraMatrix(pose: Pose): Matrix4 {
  const { east, north, up } = localAxes(pose.lon, pose.lat);
  const h = pose.heading * RADIANS;
  const p = pose.pitch * RADIANS;
  const ahead = east.clone().multiplyScalar(Math.sin(h)).addScaledVector(north, Math.cos(h));
  const right = east.clone().multiplyScalar(Math.cos(h)).addScaledVector(north, -Math.sin(h));
  const back = ahead.multiplyScalar(-Math.cos(p)).addScaledVector(up, -Math.sin(p));
  const top = new Vector3().crossVectors(back, right);
  const eye = toEcef(pose.lon, pose.lat, pose.ground).addScaledVector(back, pose.range);
  return new Matrix4().makeBasis(right, top, back).setPosition(eye);
}

/** The shorter way round from one heading to another, degrees. */
export function turn(from: number, to: number): number {
  return ((((to - from) % 360) + 540) % 360) - 180;
}
