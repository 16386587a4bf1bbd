/** The state of the page: what was asked, what came, what is chosen. */
import { batch, computed, effect, signal } from "@preact/signals";
import { type Scale, makeScale } from "./colour/scale";
import { type Building, type Dataset, Problem, fetchBuilding, fetchDatasets, fetchHistogram, fetchQueryables } from "./data/api";
import { type Attribute, readCatalogue } from "./data/catalogue";
import { type Controls, NO_FILTER, cql2, isEmpty } from "./data/filter";
import { metresPerDegree } from "./geo/geodesy";
import type { Key } from "./i18n/en";
import { language } from "./i18n";
import type { Theme } from "./scene/palette";
import type { Pose } from "./scene/pose";
import type { Quality } from "./scene/quality";
import type { Surface } from "./scene/surfaces";

export const datasets = signal<Dataset[]>([]);
export const catalogue = signal<Attribute[]>([]);
export const started = signal<"loading" | "ready" | "failed">("loading");

export const controls = signal<Controls>(NO_FILTER);
/** The newest filter that the service understood; null before the first answer. */
export const appliedFilter = signal<string | null>(null);
export const filterError = signal<string | null>(null);

export interface Counts {
  total: number;
  byCity: Record<string, number>;
}
export const allCounts = signal<Counts | null>(null);
export const counts = signal<Counts | null>(null);
export const counting = signal(false);

export const colourBy = signal<string | null>(null);
export const scale = signal<Scale | null>(null);
/** Images and materials of the source in place of colours by type. */
export const textured = signal(false);

export const selected = signal<string | null>(null);
export const building = signal<Building | null>(null);
/** The surface of the building under the pointer. */
export const surface = signal<Surface | null>(null);
export const buildingError = signal<string | null>(null);

export const chosenTheme = signal<Theme | null>(null);
const systemDark = signal(false);
export const theme = computed<Theme>(() => chosenTheme.value ?? (systemDark.value ? "dark" : "light"));
export const chosenLanguage = signal<string | null>(null);

export const pose = signal<Pose | null>(null);
const roomy = (): boolean => window.innerWidth > 900 && window.innerHeight > 520;
export const panelOpen = signal(roomy());
/** Counts the frames drawn, for what is laid over the view. */
export const frame = signal(0);
/** Pixels of the view that the dock covers on the left. */
export const dockWidth = signal(0);
/** The same of the panel on the right. */
export const panelWidth = signal(0);
/** Goes up when a person tries again. */
export const attempts = signal(0);
/** The first view is there, or will not come: now comes what can wait. */
export const seen = signal(false);
const PATIENCE_MS = 4_000;
export const quality = signal<Quality>("auto");
export const progress = signal<{ fraction: number; idle: boolean }>({ fraction: 0, idle: false });
/** A message that passes: what failed, and whether trying again may help. */
export const notice = signal<{ text: Key; retry?: () => void } | null>(null);
export const webglMissing = signal(false);

export const attributes = computed(() => new Map(catalogue.value.map((one) => [one.name, one])));

export interface Place {
  key: string;
  city: string;
  west: number;
  south: number;
  east: number;
  north: number;
  datasets: Dataset[];
}

/** The cities, as boxes around their primary datasets that stand somewhere. */
export const places = computed<Place[]>(() => {
  const found = new Map<string, Place>();
  for (const dataset of datasets.value) {
    if (!dataset.bbox || dataset.placement === "unplaced" || dataset.role !== "primary" || !dataset.count) continue;
    const [west, south, east, north] = dataset.bbox;
    const city = dataset.city ?? dataset.name;
    const known = found.get(city);
    found.set(city, {
      key: city,
      city,
      west: Math.min(west, known?.west ?? west),
      south: Math.min(south, known?.south ?? south),
      east: Math.max(east, known?.east ?? east),
      north: Math.max(north, known?.north ?? north),
      datasets: [...(known?.datasets ?? []), dataset],
    });
  }
  const order = ["tallinn", "helsinki"];
  return [...found.values()].sort(
    (a, b) => order.indexOf(b.city) - order.indexOf(a.city) || a.city.localeCompare(b.city),
  );
});

