/** Joins the state of the page to the 3D view, both ways. */
import { effect, untracked } from "@preact/signals";
import { colouring } from "./colour/scale";
import { tilesetUrl } from "./data/api";
import { readLink } from "./data/link";
import { fetchColumn } from "./data/sidecar";
import { distanceM } from "./geo/geodesy";
import { PALETTES } from "./scene/palette";
import type { Pose } from "./scene/pose";
import { World } from "./scene/world";
import * as state from "./state";

/** Where the ground is until the first buildings tell: about the geoid's height in both cities. */
const USUAL_GROUND_M = 18;

let world: World | null = null;

export function theWorld(): World | null {
  return world;
}

const calm = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A slanted view of a city that shows its middle. */
export function placePose(place: Pick<state.Place, "west" | "south" | "east" | "north">): Pose {
  const diagonal = distanceM(place.west, place.south, place.east, place.north);
  const lon = (place.west + place.east) / 2;
  const lat = (place.south + place.north) / 2;
  const ground = world?.ground.level(lon, lat) ?? USUAL_GROUND_M;
  return { lon, lat, ground, range: Math.min(3_200, Math.max(320, diagonal * 0.5)), heading: 332, pitch: -21 };
}

export function overviewPose(places: state.Place[]): Pose {
  const box = {
    west: Math.min(...places.map((place) => place.west)),
    south: Math.min(...places.map((place) => place.south)),
    east: Math.max(...places.map((place) => place.east)),
    north: Math.max(...places.map((place) => place.north)),
  };
  const diagonal = distanceM(box.west, box.south, box.east, box.north);
  return {
    lon: (box.west + box.east) / 2,
    lat: (box.south + box.north) / 2,
    ground: USUAL_GROUND_M,
    range: Math.max(2_000, diagonal * 1.7),
    heading: 0,
    pitch: -56,
  };
}

export function flyTo(pose: Pose): void {
  void world?.flyTo(pose, calm());
}

/** Fly to the building whose details are open. */
export function flyToBuilding(): void {
  const corners = outline(state.building.value?.geometry?.coordinates);
  if (!corners.length || !world) return;
  const lons = corners.map(([lon]) => lon);
  const lats = corners.map(([, lat]) => lat);
  const [lon, lat] = [(Math.min(...lons) + Math.max(...lons)) / 2, (Math.min(...lats) + Math.max(...lats)) / 2];
  const size = distanceM(Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats));
  const height = Number(state.building.value?.properties.height_m) || 10;
  const ground = world.ground.level(lon, lat) ?? USUAL_GROUND_M;
  flyTo({ lon, lat, ground, range: Math.max(90, (size + height) * 3.2), heading: world.pose.heading, pitch: -32 });
}

/** All corners of a GeoJSON geometry's coordinates. */
function outline(coordinates: unknown): [number, number][] {
  if (!Array.isArray(coordinates)) return [];
  if (typeof coordinates[0] === "number") return [coordinates as [number, number]];
  return coordinates.flatMap(outline);
}

/** Make the 3D view; throws where WebGL is missing. */
export function openView(canvas: HTMLCanvasElement): World {
  const link = readLink(window.location.hash);
  const opened = new World(canvas, {
    picked: (id) => (state.selected.value = id),
    moved: (pose) => (state.pose.value = pose),
    failed: (_error, root) => {
      state.notice.value = { text: root ? "serverDown" : "tileFailed", retry: () => opened.buildings.retry() };
    },
    drawn: () => (state.frame.value = state.frame.peek() + 1),
    progress: (fraction, idle) => {
      const known = state.progress.peek();
      if (known.idle !== idle || known.fraction !== fraction) state.progress.value = { fraction, idle };
    },
  });
  world = opened;
  if (link.pose) opened.move(link.pose);
  connect(opened, link.pose !== null);
  return opened;
}

function connect(opened: World, placed: boolean): void {
  effect(() => opened.setTheme(state.theme.value));
  let laid = false;
  effect(() => {
    if (laid || !state.places.value.length) return;
    laid = true;
    for (const place of state.places.value) opened.ground.addCity(place, USUAL_GROUND_M);
    if (!placed) opened.move(placePose(state.places.value[0]));
    if (!placed && state.selected.peek()) whenBuilding(flyToBuilding);
  });
  effect(() => {
    const filter = state.appliedFilter.value;
    if (filter !== null) opened.show(tilesetUrl(filter));
  });
  effect(() => {
    const { value: scale } = state.scale;
    const missing = PALETTES[state.theme.value].missing;
    if (!scale) return void opened.paint(null);
    const colourOf = colouring(scale, missing);
    void opened.paint(async (contentUrl) => {
      const column = await fetchColumn(contentUrl, scale.attribute.name);
      return (feature) => colourOf(column[feature] ?? null);
    });
  });
  effect(() => opened.inset(state.dockWidth.value));
  effect(() => opened.buildings.select(state.selected.value));
}

/** Run once, when the chosen building's attributes have come. */
function whenBuilding(work: () => void): void {
  const stop = effect(() => {
    if (!state.building.value) return;
    queueMicrotask(() => stop());
    untracked(work);
  });
}
