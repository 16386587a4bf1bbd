/** The sun of the moment that a person chose, over what each view looks at. */
import { computed } from "@preact/signals";
import { type SunPosition, momentOf, sunPosition } from "./geo/sun";
import { pose } from "./state";
import { moment, secondPose, tool } from "./workbench";

/** Both cities keep Eastern European time. */
export const ZONE = "Europe/Helsinki";

/** The sun moves by this much where one walks a kilometre: too little to be seen. */
const STEP_DEGREES = 0.01;
const coarse = (degrees: number): number => Math.round(degrees / STEP_DEGREES) * STEP_DEGREES;

const instant = computed(() => momentOf(moment.value.date, moment.value.minutes, ZONE));
const spots = [pose, secondPose].map((where) =>
  computed(() => (where.value ? `${coarse(where.value.lon)},${coarse(where.value.lat)}` : "")),
);

/** Longitude and latitude that the sun of a pane is computed for. */
export function spotOf(pane: 0 | 1): [number, number] {
  const [lon, lat] = spots[pane].value.split(",").map(Number);
  return [lon || 24.94, lat || 60.17];
}

/** Where the sun stands over a pane while its tool is open; else null. */
export function sunAt(pane: 0 | 1): SunPosition | null {
  return tool.value === "sun" ? sunPosition(instant.value, ...spotOf(pane)) : null;
}
