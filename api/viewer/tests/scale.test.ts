import { describe, expect, it } from "vitest";
import { colouring, makeScale, niceLimits } from "../src/colour/scale";
import type { Bin } from "../src/data/api";
import type { Attribute } from "../src/data/catalogue";

function bins(low: number, high: number, counts: number[]): Bin[] {
  const width = (high - low) / counts.length;
  return counts.map((count, i) => ({ from: low + i * width, to: low + (i + 1) * width, count }));
}

function attribute(kind: Attribute["kind"], integer = false): Attribute {
  return { name: "x", kind, integer, group: "use", origin: "source", unit: null, codes: [], meanings: {}, labels: { en: "X" } };
}

describe("niceLimits", () => {
  it("cuts an even spread at round numbers", () => {
    expect(niceLimits(bins(0, 70, Array<number>(70).fill(1)), false)).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it("stays ascending, distinct and inside for skewed values", () => {
    const limits = niceLimits(bins(0, 10_000, [...Array<number>(10).fill(500), ...Array<number>(90).fill(3)]), false);
    expect(limits.length).toBeGreaterThanOrEqual(3);
    expect(limits).toEqual([...new Set(limits)].sort((a, b) => a - b));
    expect(Math.min(...limits)).toBeGreaterThan(0);
    expect(Math.max(...limits)).toBeLessThan(10_000);
  });

  it("gives whole limits for whole numbers", () => {
    expect(niceLimits(bins(1, 9, Array<number>(16).fill(4)), true).every(Number.isInteger)).toBe(true);
  });

  it("has none where all values are equal", () => {
    expect(niceLimits([{ from: 5, to: 5, count: 9 }], false)).toEqual([]);
  });
});

describe("makeScale", () => {
  it("gives each number the colour of its class and grey to none", () => {
    const scale = makeScale(attribute("number"), { property: "x", count: 70, missing: 5, bins: bins(0, 70, Array<number>(70).fill(1)) });
    const colourOf = colouring(scale, "#808080");
    expect(scale.classes.map((one) => one.count)).toEqual(Array<number>(7).fill(10));
    expect(colourOf(9.9)).toBe(colourOf(-1));
    expect(colourOf(10)).not.toBe(colourOf(9.9));
    expect(colourOf(null)).toBe(0x808080);
  });

  it("names the most frequent values and gathers the rest", () => {
    const values = "abcdefghij".split("").map((value, i) => ({ value, count: 10 - i }));
    const scale = makeScale(attribute("choice"), { property: "x", count: 58, missing: 0, other: 3, values });
    expect(scale.categories.map((one) => one.value)).toEqual(["a", "b", "c", "d", "e", "f", null]);
    expect(scale.categories.at(-1)?.count).toBe(4 + 3 + 2 + 1 + 3);
    const colourOf = colouring(scale, "#808080");
    expect(colourOf("j")).toBe(colourOf("never seen"));
    expect(new Set(["a", "b", "c", "d", "e", "f", "j"].map(colourOf)).size).toBe(7);
  });

  it("colours truth values", () => {
    const values = [{ value: true, count: 3 }, { value: false, count: 1 }];
    const colourOf = colouring(makeScale(attribute("boolean"), { property: "x", count: 4, missing: 0, values }), "#808080");
    expect(colourOf(true)).not.toBe(colourOf(false));
  });
});
