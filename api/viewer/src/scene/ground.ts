/** The ground: a calm surface under the buildings of each city, and land and sea around them. */
import {
  BufferGeometry,
  Color,
  Float32BufferAttribute,
  Group,
  type Matrix4,
  Mesh,
  MeshBasicMaterial,
  MeshLambertMaterial,
  type Sphere,
  type Texture,
  Vector3,
} from "three";
import { coastUv, drawCoast } from "../geo/coast";
import { localAxes, localFrame, metresPerDegree, toEcef } from "../geo/geodesy";
import { type Box, HeightField } from "./heightfield";
import { BaseMap, WINDOWS, mapPlace } from "./basemap";
import { ORDER } from "./order";
import type { Palette } from "./palette";

/** Below every city's ground, so that the far surface never shows through a near one. */
const FAR_LEVEL_M = -4;
const FAR_BOX: Box = { west: 12, south: 55.5, east: 38, north: 64 };
/** Coarse enough to be cheap: the chords of 20 km lie 8 m under the sea, which nobody sees. */
const FAR_CELLS = 64;
/** Cells a side of the grid of heights, and of the sheet over it. */
const CELLS = 64;
const SHEET_CELLS = 44;
const MARGIN_CELLS = 9;
const MARGIN_M = 7_000;
/** No ground is lifted farther than this. */
const HIGHEST_M = 400;

const uniforms = {
  uCoast: { value: null as Texture | null },
  uLand: { value: new Color() },
  uFarLand: { value: new Color() },
  uSea: { value: new Color() },
  uGrid: { value: new Color() },
  /** 0 near the ground, where the coast is too coarse to be shown, to 1 far away. */
  uFar: { value: 0 },
  /** Light on level ground, where it is not computed for each pixel. */
  uLevelLight: { value: new Color() },
  /** The base map: its windows, the finest first, where they lie, and how bright it is. */
  uMap0: { value: null as Texture | null },
  uMap1: { value: null as Texture | null },
  uMap2: { value: null as Texture | null },
  uPlaces: { value: Array.from({ length: WINDOWS }, () => new Vector3()) },
  uTone: { value: 1 },
};
const MAPS = [uniforms.uMap0, uniforms.uMap1, uniforms.uMap2];

const GROUND_COLOUR = /* glsl */ `
vec3 ground = uLand;
if (uFar > 0.0) {
  float land = smoothstep(0.38, 0.62, texture2D(uCoast, vCoast).r);
  ground = mix(uLand, mix(uSea, uFarLand, land), uFar);
}
float cells = line(vMetres / 100.0) * 0.55;
float squares = line(vMetres / 1000.0) * 0.9;
ground = mix(ground, uGrid, max(cells, squares) * (1.0 - uFar) * vGrid);
#ifdef MAPPED
ground = under(tiles(uMap2, uPlaces[2]), ground);
ground = under(tiles(uMap1, uPlaces[1]), ground);
ground = under(tiles(uMap0, uPlaces[0]), ground);
#endif
diffuseColor.rgb = ground;`;

/** Level ground without shadows has the same light everywhere: a third of the cost where there is no graphics card. */
const EVEN_LIGHT = /* glsl */ `
${GROUND_COLOUR}
diffuseColor.rgb *= uLevelLight;`;

const VERTEX_HEAD = /* glsl */ `
attribute vec2 coast;
attribute vec3 metres;
varying vec2 vCoast;
varying vec2 vMetres;
varying float vGrid;
#ifdef MAPPED
attribute vec2 map;
varying vec2 vMap;
#endif`;

const VERTEX_BODY = /* glsl */ `
vCoast = coast;
vMetres = metres.xy;
vGrid = metres.z;
#ifdef MAPPED
vMap = map;
#endif`;

const FRAGMENT_HEAD = /* glsl */ `
uniform sampler2D uCoast;
uniform vec3 uLand, uFarLand, uSea, uGrid, uLevelLight;
uniform float uFar;
varying vec2 vCoast;
varying vec2 vMetres;
varying float vGrid;
float line(vec2 at) {
  vec2 width = fwidth(at);
  vec2 nearness = abs(fract(at - 0.5) - 0.5) / width;
  // Lines nearer than a few pixels to each other melt into the ground instead of flickering.
  return (1.0 - min(min(nearness.x, nearness.y), 1.0)) * (1.0 - smoothstep(0.05, 0.25, max(width.x, width.y)));
}
#ifdef MAPPED
uniform sampler2D uMap0, uMap1, uMap2;
uniform vec3 uPlaces[3];
uniform float uTone;
varying vec2 vMap;
vec4 tiles(sampler2D map, vec3 place) {
  vec2 at = (vMap - place.xy) * place.z;
  vec2 inwards = min(at, 1.0 - at);
  return texture2D(map, at) * smoothstep(0.0, 0.02, min(inwards.x, inwards.y));
}
vec3 under(vec4 map, vec3 ground) { return map.rgb * uTone + ground * (1.0 - map.a); }
#endif`;

