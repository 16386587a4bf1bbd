import { Vector3 } from "three";
import { describe, expect, it } from "vitest";
import { distanceM, localFrame, meetSurface, toEcef, toGeodetic } from "../src/geo/geodesy";
import { fly } from "../src/scene/flight";
import { HeightField } from "../src/scene/heightfield";
import { alongside } from "../src/scene/linking";
import { type Pose, cameraMatrix, clampPose, turn } from "../src/scene/pose";

const HELSINKI: Pose = { lon: 24.94, lat: 60.17, ground: 20, range: 1000, heading: 30, pitch: -30 };
const TALLINN: Pose = { lon: 24.745, lat: 59.437, ground: 18, range: 1500, heading: 350, pitch: -40 };

describe("geodesy", () => {
  it("agrees with the definition of EPSG:4978", () => {
    // Reference: pyproj, EPSG:4979 to EPSG:4978.
    const point = toEcef(24.94, 60.17, 20);
    expect(point.x).toBeCloseTo(2884097.17743, 4);
    expect(point.y).toBeCloseTo(1341201.44941, 4);
    expect(point.z).toBeCloseTo(5509940.30309, 4);
    expect(toGeodetic(point).lon).toBeCloseTo(24.94, 10);
    expect(toGeodetic(point).lat).toBeCloseTo(60.17, 10);
    expect(toGeodetic(point).height).toBeCloseTo(20, 4);
  });

  it("has a local frame of x east, y up, z south", () => {
    const frame = localFrame(24.94, 60.17, 0);
    const north = toGeodetic(new Vector3(0, 0, -100).applyMatrix4(frame));
    expect(north.lat).toBeGreaterThan(60.17);
    expect(north.lon).toBeCloseTo(24.94, 6);
    expect(toGeodetic(new Vector3(0, 50, 0).applyMatrix4(frame)).height).toBeCloseTo(50, 4);
  });

  it("meets the surface below the camera's centre", () => {
    const matrix = cameraMatrix(HELSINKI);
    const eye = new Vector3().setFromMatrixPosition(matrix);
    const ahead = new Vector3(0, 0, -1).transformDirection(matrix);
    const met = toGeodetic(meetSurface(eye, ahead, HELSINKI.ground) as Vector3);
    expect(met.lon).toBeCloseTo(HELSINKI.lon, 5);
    expect(met.lat).toBeCloseTo(HELSINKI.lat, 5);
    expect(meetSurface(eye, ahead.negate(), HELSINKI.ground)).toBeNull();
  });

  it("measures distances", () => {
    expect(distanceM(24.94, 60.17, 24.745, 59.437)).toBeGreaterThan(81_000);
    expect(distanceM(24.94, 60.17, 24.745, 59.437)).toBeLessThan(83_000);
  });
});

describe("fly", () => {
  it("starts and ends where it should, and rises in between", () => {
    const flight = fly(HELSINKI, TALLINN);
    expect(flight.at(0).lat).toBeCloseTo(HELSINKI.lat, 6);
    expect(flight.at(0).range).toBeCloseTo(HELSINKI.range, 3);
    expect(flight.at(1)).toEqual(TALLINN);
    expect(flight.at(0.9999).lat).toBeCloseTo(TALLINN.lat, 3);
    expect(flight.at(0.5).range).toBeGreaterThan(20_000);
    expect(flight.at(0.5).lat).toBeLessThan(60.1);
  });

  it("zooms on the spot", () => {
    const flight = fly(HELSINKI, { ...HELSINKI, range: 100 });
    expect(flight.at(0.5).range).toBeGreaterThan(100);
    expect(flight.at(0.5).range).toBeLessThan(1000);
    expect(flight.at(0.5).lat).toBeCloseTo(HELSINKI.lat, 6);
  });
});

describe("alongside", () => {
  it("moves the other camera by the same metres", () => {
    const before = HELSINKI;
    const after = { ...HELSINKI, lon: 24.95, lat: 60.175, range: 700, heading: 90, pitch: -50 };
    const other = alongside(before, after, TALLINN);
    const [there, here] = [distanceM(TALLINN.lon, TALLINN.lat, other.lon, other.lat), distanceM(24.94, 60.17, 24.95, 60.175)];
    expect(there).toBeCloseTo(here, 0);
    expect([other.range, other.heading, other.pitch, other.ground]).toEqual([700, 90, -50, TALLINN.ground]);
  });
});

describe("pose", () => {
  it("turns the shorter way", () => {
    expect(turn(350, 10)).toBe(20);
    expect(turn(10, 350)).toBe(-20);
  });

  it("keeps within what can be shown", () => {
    const pose = clampPose({ ...HELSINKI, heading: -30, pitch: 20, range: 1 });
    expect(pose.heading).toBe(330);
    expect(pose.pitch).toBeLessThan(0);
    expect(pose.range).toBeGreaterThan(1);
  });
});

describe("HeightField", () => {
  it("runs smoothly between the feet of buildings", () => {
    const field = new HeightField({ west: 0, south: 0, east: 1, north: 1 }, 16, 18);
    expect(field.sample(0.5, 0.5)).toBe(18);
    field.add(0.1, 0.1, 10);
    field.add(0.9, 0.9, 30);
    field.settle();
    expect(field.sample(0.1, 0.1)).toBeLessThan(15);
    expect(field.sample(0.9, 0.9)).toBeGreaterThan(25);
    expect(field.sample(0.5, 0.5)).toBeGreaterThan(15);
    expect(field.sample(0.5, 0.5)).toBeLessThan(25);
  });
});
