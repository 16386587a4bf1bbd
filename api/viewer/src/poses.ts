/** Where to look from: at a city, at all cities, at a building. */
import { distanceM } from "./geo/geodesy";
import type { Building } from "./data/api";
import type { Pose } from "./scene/pose";
import type { Place } from "./state";

/** Where the ground is until the first buildings tell: about the geoid's height in both cities. */
export const USUAL_GROUND_M = 18;

type Box = Pick<Place, "west" | "south" | "east" | "north">;
/** The level of the ground at a place, where it is known. */
export type Level = (lon: number, lat: number) => number | null;

const unknown: Level = () => null;

/** A slanted view of a city that shows its middle. */
export function placePose({ west, south, east, north }: Box, level: Level = unknown): Pose {
  const diagonal = distanceM(west, south, east, north);
  const [lon, lat] = [(west + east) / 2, (south + north) / 2];
  const ground = level(lon, lat) ?? USUAL_GROUND_M;
  return { lon, lat, ground, range: Math.min(3_200, Math.max(320, diagonal * 0.5)), heading: 332, pitch: -21 };
}

function around(boxes: Box[]): Box {
  return {
    west: Math.min(...boxes.map((box) => box.west)),
    south: Math.min(...boxes.map((box) => box.south)),
    east: Math.max(...boxes.map((box) => box.east)),
    north: Math.max(...boxes.map((box) => box.north)),
  };
}

export function overviewPose(places: Box[]): Pose {
  const { west, south, east, north } = around(places);
  return {
    lon: (west + east) / 2,
    lat: (south + north) / 2,
    ground: USUAL_GROUND_M,
    range: Math.max(2_000, distanceM(west, south, east, north) * 1.7),
    heading: 0,
    pitch: -56,
  };
}

/** Near a building, or null where it stands nowhere. */
export function buildingPose(building: Building, heading: number, level: Level): Pose | null {
  const corners = outline(building.geometry?.coordinates);
  if (!corners.length) return null;
  const { west, south, east, north } = around(corners.map(([lon, lat]) => ({ west: lon, south: lat, east: lon, north: lat })));
  const [lon, lat] = [(west + east) / 2, (south + north) / 2];
  const size = distanceM(west, south, east, north);
  const height = Number(building.properties.height_m) || 10;
  const ground = level(lon, lat) ?? USUAL_GROUND_M;
  return { lon, lat, ground, range: Math.max(90, (size + height) * 3.2), heading, pitch: -32 };
}

/** All corners of a GeoJSON geometry's coordinates. */
function outline(coordinates: unknown): [number, number][] {
  if (!Array.isArray(coordinates)) return [];
  if (typeof coordinates[0] === "number") return [coordinates as [number, number]];
  return coordinates.flatMap(outline);
}