type Material = MeshLambertMaterial | MeshBasicMaterial;

function groundMaterial(lit: boolean, mapped: boolean): Material {
  const material = lit ? new MeshLambertMaterial() : new MeshBasicMaterial();
  if (mapped) material.defines = { ...material.defines, MAPPED: "" };
  material.customProgramCacheKey = () => "ground";
  material.onBeforeCompile = (shader) => {
    Object.assign(shader.uniforms, uniforms);
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", `#include <common>\n${VERTEX_HEAD}`)
      .replace("#include <begin_vertex>", `#include <begin_vertex>\n${VERTEX_BODY}`);
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", `#include <common>\n${FRAGMENT_HEAD}`)
      .replace("#include <color_fragment>", lit ? GROUND_COLOUR : EVEN_LIGHT);
  };
  return material;
}

const PLAIN = { lit: groundMaterial(true, false), even: groundMaterial(false, false) };
const MAPPED = { lit: groundMaterial(true, true), even: groundMaterial(false, true) };

/** A grid of the ellipsoid in the local frame of its centre, with the local up of each vertex. */
class Sheet {
  readonly mesh: Mesh<BufferGeometry, Material>;
  readonly lonLat: Float64Array;
  private readonly base: Float32Array;
  private readonly ups: Float32Array;

  constructor(lons: number[], lats: number[], grid: boolean) {
    const columns = lons.length;
    const count = columns * lats.length;
    this.lonLat = new Float64Array(count * 2);
    this.base = new Float32Array(count * 3);
    this.ups = new Float32Array(count * 3);
    const coast = new Float32Array(count * 2);
    const metres = new Float32Array(count * 3);
    const map = new Float32Array(count * 2);
    const middle: [number, number] = [(lons[0] + lons[columns - 1]) / 2, (lats[0] + lats[lats.length - 1]) / 2];
    const frame = localFrame(...middle, 0);
    const inverse = frame.clone().invert();
    const [east, north] = metresPerDegree(middle[1]);
    const point = new Vector3();
    for (let i = 0; i < count; i++) {
      const lon = lons[i % columns];
      const lat = lats[Math.floor(i / columns)];
      this.lonLat.set([lon, lat], i * 2);
      toEcef(lon, lat, 0, point).applyMatrix4(inverse).toArray(this.base, i * 3);
      localAxes(lon, lat).up.transformDirection(inverse).toArray(this.ups, i * 3);
      coast.set(coastUv(lon, lat), i * 2);
      map.set(mapPlace(lon, lat), i * 2);
      metres.set([(lon - middle[0]) * east, (lat - middle[1]) * north, grid ? 1 : 0], i * 3);
    }
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new Float32BufferAttribute(this.base.slice(), 3));
    geometry.setAttribute("normal", new Float32BufferAttribute(this.ups, 3));
    geometry.setAttribute("coast", new Float32BufferAttribute(coast, 2));
    geometry.setAttribute("map", new Float32BufferAttribute(map, 2));
    geometry.setAttribute("metres", new Float32BufferAttribute(metres, 3));
    geometry.setIndex(gridTriangles(columns, lats.length));
    this.mesh = new Mesh(geometry, PLAIN.lit);
    place(this.mesh, frame);
    geometry.computeBoundingSphere();
    (geometry.boundingSphere as Sphere).radius += HIGHEST_M;
    this.mesh.receiveShadow = true;
    this.mesh.renderOrder = grid ? ORDER.cityGround : ORDER.farGround;
  }

  /** Lift every vertex to its height. */
  lift(heights: ArrayLike<number>): void {
    const position = this.mesh.geometry.getAttribute("position") as Float32BufferAttribute;
    const out = position.array as Float32Array;
    for (let i = 0; i < out.length; i++) {
      out[i] = this.base[i] + this.ups[i] * heights[Math.floor(i / 3)];
    }
    position.needsUpdate = true;
  }
}

function place(mesh: Mesh, matrix: Matrix4): void {
  mesh.matrixAutoUpdate = false;
  mesh.matrix.copy(matrix);
}

function gridTriangles(columns: number, rows: number): number[] {
  const index: number[] = [];
  for (let y = 0; y + 1 < rows; y++) {
    for (let x = 0; x + 1 < columns; x++) {
      const a = y * columns + x;
      const b = a + columns;
      index.push(a, a + 1, b, b, a + 1, b + 1);
    }
  }
  return index;
}

function evenly(from: number, to: number, cells: number): number[] {
  return Array.from({ length: cells + 1 }, (_, i) => from + ((to - from) * i) / cells);
}

/** Dense between `from` and `to`, ever wider over the margins beyond them. */
function denseWithin(from: number, to: number, margin: number): number[] {
  const beyond = evenly(0, 1, MARGIN_CELLS).slice(1).map((t) => margin * t * t);
  return [
    ...beyond.toReversed().map((gap) => from - gap),
    ...evenly(from, to, SHEET_CELLS),
    ...beyond.map((gap) => to + gap),
  ];
}

