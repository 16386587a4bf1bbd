/** Where the sun stands: the equations of NOAA's solar calculator (after Meeus), good to a few hundredths of a degree. */

const RADIANS = Math.PI / 180;
const DAY_MS = 86_400_000;
const J2000_MS = Date.UTC(2000, 0, 1, 12);
/** Elevation of the sun's middle when its upper edge touches the horizon, with refraction. */
const RISING = -0.833;

export interface SunPosition {
  /** Degrees clockwise from north. */
  azimuth: number;
  /** Degrees above the horizon, without refraction. */
  elevation: number;
}

const sin = (degrees: number): number => Math.sin(degrees * RADIANS);
const cos = (degrees: number): number => Math.cos(degrees * RADIANS);

/** Declination in degrees and equation of time in minutes. */
function ephemeris(timeMs: number): [number, number] {
  const t = (timeMs - J2000_MS) / DAY_MS / 36_525;
  const meanLongitude = 280.46646 + t * (36_000.76983 + t * 0.0003032);
  const anomaly = 357.52911 + t * (35_999.05029 - 0.0001537 * t);
  const e = 0.016708634 - t * (0.000042037 + 0.0000001267 * t);
  const centre =
    sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t)) + sin(2 * anomaly) * (0.019993 - 0.000101 * t) + sin(3 * anomaly) * 0.000289;
  const node = 125.04 - 1_934.136 * t;
  const apparent = meanLongitude + centre - 0.00569 - 0.00478 * sin(node);
  const obliquity = 23.4392911 - 0.0130042 * t + 0.00256 * cos(node);
  const declination = Math.asin(sin(obliquity) * sin(apparent)) / RADIANS;
  const y = Math.tan((obliquity / 2) * RADIANS) ** 2;
  const equation =
    y * sin(2 * meanLongitude) -
    2 * e * sin(anomaly) +
    4 * e * y * sin(anomaly) * cos(2 * meanLongitude) -
    0.5 * y * y * sin(4 * meanLongitude) -
    1.25 * e * e * sin(2 * anomaly);
  return [declination, (4 * equation) / RADIANS];
}

export function sunPosition(timeMs: number, lon: number, lat: number): SunPosition {
  const [declination, equation] = ephemeris(timeMs);
  const minutes = (((timeMs % DAY_MS) + DAY_MS) % DAY_MS) / 60_000;
  const hourAngle = (minutes + equation + 4 * lon) / 4 - 180;
  const elevation = Math.asin(sin(lat) * sin(declination) + cos(lat) * cos(declination) * cos(hourAngle)) / RADIANS;
  const azimuth = Math.atan2(sin(hourAngle), cos(hourAngle) * sin(lat) - Math.tan(declination * RADIANS) * cos(lat)) / RADIANS + 180;
  return { azimuth: ((azimuth % 360) + 360) % 360, elevation };
}

/** The UTC offset of a time zone at a moment, milliseconds. */
function offsetMs(timeMs: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(timeMs);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) - timeMs;
}

/** The moment when the clocks of a zone show a date (`2026-06-21`) and minutes after midnight. */
export function momentOf(date: string, minutes: number, zone: string): number {
  const wall = Date.parse(`${date}T00:00:00Z`) + minutes * 60_000;
  return wall - offsetMs(wall - offsetMs(wall, zone), zone);
}

/** Minutes after midnight of sunrise and sunset by the clocks of a zone; null where the sun does not rise or set. */
export function daylight(date: string, lon: number, lat: number, zone: string): { rise: number | null; set: number | null } {
  const start = momentOf(date, 0, zone);
  const up = (minute: number): boolean => sunPosition(start + minute * 60_000, lon, lat).elevation > RISING;
  const found: { rise: number | null; set: number | null } = { rise: null, set: null };
  for (let minute = 1; minute < 1_440; minute++) {
    const [before, now] = [up(minute - 1), up(minute)];
    if (!before && now) found.rise ??= minute;
    if (before && !now) found.set = minute;
  }
  return found;
}
