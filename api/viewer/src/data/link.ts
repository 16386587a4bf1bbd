/** The view as a link: everything that a person chose, in the address after `#`. */
import type { Pose } from "../scene/pose";
import type { Controls, Range } from "./filter";

export interface Link {
  pose: Pose | null;
  /** Of the second view, null where there is one view. */
  second: Pose | null;
  /** Whether both views move as one. */
  linked: boolean;
  controls: Controls;
  colourBy: string | null;
  selected: string | null;
  lang: string | null;
  theme: string | null;
  /** How finely to draw; null: as the machine can. */
  quality: string | null;
  /** The tool that is open. */
  tool: string | null;
  /** The attribute of the comparison, null for the usual one. */
  comparedBy: string | null;
}

const NUMBER = /^-?\d+(\.\d+)?$/;

function poseText({ lon, lat, range, heading, pitch, ground }: Pose): string {
  return [lon.toFixed(5), lat.toFixed(5), ground.toFixed(0), range.toFixed(0), heading.toFixed(0), pitch.toFixed(0)].join(",");
}

function readPose(text: string | null): Pose | null {
  const parts = text?.split(",") ?? [];
  if (parts.length !== 6 || !parts.every((part) => NUMBER.test(part))) return null;
  const [lon, lat, ground, range, heading, pitch] = parts.map(Number);
  return { lon, lat, ground, range, heading, pitch };
}

function readRange(text: string): Range {
  const [low, high] = text.split("..");
  const limit = (part: string | undefined): number | null => (part && NUMBER.test(part) ? Number(part) : null);
  return [limit(low), limit(high)];
}

export function writeLink(link: Link): string {
  const query = new URLSearchParams();
  if (link.pose) query.set("at", poseText(link.pose));
  if (link.second) query.set("at2", poseText(link.second));
  if (!link.linked) query.set("apart", "1");
  for (const [name, values] of Object.entries(link.controls.choices)) query.set(`is.${name}`, values.join("|"));
  for (const [name, [low, high]] of Object.entries(link.controls.ranges)) query.set(`in.${name}`, `${low ?? ""}..${high ?? ""}`);
  if (link.controls.text.trim()) query.set("cql2", link.controls.text.trim());
  if (link.colourBy) query.set("by", link.colourBy);
  if (link.selected) query.set("id", link.selected);
  if (link.lang) query.set("lang", link.lang);
  if (link.theme) query.set("theme", link.theme);
  if (link.quality) query.set("quality", link.quality);
  if (link.tool) query.set("tool", link.tool);
  if (link.comparedBy) query.set("stat", link.comparedBy);
  // Commas, bars and dots are legal after #: links stay legible.
  return query.toString().replaceAll("%2C", ",").replaceAll("%7C", "|");
}

export function readLink(hash: string): Link {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const controls: Controls = { choices: {}, ranges: {}, text: query.get("cql2") ?? "" };
  for (const [key, value] of query) {
    if (key.startsWith("is.") && value) controls.choices[key.slice(3)] = value.split("|");
    if (key.startsWith("in.") && value !== "..") controls.ranges[key.slice(3)] = readRange(value);
  }
  return {
    pose: readPose(query.get("at")),
    second: readPose(query.get("at2")),
    linked: query.get("apart") !== "1",
    controls,
    colourBy: query.get("by"),
    selected: query.get("id"),
    lang: query.get("lang"),
    theme: query.get("theme"),
    quality: query.get("quality"),
    tool: query.get("tool"),
    comparedBy: query.get("stat"),
  };
}
