/** Joins the state of the page to the 3D views, both ways. Pane 0 is always there, pane 1 side by side with it. */
import { computed, effect, untracked } from "@preact/signals";
import { shownBaseMap, tellOfMissingTiles } from "./basemap";
import { colouring } from "./colour/scale";
import { type ReportEntry, tilesetUrl } from "./data/api";
import { fetchColumn } from "./data/sidecar";
import { distanceM, toGeodetic } from "./geo/geodesy";
import { frameDrawn, markNextFrame } from "./marks";
import { USUAL_GROUND_M, buildingPose, overviewPose, placePose } from "./poses";
import { alongside } from "./scene/linking";
import { PALETTES } from "./scene/palette";
import type { Pose } from "./scene/pose";
import { drawingOf } from "./scene/quality";
import { loadBetweenFrames } from "./scene/scheduling";
import type { ColourOf } from "./scene/tilelayer";
import { World } from "./scene/world";
import * as state from "./state";
import { sunAt } from "./sunlight";
import { drawAt, drawing, finishArea, linked, pointedAt, secondPose, shadowMap, tool } from "./workbench";

export type Pane = 0 | 1;

const worlds: [World | null, World | null] = [null, null];
const poses = [state.pose, secondPose] as const;
/** Panes that fly without taking the other along. */
const alone = new Set<Pane>();
let leading = false;

export function theWorld(pane: Pane = 0): World | null {
  return worlds[pane];
}

export function openWorlds(): World[] {
  return worlds.filter((world) => world !== null);
}

const calm = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const level = (lon: number, lat: number): number | null => worlds[0]?.ground.level(lon, lat) ?? null;

export function flyTo(pose: Pose, pane: Pane = 0): void {
  void worlds[pane]?.flyTo(pose, calm());
}

/** Fly one pane only. */
async function flyAlone(pane: Pane, pose: Pose): Promise<void> {
  alone.add(pane);
  await worlds[pane]?.flyTo(pose, calm());
  alone.delete(pane);
}

/** Fly to a city; side by side, one pane changes its city and keeps its distance and direction. */
export function flyToPlace(place: state.Place, pane: Pane = 0): void {
  const there = placePose(place, level);
  const from = poses[pane].peek();
  if (secondPose.peek() && from) void flyAlone(pane, { ...there, range: from.range, heading: from.heading, pitch: from.pitch });
  else flyTo(there, pane);
}

export function flyToOverview(): void {
  flyTo(overviewPose(state.places.peek()));
}

/** Fly to the building whose details are open, in the pane that is nearer to it. */
export function flyToBuilding(): void {
  const found = state.building.value;
  const there = found && buildingPose(found, worlds[0]?.pose.heading ?? 0, level);
  if (!there) return;
  const away = ([, at]: readonly [Pane, Pose]): number => distanceM(at.lon, at.lat, there.lon, there.lat);
  const panes = ([0, 1] as const).flatMap((pane): (readonly [Pane, Pose])[] => {
    const at = poses[pane].peek();
    return at ? [[pane, at]] : [];
  });
  const [nearest] = panes.toSorted((a, b) => away(a) - away(b));
  if (secondPose.peek()) void flyAlone(nearest[0], there);
  else flyTo(there);
}

/** Fly to what an entry of an import report tells of. */
export function flyToReported(entry: ReportEntry): void {
  pointedAt.value = entry;
  if (!entry.bbox) return;
  const [west, south, east, north] = entry.bbox;
  flyTo(placePose({ west, south, east, north }, level));
}

/** Put a second city beside the one on show; it is seen from as far and in the same direction. */
export function openSecond(): void {
  const now = state.pose.peek();
  const known = state.places.peek();
  if (!now || known.length < 2) return;
  const here = known.findIndex(({ key }) => key === state.currentPlace.peek());
  const same = { range: now.range, heading: now.heading, pitch: now.pitch };
  const beside = (index: number): Pose => ({ ...placePose(known[index], level), ...(here < 0 ? {} : same) });
  if (here !== 0) flyTo(beside(0));
  secondPose.value = here === 1 ? now : beside(1);
}

/** Make the 3D view of a pane and return how to end it. */
export function openView(canvas: HTMLCanvasElement, pane: Pane): () => void {
  loadBetweenFrames();
  const opened: World = new World(canvas, eventsOf(pane, () => opened), drawingOf(state.quality.value));
  worlds[pane] = opened;
  const at = poses[pane].peek();
  if (at) opened.move(at);
  const stop = connect(opened, pane, at !== null);
  return () => {
    stop();
    opened.dispose();
    worlds[pane] = null;
  };
}

