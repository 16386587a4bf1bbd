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

const FINE: Drawing = { antialias: true, shadows: true, shadowMap: 2048, ratio: 2, movingRatio: 2, patience: 0 };
const FAST: Drawing = { antialias: false, shadows: false, shadowMap: 1024, ratio: 1, movingRatio: 0.5, patience: 1_500 };

/** Whether WebGL is emulated: SwiftShader, llvmpipe, Microsoft's basic driver. */
function drawsInSoftware(): boolean {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("webgl2", { antialias: false, depth: false, powerPreference: "high-performance" });
  const info = context?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(context?.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|basic render/i.test(name);
}

export function drawingOf(quality: Quality): Drawing {
  if (quality === "auto") return drawsInSoftware() ? FAST : FINE;
  return quality === "fast" ? FAST : FINE;
}