class CityGround {
  readonly field: HeightField;
  readonly sheet: Sheet;
  private readonly now: Float32Array;
  private readonly goal: Float32Array;
  private stale = false;

  constructor(
    readonly data: Box,
    level: number,
  ) {
    const [east, north] = metresPerDegree((data.south + data.north) / 2);
    const [dx, dy] = [MARGIN_M / east, MARGIN_M / north];
    this.field = new HeightField(data, CELLS, level);
    this.sheet = new Sheet(denseWithin(data.west, data.east, dx), denseWithin(data.south, data.north, dy), true);
    this.goal = new Float32Array(this.sheet.lonLat.length / 2);
    this.aim();
    this.now = this.goal.slice();
    this.sheet.lift(this.now);
  }

  add(lon: number, lat: number, height: number): void {
    this.field.add(lon, lat, height);
    this.stale = true;
  }

  /** Move towards the newest heights; true while on the way. */
  step(share: number): boolean {
    if (this.stale) {
      this.stale = false;
      this.field.settle();
      this.aim();
    }
    let rest = 0;
    for (let i = 0; i < this.now.length; i++) {
      const gap = this.goal[i] - this.now[i];
      rest = Math.max(rest, Math.abs(gap));
      this.now[i] += gap * share;
    }
    if (rest < 0.01) return false;
    this.sheet.lift(this.now);
    return true;
  }

  private aim(): void {
    const { west, south, east, north } = this.data;
    const [perLon, perLat] = metresPerDegree((south + north) / 2);
    for (let i = 0; i < this.goal.length; i++) {
      const [lon, lat] = [this.sheet.lonLat[i * 2], this.sheet.lonLat[i * 2 + 1]];
      const outside = Math.hypot(
        Math.max(west - lon, lon - east, 0) * perLon,
        Math.max(south - lat, lat - north, 0) * perLat,
      );
      const t = Math.min(1, outside / MARGIN_M);
      const share = 1 - t * t * (3 - 2 * t);
      this.goal[i] = FAR_LEVEL_M + 1 + (this.field.sample(lon, lat) - FAR_LEVEL_M - 1) * share;
    }
  }
}

export class Ground {
  /** In EPSG:4978. */
  readonly group = new Group();
  readonly baseMap: BaseMap;
  private readonly cities: CityGround[] = [];
  private readonly sheets: Sheet[] = [];

  constructor(events: { invalidate: () => void; tileFailed: () => void }) {
    this.baseMap = new BaseMap(events.invalidate, events.tileFailed);
    const { west, south, east, north } = FAR_BOX;
    const far = new Sheet(evenly(west, east, FAR_CELLS), evenly(south, north, FAR_CELLS), false);
    far.lift(new Float32Array((FAR_CELLS + 1) ** 2).fill(FAR_LEVEL_M));
    this.sheets.push(far);
    this.group.add(far.mesh);
  }

  /** Lay the ground of a city over the box of its data, at a level until buildings tell better. */
  addCity(box: Box, level: number): void {
    const city = new CityGround(box, level);
    this.cities.push(city);
    this.sheets.push(city.sheet);
    this.group.add(city.sheet.mesh);
  }

  addFoot(lon: number, lat: number, height: number): void {
    for (const city of this.cities) {
      if (city.field.contains(lon, lat)) city.add(lon, lat, height);
    }
  }

  /** The level of the ground at a place, or null away from the cities. */
  level(lon: number, lat: number): number | null {
    const city = this.cities.find(({ field }) => field.contains(lon, lat));
    return city ? city.field.sample(lon, lat) : null;
  }

  step(share: number): boolean {
    return this.cities.map((city) => city.step(share)).some(Boolean);
  }

  /** `levelLight`: the light on level ground where no shadow falls; null to compute light and shadow everywhere. */
  paint(palette: Palette, range: number, levelLight: Color | null): void {
    const { lit, even } = this.baseMap.shown ? MAPPED : PLAIN;
    const material = levelLight ? even : lit;
    for (const sheet of this.sheets) sheet.mesh.material = material;
    if (levelLight) uniforms.uLevelLight.value.copy(levelLight);
    uniforms.uLand.value = palette.land;
    uniforms.uFarLand.value = palette.farLand;
    uniforms.uSea.value = palette.sea;
    uniforms.uGrid.value = palette.grid;
    uniforms.uTone.value = palette.map;
    for (const [i, { texture, place }] of this.baseMap.layers().entries()) {
      MAPS[i].value = texture;
      uniforms.uPlaces.value[i] = place;
    }
    const t = Math.min(1, Math.max(0, (range - 7_000) / 18_000));
    uniforms.uFar.value = t * t * (3 - 2 * t);
    if (t > 0) uniforms.uCoast.value ??= drawCoast();
  }
}