function eventsOf(pane: Pane, world: () => World): ConstructorParameters<typeof World>[1] {
  return {
    clicked: (x, y) => {
      if (drawing.peek()) sketch(world(), x, y);
      else state.selected.value = world().pick(x, y);
    },
    doubleClicked: () => {
      if (!drawing.peek()) return false;
      finishArea();
      return true;
    },
    moved: (pose) => {
      const before = poses[pane].peek();
      poses[pane].value = pose;
      if (before) lead(pane, before, pose);
    },
    failed: (_error, root) => {
      state.seen.value = true;
      state.notice.value = { text: root ? "serverDown" : "tileFailed", retry: () => world().buildings.retry() };
    },
    drawn: (complete) => {
      state.frame.value = state.frame.peek() + 1;
      if (complete && !state.seen.peek()) {
        markNextFrame("first-view");
        requestAnimationFrame(() => (state.seen.value = true));
      }
      frameDrawn();
    },
    replaced: () => markNextFrame("filtered"),
    mapTileFailed: tellOfMissingTiles,
    surface: (found) => (state.surface.value = found),
    blind: (error) => {
      console.warn(error);
      state.webglMissing.value = state.seen.value = true;
    },
    progress: (fraction, idle) => {
      const known = state.progress.peek();
      if (pane === 0 && (known.idle !== idle || known.fraction !== fraction)) state.progress.value = { fraction, idle };
    },
  };
}

/** A point of the canvas becomes a point of the drawing. */
function sketch(world: World, x: number, y: number): void {
  const point = world.surfaceAt(x, y);
  if (point) drawAt(toGeodetic(point));
}

/** The point looked at becomes a point of the drawing: for those who draw by keys. */
export function sketchCentre(pane: Pane): void {
  const world = worlds[pane];
  if (world) sketch(world, world.centre.x, world.centre.y);
}

/** The other camera does what this one did. */
function lead(pane: Pane, before: Pose, after: Pose): void {
  const other = worlds[1 - pane];
  if (!other || leading || alone.size || !linked.peek()) return;
  leading = true;
  other.halt();
  other.move(alongside(before, after, other.pose));
  leading = false;
}

/** Pixels that the import report covers: what it flies to stands beside it. Points drawn must not shift. */
const covered = computed(() => (tool.value === "imports" ? state.panelWidth.value : 0));

function connect(opened: World, pane: Pane, placed: boolean): () => void {
  let laid = false;
  const stops = [
    effect(() => opened.ground.baseMap.show(shownBaseMap.value)),
    effect(() => opened.setTheme(state.theme.value)),
    effect(() => {
      if (laid || !state.places.value.length) return;
      laid = true;
      for (const place of state.places.value) opened.ground.addCity(place, USUAL_GROUND_M);
      if (!placed) opened.move(placePose(state.places.value[0]));
      if (!placed && state.selected.peek()) whenBuilding(flyToBuilding);
    }),
    effect(() => {
      const filter = state.appliedFilter.value;
      if (filter !== null) opened.show(tilesetUrl(filter, state.textured.value));
    }),
    effect(() => colour(opened)),
    effect(() => opened.inset(secondPose.value ? 0 : state.dockWidth.value - covered.value)),
    effect(() => opened.buildings.select(state.selected.value)),
    effect(() => opened.setSun(sunAt(pane))),
    effect(() => opened.setShadowMap(tool.value === "sun" ? shadowMap.value : null)),
  ];
  return () => stops.forEach((stop) => stop());
}

function colour(opened: World): void {
  const { value: scale } = state.scale;
  const missing = PALETTES[state.theme.value].missing;
  if (!scale) return void opened.paint(null);
  const colourOf = colouring(scale, missing);
  const painter = async (contentUrl: string): Promise<ColourOf> => {
    const column = await fetchColumn(contentUrl, scale.attribute.name);
    return (feature) => colourOf(column[feature] ?? null);
  };
  void opened.paint(painter).then(() => markNextFrame("recoloured"));
}

/** Run once, when the chosen building's attributes have come. */
function whenBuilding(work: () => void): void {
  const stop = effect(() => {
    if (!state.building.value) return;
    queueMicrotask(() => stop());
    untracked(work);
  });
}
