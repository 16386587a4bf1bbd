/** Whether the base map is on show, where the service was set up with one. */
import { computed, signal } from "@preact/signals";
import { readBaseMap, tileAddress } from "./data/basemap";
import type { TileSource } from "./scene/basemap";
import { notice, places } from "./state";

export const baseMap = readBaseMap(document);
/** A person wants it. */
export const baseMapOn = signal(false);

/** The tiles to lay on the ground; null: none, and nobody is asked for any. */
export const shownBaseMap = computed<TileSource | null>(() => {
  const cities = places.value;
  if (!baseMap || !baseMapOn.value || !cities.length) return null;
  return { zoom: baseMap.zoom, address: (tile) => tileAddress(baseMap, cities, tile) };
});

let told = false;

export function toggleBaseMap(): void {
  told = false;
  baseMapOn.value = !baseMapOn.value;
}

/** Said once: the plain ground shows well enough where tiles are missing. */
export function tellOfMissingTiles(): void {
  if (told) return;
  told = true;
  notice.value ??= { text: "baseMapFailed" };
}
