/** Two cameras that move as one: what one does over its city, the other does over its own. */
import { metresPerDegree } from "../geo/geodesy";
import type { Pose } from "./pose";

/** The pose of the other camera after one went from `before` to `after`: as many metres, same range and direction. */
export function alongside(before: Pose, after: Pose, other: Pose): Pose {
  const [perLon, perLat] = metresPerDegree(after.lat);
  const [otherPerLon, otherPerLat] = metresPerDegree(other.lat);
  return {
    ...other,
    lon: other.lon + ((after.lon - before.lon) * perLon) / otherPerLon,
    lat: other.lat + ((after.lat - before.lat) * perLat) / otherPerLat,
    range: after.range,
    heading: after.heading,
    pitch: after.pitch,
  };
}
