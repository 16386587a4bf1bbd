/** The state of the tools beside the view: which one is open, and what each was told. */
import { computed, effect, signal } from "@preact/signals";
import { type Comparison, type Side, compare } from "./data/compare";
import { Problem } from "./data/api";
import type { Pose } from "./scene/pose";
import { appliedFilter, attributes, latest, places, started, unreachable } from "./state";

export const TOOLS = ["compare"] as const;
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

/** What is compared: the cities. */
export const sides = computed<Side[]>(() => places.value.map(({ city }) => ({ key: city, filter: null })));

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

/** Start what follows from the state; call once. */
export function runTools(): void {
  effect(compareSides);
}
