import { describe, expect, it } from "vitest";
import { roundEdges } from "../src/data/compare";
import { csvLine } from "../src/data/csv";

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
});