/** The city around the point looked at, "" from far away over all, null elsewhere. */
export function placeAt(at: Pose | null): string | null {
  if (!at) return null;
  if (at.range > 25_000) return "";
  const [perLon, perLat] = metresPerDegree(at.lat);
  const near = places.value.find(
    ({ west, south, east, north }) =>
      Math.max(west - at.lon, at.lon - east) * perLon < at.range && Math.max(south - at.lat, at.lat - north) * perLat < at.range,
  );
  return near?.key ?? null;
}

export const currentPlace = computed<string | null>(() => placeAt(pose.value));

async function countCities(filter: string, signal?: AbortSignal): Promise<Counts> {
  const histogram = await fetchHistogram("city", { filter, ...(signal && { signal }) });
  const byCity = Object.fromEntries((histogram.values ?? []).map(({ value, count }) => [String(value), count]));
  return { total: histogram.count + histogram.missing, byCity };
}

export async function load(): Promise<void> {
  started.value = "loading";
  try {
    // The view has its place as soon as it is known where there are buildings.
    const placed = fetchDatasets().then((sets) => void (datasets.value = sets));
    const [queryables, all] = await Promise.all([fetchQueryables(), countCities(""), placed]);
    batch(() => {
      catalogue.value = readCatalogue(queryables);
      allCounts.value = all;
      counts.value ??= all;
      started.value = "ready";
    });
  } catch (error) {
    started.value = "failed";
    console.warn(error);
  }
}

/** Run `work` for the newest value only; a newer one aborts it. */
export function latest(work: (signal: AbortSignal) => Promise<void>): () => void {
  const abort = new AbortController();
  work(abort.signal).catch((error: unknown) => {
    if ((error as Error).name !== "AbortError" && !abort.signal.aborted) throw error;
  });
  return () => abort.abort();
}

function countFiltered(): (() => void) | undefined {
  const filter = cql2(controls.value);
  if (started.value !== "ready") return undefined;
  return latest(async (signal) => {
    counting.value = true;
    try {
      const found = filter ? await countCities(filter, signal) : (allCounts.peek() as Counts);
      batch(() => {
        counts.value = found;
        filterError.value = null;
        appliedFilter.value = filter;
        counting.value = false;
      });
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      counting.value = false;
      if (error instanceof Problem && error.status >= 400 && error.status < 500) refuse(error);
      else unreachable();
    }
  });
}

/** What was understood before stays on show; of a link that nobody understands, everything. */
function refuse(problem: Problem): void {
  batch(() => {
    filterError.value = problem.message;
    appliedFilter.value ??= "";
  });
}

/** Classes are of all buildings, whatever the filter: once is enough. */
const scales = new Map<string, Scale>();

function describeColours(): (() => void) | undefined {
  const attribute = colourBy.value ? attributes.value.get(colourBy.value) : undefined;
  const known = attribute && scales.get(attribute.name);
  if (!attribute || known) {
    scale.value = known ?? null;
    return undefined;
  }
  return latest(async (signal) => {
    try {
      const made = makeScale(attribute, await fetchHistogram(attribute.name, { bins: 200, signal }));
      scales.set(attribute.name, made);
      scale.value = made;
    } catch (error) {
      if ((error as Error).name !== "AbortError") unreachable();
    }
  });
}

function fetchSelected(): (() => void) | undefined {
  const id = selected.value;
  buildingError.value = null;
  if (id && !roomy()) panelOpen.value = false;
  surface.value = null;
  if (!id) {
    building.value = null;
    return undefined;
  }
  return latest(async (signal) => {
    try {
      building.value = await fetchBuilding(id, signal);
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      building.value = null;
      if (error instanceof Problem && error.status === 404) buildingError.value = "notFound";
      else buildingError.value = (error as Error).message;
    }
  });
}

let reload: (() => void) | undefined;

/** Ask again for whatever is missing. */
export function tryAgain(): void {
  reload?.();
}

export function unreachable(): void {
  notice.value = { text: "serverDown", retry: tryAgain };
}

/** Start what follows from the state; call once. */
export function run(retry: () => void): void {
  reload = retry;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  systemDark.value = dark.matches;
  dark.addEventListener("change", () => (systemDark.value = dark.matches));
  // Without conditions there is nothing that the service could refuse: tiles need not wait for a count.
  if (isEmpty(controls.peek())) appliedFilter.value = "";
  window.setTimeout(() => (seen.value = true), PATIENCE_MS);
  effect(countFiltered);
  effect(describeColours);
  effect(fetchSelected);
  effect(() => {
    document.documentElement.lang = language.value;
    document.documentElement.dataset.theme = theme.value;
  });
}
