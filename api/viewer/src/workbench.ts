/** The state of the tools beside the view: which one is open, and what each was told. */
import { computed, effect, signal } from "@preact/signals";
import { type Comparison, type Side, compare } from "./data/compare";
import { Problem, type Report, type ReportEntry, fetchReport } from "./data/api";
import { within } from "./data/filter";
import type { Moment } from "./data/link";
import { type Geodetic, distanceM } from "./geo/geodesy";
import { type LonLat, crossesItself } from "./geo/measure";
import type { Pose } from "./scene/pose";
import { appliedFilter, attributes, controls, datasets, latest, places, started, unreachable } from "./state";

export const TOOLS = ["compare", "measure", "area", "sun", "imports"] as const;
export type Tool = (typeof TOOLS)[number];

export const tool = signal<Tool | null>(null);

/** Where the second camera looks, side by side with the first; null: there is one view. */
export const secondPose = signal<Pose | null>(null);
/** Both cameras move as one. */
export const linked = signal(true);

export const COMPARED_FIRST = "height_m";
export const comparedBy = signal(COMPARED_FIRST);
export const comparison = signal<Comparison | null>(null);
export const comparing = signal(false);

export function isTool(text: string | null): text is Tool {
  return TOOLS.includes(text as Tool);
}

/** Areas are compared, not cities; it takes two. */
export const byArea = signal(false);
export const comparesAreas = computed(() => byArea.value && controls.value.areas.length > 1);

/** What is compared: the cities, or the drawn areas by their number. */
export const sides = computed<Side[]>(() => {
  if (comparesAreas.value) return controls.value.areas.map((ring, i) => ({ key: String(i + 1), filter: within(ring) }));
  return places.value.map(({ city }) => ({ key: city, filter: null }));
});

/** The points measured between. */
export const line = signal<Geodetic[]>([]);
/** Corners of the area that is being drawn. */
export const draft = signal<LonLat[]>([]);
export const MOST_AREAS = 4;

/** Whether clicks on the view draw. */
export const drawing = computed(() => tool.value === "measure" || (tool.value === "area" && controls.value.areas.length < MOST_AREAS));

const today = (): string => new Date().toISOString().slice(0, 10);
/** The moment whose sun shines while its tool is open. */
export const moment = signal<Moment>({ date: today(), minutes: 15 * 60 });
export const shadowMap = signal<number | null>(null);

/** Add a point where a person clicked. */
export function drawAt(point: Geodetic): void {
  if (tool.value === "measure") line.value = [...line.value, point];
  else if (!closesDraft(point)) draft.value = [...draft.value, [round7(point.lon), round7(point.lat)]];
}

const round7 = (degrees: number): number => Number(degrees.toFixed(7));

/** A second click on the same spot, as in a double click, adds nothing. */
function closesDraft({ lon, lat }: Geodetic): boolean {
  const last = draft.value.at(-1);
  return last !== undefined && distanceM(last[0], last[1], lon, lat) < 0.05;
}

/** Take the drawn corners as an area of the filter; false where they make none. */
export function finishArea(): boolean {
  const ring = draft.value;
  if (ring.length < 3 || crossesItself(ring)) return false;
  controls.value = { ...controls.value, areas: [...controls.value.areas, ring] };
  draft.value = [];
  return true;
}

export function undoPoint(): void {
  if (tool.value === "measure") line.value = line.value.slice(0, -1);
  else draft.value = draft.value.slice(0, -1);
}

export function removeArea(index: number): void {
  controls.value = { ...controls.value, areas: controls.value.areas.filter((_, i) => i !== index) };
}

function compareSides(): (() => void) | undefined {
  const attribute = attributes.value.get(comparedBy.value) ?? attributes.value.get(COMPARED_FIRST);
  const filter = appliedFilter.value;
  if (tool.value !== "compare" || started.value !== "ready" || !attribute || filter === null) return undefined;
  const compared = sides.value;
  return latest(async (signal) => {
    comparing.value = true;
    try {
      comparison.value = await compare(attribute, compared, filter, signal);
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      comparison.value = null;
      if (!(error instanceof Problem) || error.status >= 500 || error.status === 0) unreachable();
    }
    comparing.value = false;
  });
}

/** The dataset whose import report was asked for, null: the first that there is. */
export const reportOf = signal<string | null>(null);
export const report = signal<Report | null>(null);
export const reportedDataset = computed(() => datasets.value.find(({ name }) => name === reportOf.value) ?? datasets.value[0]);

/** Entries of the open report that have a place on the map. */
export const reported = computed<ReportEntry[]>(() => {
  if (tool.value !== "imports" || report.value?.dataset !== reportedDataset.value?.name) return [];
  return (report.value?.files ?? []).flatMap(({ refused, problems }) => [...refused, ...problems]).filter(({ bbox }) => bbox);
});
/** The entry that was last pointed at, in the list or on the map. */
export const pointedAt = signal<ReportEntry | null>(null);

function readReport(): (() => void) | undefined {
  const name = reportedDataset.value?.name;
  if (tool.value !== "imports" || !name) return undefined;
  return latest(async (signal) => {
    try {
      report.value = await fetchReport(name, signal);
    } catch (error) {
      if ((error as Error).name !== "AbortError") unreachable();
    }
  });
}

/** Start what follows from the state; call once. */
export function runTools(): void {
  effect(compareSides);
  effect(readReport);
}
