/** The view as a link: everything that a person chose, in the address after `#`. */
import type { Geodetic } from "../geo/geodesy";
import type { LonLat } from "../geo/measure";
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
  /** The base map is on show. */
  baseMap: boolean;
  /** Images and materials of the source are on show. */
  textured: boolean;
  /** The tool that is open. */
  tool: string | null;
  /** The attribute of the comparison, null for the usual one. */
  comparedBy: string | null;
  /** The points measured between. */
  line: Geodetic[];
  /** Date and minutes after midnight of the sun: `2026-06-21` and 900. */
  sun: Moment | null;
  /** Texels of the shadow map, null for what suits the machine. */
  shadowMap: number | null;
  /** Areas are compared, not cities. */
  byArea: boolean;
  /** The dataset whose import report is open, null for the usual one. */
  reportOf: string | null;
}

export interface Moment {
  date: string;
  minutes: number;
}

const MOMENT = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2})$/;

function momentText({ date, minutes }: Moment): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${date}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function readMoment(text: string | null): Moment | null {
  const match = MOMENT.exec(text ?? "");
  if (!match || Number.isNaN(Date.parse(match[1]))) return null;
  return { date: match[1], minutes: Math.min(1_439, Number(match[2]) * 60 + Number(match[3])) };
}

export const SHADOW_MAPS = [1_024, 2_048, 4_096];
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

function readNumbers(text: string | null): number[] {
  const parts = text?.split(",") ?? [];
  return parts.every((part) => NUMBER.test(part)) ? parts.map(Number) : [];
}

function readRing(text: string): LonLat[] {
  const numbers = readNumbers(text);
  return Array.from({ length: Math.floor(numbers.length / 2) }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]);
}

function readPoints(text: string | null): Geodetic[] {
  const numbers = readNumbers(text);
  return Array.from({ length: Math.floor(numbers.length / 3) }, (_, i) => {
    const [lon, lat, height] = numbers.slice(3 * i, 3 * i + 3);
    return { lon, lat, height };
  });
}

export function writeLink(link: Link): string {
  const query = new URLSearchParams();
  if (link.pose) query.set("at", poseText(link.pose));
  if (link.second) query.set("at2", poseText(link.second));
  if (!link.linked) query.set("apart", "1");
  for (const [name, values] of Object.entries(link.controls.choices)) query.set(`is.${name}`, values.join("|"));
  for (const [name, [low, high]] of Object.entries(link.controls.ranges)) query.set(`in.${name}`, `${low ?? ""}..${high ?? ""}`);
  for (const ring of link.controls.areas) query.append("area", ring.flat().join(","));
  if (link.controls.text.trim()) query.set("cql2", link.controls.text.trim());
  if (link.colourBy) query.set("by", link.colourBy);
  if (link.selected) query.set("id", link.selected);
  if (link.lang) query.set("lang", link.lang);
  if (link.theme) query.set("theme", link.theme);
  if (link.quality) query.set("quality", link.quality);
  if (link.baseMap) query.set("map", "1");
  if (link.textured) query.set("textures", "1");
  if (link.tool) query.set("tool", link.tool);
  if (link.comparedBy) query.set("stat", link.comparedBy);
  if (link.line.length) query.set("line", link.line.map(({ lon, lat, height }) => `${lon.toFixed(7)},${lat.toFixed(7)},${height.toFixed(2)}`).join(","));
  if (link.sun) query.set("sun", momentText(link.sun));
  if (link.shadowMap) query.set("shadow", String(link.shadowMap));
  if (link.byArea) query.set("of", "areas");
  if (link.reportOf) query.set("report", link.reportOf);
  // Commas, bars and dots are legal after #: links stay legible.
  return query.toString().replaceAll("%2C", ",").replaceAll("%7C", "|").replaceAll("%3A", ":");
}

export function readLink(hash: string): Link {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const controls: Controls = {
    choices: {},
    ranges: {},
    areas: query.getAll("area").map(readRing).filter((ring) => ring.length >= 3),
    text: query.get("cql2") ?? "",
  };
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
    baseMap: query.get("map") === "1",
    textured: query.get("textures") === "1",
    tool: query.get("tool"),
    comparedBy: query.get("stat"),
    line: readPoints(query.get("line")),
    sun: readMoment(query.get("sun")),
    shadowMap: SHADOW_MAPS.find((size) => String(size) === query.get("shadow")) ?? null,
    byArea: query.get("of") === "areas",
    reportOf: query.get("report"),
  };
}
