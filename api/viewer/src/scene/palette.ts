/** The colours of the scene, light and dark; the interface's own are in styles/theme.css. */
import { Color } from "three";

export interface Palette {
  zenith: Color;
  horizon: Color;
  land: Color;
  farLand: Color;
  sea: Color;
  grid: Color;
  /** Multiplies the buildings' own colours. */
  tint: Color;
  accent: Color;
  edge: Color;
  missing: string;
  /** Multiplies the base map, which knows no dark. */
  map: number;
  sun: number;
  sky: number;
  sunColour: Color;
  skyColour: Color;
  bounce: Color;
}

const light: Palette = {
  zenith: new Color("#a9c8e8"),
  horizon: new Color("#eef2f4"),
  land: new Color("#ebeae6"),
  farLand: new Color("#ecebe5"),
  sea: new Color("#c3d7e4"),
  grid: new Color("#d6d6d2"),
  tint: new Color("#ffffff"),
  accent: new Color("#1b5fe0"),
  edge: new Color("#0b2f78"),
  missing: "#b9bcc0",
  map: 0.96,
  sun: 2.3,
  sky: 1.85,
  sunColour: new Color("#fff3e0"),
  skyColour: new Color("#f4f8ff"),
  bounce: new Color("#c9c4bb"),
};

const dark: Palette = {
  zenith: new Color("#0a1019"),
  horizon: new Color("#1d2733"),
  land: new Color("#232b36"),
  farLand: new Color("#2c3743"),
  sea: new Color("#141f2c"),
  grid: new Color("#323d4a"),
  tint: new Color("#c3cddd"),
  accent: new Color("#5b9bff"),
  edge: new Color("#d6e6ff"),
  missing: "#5d6672",
  map: 0.13,
  sun: 2.1,
  sky: 1.5,
  sunColour: new Color("#fff0dc"),
  skyColour: new Color("#b9cdf0"),
  bounce: new Color("#3a4048"),
};

export const PALETTES = { light, dark };
export type Theme = keyof typeof PALETTES;
