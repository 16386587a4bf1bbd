import { describe, expect, it } from "vitest";
import { type Link, readLink, writeLink } from "../src/data/link";

const LINK: Link = {
  pose: { lon: 24.94123, lat: 60.17, ground: 21, range: 1200, heading: 332, pitch: -35 },
  second: { lon: 24.74, lat: 59.43, ground: 19, range: 1200, heading: 332, pitch: -35 },
  linked: false,
  controls: { choices: { current_use: ["office", "trade"] }, ranges: { height_m: [10, null] }, areas: [[[24.9, 60.1], [24.95, 60.1], [24.95, 60.2]]], text: "a LIKE 'x&y%'" },
  colourBy: "height_m",
  selected: "helsinki.BID_1",
  lang: "fi",
  theme: "dark",
  quality: "fine",
  baseMap: true,
  textured: true,
  tool: "compare",
  comparedBy: "volume_m3",
  line: [{ lon: 24.9412345, lat: 60.17, height: 31.25 }, { lon: 24.95, lat: 60.17, height: 20 }],
  sun: { date: "2026-06-21", minutes: 905 },
  shadowMap: 4096,
  byArea: true,
  reportOf: "helsinki",
};

describe("link", () => {
  it("holds the whole view", () => {
    expect(readLink(`#${writeLink(LINK)}`)).toEqual(LINK);
  });

  it.each(Object.keys(LINK) as (keyof Link)[])("holds %s alone", (part) => {
    const alone: Link = { ...readLink(""), [part]: LINK[part] };
    expect(readLink(`#${writeLink(alone)}`)).toEqual(alone);
    expect(writeLink(alone)).not.toBe("");
  });

  it("ignores what it does not understand", () => {
    const link = readLink("#at=1,2,x&in.height_m=..&is.city=&nonsense");
    expect(link.pose).toBeNull();
    expect(link.controls).toEqual({ choices: {}, ranges: {}, areas: [], text: "" });
  });
});
