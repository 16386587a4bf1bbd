/** `window.__twin`: what the end-to-end tests ask the page. */
import { markNextFrame } from "./marks";
import * as state from "./state";
import { histogramsAsked } from "./ui/histogram";
import { openWorlds, theWorld } from "./view";
import { secondPose } from "./workbench";

export interface TwinProbe {
  /** Nothing is loading, moving or being counted. */
  readonly ready: boolean;
  readonly tiles: number;
  /** Buildings on screen, as features of the tiles shown. */
  readonly features: number;
  readonly ids: string[];
  readonly pose: unknown;
  /** Of the second view, null where there is one. */
  readonly second: unknown;
  readonly filter: string;
  readonly counts: unknown;
  readonly selected: string | null;
  readonly colourBy: string | null;
  /** Draw the view once more. */
  redraw(): void;
  /** Where the top of a building is, CSS pixels, or null where it is not on screen. */
  project(id: string): { x: number; y: number } | null;
  /** The building under a point. */
  pick(x: number, y: number): string | null;
}

declare global {
  interface Window {
    __twin?: TwinProbe;
  }
}

export function exposeProbe(): void {
  window.__twin = {
    get ready() {
      const coloured = state.colourBy.value === null || state.scale.value?.attribute.name === state.colourBy.value;
      const worlds = openWorlds();
      const drawn = worlds.length === (secondPose.value ? 2 : 1) && worlds.every((world) => world.idle);
      return state.started.value === "ready" && !state.counting.value && histogramsAsked.value === 0 && coloured && drawn;
    },
    get tiles() {
      return theWorld()?.buildings.counts().tiles ?? 0;
    },
    get features() {
      return theWorld()?.buildings.counts().features ?? 0;
    },
    get ids() {
      return theWorld()?.buildings.visibleIds() ?? [];
    },
    get pose() {
      return theWorld()?.pose;
    },
    get second() {
      return theWorld(1)?.pose ?? null;
    },
    get filter() {
      return state.appliedFilter.value ?? "";
    },
    get counts() {
      return state.counts.value;
    },
    get selected() {
      return state.selected.value;
    },
    get colourBy() {
      return state.colourBy.value;
    },
    redraw: () => {
      markNextFrame("redrawn");
      theWorld()?.invalidate();
    },
    project: (id) => theWorld()?.project(id) ?? null,
    pick: (x, y) => theWorld()?.pick(x, y) ?? null,
  };
}
