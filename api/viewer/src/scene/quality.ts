/** How finely to draw: a machine that draws in software would take half a second for a fine frame. */

export const QUALITIES = ["auto", "fine", "fast"] as const;
export type Quality = (typeof QUALITIES)[number];

export function isQuality(text: string | null): text is Quality {
  return QUALITIES.includes(text as Quality);
}

export interface Drawing {
  antialias: boolean;
  /** Shadows in the usual light; the shadows of a moment are asked for and so always drawn. */
  shadows: boolean;
  shadowMap: number;
  /** Pixels of the canvas for each of the screen at most. */
  ratio: number;
  /** The same while something moves. */
  movingRatio: number;
  /** How long the first frame waits for tiles, milliseconds: where frames are dear, an empty one delays them. */
  patience: number;
}

export const FINE: Drawing = { antialias: true, shadows: true, shadowMap: 2048, ratio: 2, movingRatio: 2, patience: 0 };
const FAST: Drawing = { antialias: false, shadows: false, shadowMap: 1024, ratio: 1, movingRatio: 1 / 3, patience: 1_500 };

/** Longer than WebGL takes to start anywhere. */
const PATIENCE_MS = 3_000;

/** Whether WebGL is emulated: SwiftShader, llvmpipe, Microsoft's basic driver. */
async function drawsInSoftware(): Promise<boolean> {
  // A graphics card tells at once: who is silent for so long has other work to do than fine frames.
  const silence = new Promise<string>((resolve) => setTimeout(resolve, PATIENCE_MS, "software"));
  const name = await Promise.race([window.early?.renderer ?? "", silence]);
  return /swiftshader|llvmpipe|softpipe|basic render|software/i.test(name);
}

export async function drawingOf(quality: Quality): Promise<Drawing> {
  const fast = quality === "auto" ? await drawsInSoftware() : quality === "fast";
  return fast ? FAST : FINE;
}
