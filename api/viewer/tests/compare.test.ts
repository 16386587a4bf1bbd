import { describe, expect, it } from "vitest";
import { roundEdges } from "../src/data/compare";
import { buildingLine, csvLine } from "../src/data/csv";

describe("roundEdges", () => {
  it("cuts at round numbers around the values", () => {
    const edges = roundEdges(2.42, 34.9, false);
    expect(edges[0]).toBe(2);
    expect(edges.at(-1)).toBeGreaterThanOrEqual(34.9);
    expect(new Set(edges.slice(1).map((edge, i) => edge - edges[i]))).toEqual(new Set([2]));
  });

  it("keeps whole numbers whole", () => {
    expect(roundEdges(1890, 2024, true).every(Number.isInteger)).toBe(true);
    expect(roundEdges(1, 4, true)).toEqual([1, 2, 3, 4]);
  });

  it("gives tidy fractions and one edge for one value", () => {
    expect(roundEdges(0, 0.9, false)).toContain(0.15);
    expect(roundEdges(7, 7, false)).toEqual([7]);
  });
});

describe("csv", () => {
  it("quotes what needs it", () => {
    expect(csvLine(['a "b"', "c,d", 1.5, null, true, "e\nf"])).toBe('"a ""b""","c,d",1.5,,true,"e\nf"\r\n');
  });

  it("writes a building with the middle of its footprint", () => {
    const geometry = { type: "Polygon", coordinates: [[[24, 60], [24.002, 60], [24.002, 60.001], [24, 60]]] };
    const properties = { height_m: 3, codes: [1, 2], name: null };
    expect(buildingLine({ id: "x.1", geometry, properties }, ["height_m", "codes", "name"])).toBe('x.1,24.001,60.0005,3,"[1,2]",\r\n');
    expect(buildingLine({ id: "x.2", geometry: null, properties }, [])).toBe("x.2,,\r\n");
  });
});
