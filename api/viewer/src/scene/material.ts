/**
 * The look of the buildings: lit flat faces, darker at the foot, with a colour per feature.
 *
 * The colour of feature i of a tile is texel i of the tile's small texture, so that recolouring a
 * whole city rewrites a few kilobytes and no geometry.
 */
import { Color, DataTexture, MeshDepthMaterial, MeshLambertMaterial, NearestFilter, RGBAFormat, SRGBColorSpace, UnsignedByteType, type Vector3 } from "three";
import type { Palette } from "./palette";

const TEXTURE_WIDTH = 128;
const FOOTING_M = 2.5;

/** Shared by all tiles. */
const shared = {
  uTint: { value: new Color() },
  uAccent: { value: new Color() },
};

export function paintBuildings(palette: Palette): void {
  shared.uTint.value = palette.tint;
  shared.uAccent.value = palette.accent;
}

/** Colours of the features of one tile: alpha 0 leaves the model's own colour. */
export class FeatureColours {
  readonly texture: DataTexture;
  private readonly data: Uint8Array<ArrayBuffer>;

  constructor(readonly count: number) {
    const rows = Math.max(1, Math.ceil(count / TEXTURE_WIDTH));
    this.data = new Uint8Array(TEXTURE_WIDTH * rows * 4);
    this.texture = new DataTexture(this.data, TEXTURE_WIDTH, rows, RGBAFormat, UnsignedByteType);
    this.texture.colorSpace = SRGBColorSpace;
    this.texture.minFilter = this.texture.magFilter = NearestFilter;
    this.texture.needsUpdate = true;
  }

  /** `colourOf` gives 0xrrggbb per feature, or null for the model's own. */
  set(colourOf: (feature: number) => number | null): void {
    for (let feature = 0; feature < this.count; feature++) {
      const colour = colourOf(feature);
      const rgba = colour === null ? [0, 0, 0, 0] : [colour >> 16, (colour >> 8) & 255, colour & 255, 255];
      this.data.set(rgba, feature * 4);
    }
    this.texture.needsUpdate = true;
  }

  dispose(): void {
    this.texture.dispose();
  }
}

/**
 * The ground between the buildings is a guess: walls reach below it, so that none seems to float. Instances, such
 * as trees or what stands on a roof, stay as they are.
 */
const FOOTING_HEAD = /* glsl */ `
#ifdef USE_INSTANCING
attribute float foot;
#else
attribute float above;
#endif
uniform vec3 uDown;`;

const FOOTING_BODY = /* glsl */ `
#ifdef USE_INSTANCING
float above = -dot((instanceMatrix * vec4(transformed, 1.0)).xyz, uDown) - foot;
#else
if (above < 0.2) transformed += uDown * ${FOOTING_M.toFixed(1)};
#endif`;

const VERTEX_HEAD = /* glsl */ `#include <common>
${FOOTING_HEAD}
attribute float _feature_id_0;
uniform sampler2D uColours;
uniform float uSelected;
uniform float uHovered;
varying vec4 vColour;
varying vec2 vState;
varying float vAbove;`;

const VERTEX_BODY = /* glsl */ `#include <begin_vertex>
int feature = int(_feature_id_0 + 0.5);
vColour = texelFetch(uColours, ivec2(feature % ${TEXTURE_WIDTH}, feature / ${TEXTURE_WIDTH}), 0);
vState = vec2(abs(_feature_id_0 - uSelected) < 0.5, abs(_feature_id_0 - uHovered) < 0.5);
${FOOTING_BODY}
vAbove = above;`;

const FRAGMENT_HEAD = /* glsl */ `#include <common>
uniform vec3 uTint;
uniform vec3 uAccent;
varying vec4 vColour;
varying vec2 vState;
varying float vAbove;`;

const FRAGMENT_BODY = /* glsl */ `#include <color_fragment>
#ifndef USE_MAP
// The model's own colours, calmer: they are the ground that chosen colours stand out from.
float grey = dot(diffuseColor.rgb, vec3(0.2126, 0.7152, 0.0722));
diffuseColor.rgb = mix(mix(vec3(grey), diffuseColor.rgb, 0.78), vec3(0.88), 0.16) * uTint;
#endif
diffuseColor.rgb = mix(diffuseColor.rgb, vColour.rgb, vColour.a);
// Streets are darker than roofs: a cheap stand-in for the light that walls take from each other.
diffuseColor.rgb *= mix(0.74, 1.0, smoothstep(-1.0, 9.0, vAbove));
diffuseColor.rgb = mix(diffuseColor.rgb, uAccent, vState.x * 0.85);
diffuseColor.rgb = mix(diffuseColor.rgb, vec3(1.0), vState.y * (1.0 - vState.x) * 0.3);`;

export interface BuildingUniforms {
  /** One metre down, in the mesh's own frame. */
  uDown: { value: Vector3 };
  uColours: { value: DataTexture };
  uSelected: { value: number };
  uHovered: { value: number };
}

export function buildingMaterial(
  colours: FeatureColours,
  down: Vector3,
  vertexColors: boolean,
  /** What the tile itself says of its image, if it has one. */
  { map, alphaTest }: Pick<MeshLambertMaterial, "map" | "alphaTest">,
): [MeshLambertMaterial, BuildingUniforms] {
  const own: BuildingUniforms = {
    uDown: { value: down },
    uColours: { value: colours.texture },
    uSelected: { value: -1 },
    uHovered: { value: -1 },
  };
  const material = new MeshLambertMaterial({ vertexColors, color: vertexColors ? "#ffffff" : "#d9d6d0", map, alphaTest });
  material.customProgramCacheKey = () => "buildings";
  material.onBeforeCompile = (shader) => {
    Object.assign(shader.uniforms, shared, own);
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", VERTEX_HEAD)
      .replace("#include <begin_vertex>", VERTEX_BODY);
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", FRAGMENT_HEAD)
      .replace("#include <color_fragment>", FRAGMENT_BODY);
  };
  return [material, own];
}

/** For the shadow map: the same footing, or a line of light would run along every wall. */
export function depthMaterial({ uDown }: Pick<BuildingUniforms, "uDown">): MeshDepthMaterial {
  const material = new MeshDepthMaterial();
  material.customProgramCacheKey = () => "buildings-depth";
  material.onBeforeCompile = (shader) => {
    shader.uniforms.uDown = uDown;
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", `#include <common>${FOOTING_HEAD}`)
      .replace("#include <begin_vertex>", `#include <begin_vertex>${FOOTING_BODY}`);
  };
  return material;
}
