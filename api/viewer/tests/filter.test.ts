import { describe, expect, it } from "vitest";
import { NO_FILTER, cql2, shortened, withChoice, withRange } from "../src/data/filter";

describe("cql2", () => {
  it("is empty without conditions", () => {
    expect(cql2(NO_FILTER)).toBe("");
  });

  it("joins choices, ranges and the typed expression", () => {
    const controls = { choices: { current_use: ["office", "trade"] }, ranges: { height_m: [10, null] as [number, null] }, areas: [], text: "a = 1 OR b = 2" };
    expect(cql2(controls)).toBe("current_use IN ('office', 'trade') AND height_m >= 10 AND (a = 1 OR b = 2)");
  });

  it("doubles quotes in text and leaves truth values bare", () => {
    expect(cql2(withChoice(NO_FILTER, "material", ["d'Or"]))).toBe("material = 'd''Or'");
    expect(cql2(withChoice(NO_FILTER, "closed", ["true"]))).toBe("closed = true");
  });

  it("leaves out one attribute for that attribute's own histogram", () => {
    const controls = withRange(withChoice(NO_FILTER, "city", ["tallinn"]), "height_m", [5, 9]);
    expect(cql2(controls, "height_m")).toBe("city = 'tallinn'");
    expect(cql2(controls, "city")).toBe("height_m BETWEEN 5 AND 9");
  });

  it("asks for buildings of any area", () => {
    const ring: [number, number][] = [[24, 60], [24.1, 60], [24.1, 60.1]];
    const one = cql2({ ...NO_FILTER, areas: [ring] });
    expect(one).toBe("S_INTERSECTS(geometry, POLYGON((24 60, 24.1 60, 24.1 60.1, 24 60)))");
    expect(cql2({ ...NO_FILTER, areas: [ring, ring], text: "a = 1" })).toBe(`(${one} OR ${one}) AND (a = 1)`);
    expect(shortened(`${one} AND a = 1`)).toBe("S_INTERSECTS(geometry, POLYGON(…)) AND a = 1");
  });

  it("forgets a control that is open again", () => {
    const set = withRange(NO_FILTER, "height_m", [5, null]);
    expect(withRange(set, "height_m", [null, null])).toEqual(NO_FILTER);
    expect(withChoice(withChoice(NO_FILTER, "city", ["x"]), "city", [])).toEqual(NO_FILTER);
  });
});
