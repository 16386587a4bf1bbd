import { PerspectiveCamera, Matrix4, Vector3 } from "three";
import { describe, expect, it } from "vitest";
import { type LonLat, areaM2, crossesItself, leg, legs, perimeterM } from "../src/geo/measure";
import { daylight, momentOf, sunPosition } from "../src/geo/sun";
import { Projection } from "../src/scene/projection";

const ZONE = "Europe/Helsinki";
const HELSINKI: [number, number] = [24.94, 60.17];

describe("measure", () => {
  it("tells level, height and straight apart", () => {
    const from = { lon: 24.94, lat: 60.17, height: 10 };
    const up = leg(from, { ...from, height: 40 });
    expect([up.horizontal, up.rise, up.straight]).toEqual([0, 30, 30]);
    // Reference: pyproj.Geod on WGS 84, 1244.7557 m.
    const far = leg(from, { lon: 24.95, lat: 60.18, height: 10 });
    expect(far.horizontal).toBeCloseTo(1244.756, 2);
    expect(legs([from, from, from])).toHaveLength(2);
  });

  it("measures areas and their outlines", () => {
    // A hundred metres a side at this latitude.
    const [dLon, dLat] = [100 / 55_527.6, 100 / 111_415.4];
    const square: LonLat[] = [[24.94, 60.17], [24.94 + dLon, 60.17], [24.94 + dLon, 60.17 + dLat], [24.94, 60.17 + dLat]];
    expect(areaM2(square) / 10_000).toBeCloseTo(1, 2);
    expect(areaM2(square.toReversed())).toBeCloseTo(areaM2(square), 6);
    expect(perimeterM(square) / 400).toBeCloseTo(1, 2);
    expect(areaM2(square.slice(0, 2))).toBe(0);
  });

  it("knows a bow tie from an outline", () => {
    const bow: LonLat[] = [[0, 0], [1, 1], [1, 0], [0, 1]];
    expect(crossesItself(bow)).toBe(true);
    expect(crossesItself([[0, 0], [1, 0], [1, 1], [0, 1]])).toBe(false);
    expect(crossesItself([[0, 0], [2, 0], [2, 2], [1, 0.5]])).toBe(false);
  });
});

describe("sun", () => {
  it("stands in the south at noon, as high as the tilt of the earth tells", () => {
    const { rise, set } = daylight("2026-06-21", ...HELSINKI, ZONE);
    const noon = momentOf("2026-06-21", ((rise as number) + (set as number)) / 2, ZONE);
    expect(sunPosition(noon, ...HELSINKI).elevation).toBeCloseTo(90 - 60.17 + 23.44, 1);
    expect(sunPosition(noon, ...HELSINKI).azimuth).toBeCloseTo(180, 0);
    expect(sunPosition(momentOf("2026-03-20", 12 * 60 + 28, ZONE), ...HELSINKI).elevation).toBeCloseTo(29.8, 0);
  });

  it("agrees with the Python package astral, in summer and in winter time", () => {
    const near = (minutes: number | null, hour: number, minute: number): void =>
      expect(Math.abs((minutes as number) - hour * 60 - minute)).toBeLessThanOrEqual(2);
    const summer = daylight("2026-06-21", ...HELSINKI, ZONE);
    near(summer.rise, 3, 54);
    near(summer.set, 22, 49);
    const winter = daylight("2026-12-21", ...HELSINKI, ZONE);
    near(winter.rise, 9, 24);
    near(winter.set, 15, 12);
  });

  it("stands where astral puts it in an afternoon", () => {
    const { elevation, azimuth } = sunPosition(momentOf("2026-09-22", 15 * 60, ZONE), ...HELSINKI);
    expect(elevation).toBeCloseTo(26.561, 1);
    expect(azimuth).toBeCloseTo(210.218, 1);
  });

  it("is in the east in the morning and in the west in the evening", () => {
    expect(sunPosition(momentOf("2026-09-22", 7 * 60, ZONE), ...HELSINKI).azimuth).toBeLessThan(100);
    expect(sunPosition(momentOf("2026-09-22", 19 * 60, ZONE), ...HELSINKI).azimuth).toBeGreaterThan(260);
  });

  it("has a day without night in the north", () => {
    expect(daylight("2026-06-21", 27, 70, ZONE)).toEqual({ rise: null, set: null });
  });

  it("reads clocks of both sides of the change of time", () => {
    expect(new Date(momentOf("2026-01-10", 720, ZONE)).toISOString()).toBe("2026-01-10T10:00:00.000Z");
    expect(new Date(momentOf("2026-07-10", 720, ZONE)).toISOString()).toBe("2026-07-10T09:00:00.000Z");
  });
});

describe("Projection", () => {
  const camera = new PerspectiveCamera(90, 1, 1, 100);
  camera.updateMatrixWorld();
  const projection = new Projection(camera, new Matrix4(), 200, 200);

  it("puts what is ahead in the middle and nothing from behind", () => {
    expect(projection.point(new Vector3(0, 0, -10))).toEqual({ x: 100, y: 100 });
    expect(projection.point(new Vector3(0, 0, 10))).toBeNull();
    expect(projection.point(new Vector3(10, 0, -10))?.x).toBeCloseTo(200);
  });

  it("cuts lines and rings that reach behind the camera", () => {
    const line = projection.line(new Vector3(0, -1, -10), new Vector3(0, -1, 10));
    expect(line?.[0].y).toBeCloseTo(110);
    expect(line?.[1].y).toBeCloseTo(200);
    expect(projection.line(new Vector3(0, 0, 5), new Vector3(0, 0, 10))).toBeNull();
    const ring = [[-1, -1, -10], [1, -1, -10], [1, -1, 10], [-1, -1, 10]].map((corner) => new Vector3(...corner));
    expect(projection.ring(ring)).toHaveLength(4);
    expect(projection.ring(ring.map((corner) => corner.setZ(5)))).toEqual([]);
  });
});
