/** Sun and sky: the usual afternoon light, or the sun of a moment; and the shadows they cast. */
import { Color, DirectionalLight, Group, HemisphereLight, type Matrix4, Vector3 } from "three";
import { localAxes, toEcef } from "../geo/geodesy";
import type { SunPosition } from "../geo/sun";
import type { Palette } from "./palette";
import type { Pose } from "./pose";

/** Light from the south-west, as maps are lit: x east, y up, z south. */
const USUAL = new Vector3(-0.46, 0.64, 0.6).normalize();
const SHADOW_RANGE_M = 5_000;
/** The lowest sun that still casts shadows, as the sine of its elevation: about one degree. */
const LOWEST = 0.018;
const LOW_SUN = new Color("#ffb070");

export class Light {
  readonly group = new Group();
  private readonly sun = new DirectionalLight();
  private readonly ambient = new HemisphereLight();
  private position: SunPosition | null = null;
  private key = "";

  constructor(private mapSize: number) {
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.set(mapSize, mapSize);
    this.sun.shadow.bias = -0.0004;
    this.group.add(this.sun, this.sun.target, this.ambient);
  }

  /** The sun of a moment, or null for the usual light. */
  set(position: SunPosition | null): void {
    this.position = position;
    this.key = "";
  }

  /** Texels a side of the shadow map. */
  resize(mapSize: number): void {
    if (mapSize === this.mapSize) return;
    this.mapSize = mapSize;
    this.sun.shadow.mapSize.set(mapSize, mapSize);
    this.sun.shadow.map?.dispose();
    this.sun.shadow.map = null;
    this.key = "";
  }

  /** Redraw the shadows at the next frame. */
  forget(): void {
    this.key = "";
  }

  paint(palette: Palette): void {
    const height = this.position ? Math.sin((this.position.elevation * Math.PI) / 180) : USUAL.y;
    // Low sun is weak and warm; below the horizon only the sky is left.
    const strength = this.position ? Math.min(1, Math.max(0, height / 0.35)) : 1;
    this.ambient.color.copy(palette.skyColour);
    this.ambient.groundColor.copy(palette.bounce);
    this.ambient.intensity = palette.sky * (this.position && height < 0 ? Math.max(0.35, 1 + height * 4) : 1);
    this.sun.color.copy(palette.sunColour);
    if (this.position) this.sun.color.lerp(LOW_SUN, (1 - strength) * 0.6);
    this.sun.intensity = height > 0 ? palette.sun * (0.35 + 0.65 * strength) * Math.min(1, height / LOWEST) : 0;
  }

  /** What level ground in the sun takes of the light as it was painted last, as factors of its colour. */
  onLevelGround(): Color {
    const direct = this.sun.color.clone().multiplyScalar(this.sun.intensity * USUAL.y);
    return direct.add(this.ambient.color.clone().multiplyScalar(this.ambient.intensity)).multiplyScalar(1 / Math.PI);
  }

  /**
   * Aim the sun at the point looked at; true where the shadow map has to be drawn anew. `content` tells the
   * tiles on show apart, `inverse` leads from EPSG:4978 to the scene.
   */
  aim(pose: Pose, inverse: Matrix4, content: string, shadows: boolean): boolean {
    const reach = Math.min(SHADOW_RANGE_M, Math.max(120, pose.range * 1.4));
    const step = 2 ** (Math.round(Math.log2(reach) * 2) / 2);
    const target = toEcef(pose.lon, pose.lat, pose.ground).applyMatrix4(inverse);
    const cell = step / 6;
    const [x, z] = [Math.round(target.x / cell) * cell, Math.round(target.z / cell) * cell];
    const towards = this.towards(pose, inverse);
    const on = shadows && towards.y > LOWEST && pose.range < SHADOW_RANGE_M * 1.6;
    const key = `${x}/${z}/${step}/${content}/${on}`;
    if (key === this.key) return false;
    this.key = key;
    this.sun.castShadow = on;
    this.sun.target.position.set(x, target.y, z);
    this.sun.position.copy(towards).multiplyScalar(step * 2).add(this.sun.target.position);
    this.frameShadows(step);
    return on;
  }

  private frameShadows(step: number): void {
    const { camera } = this.sun.shadow;
    camera.left = camera.bottom = -step;
    camera.right = camera.top = step;
    camera.near = 1;
    camera.far = step * 4;
    camera.updateProjectionMatrix();
    this.sun.shadow.normalBias = step / this.mapSize;
  }

  /** Direction to the sun in the scene, which is level at the point looked at. */
  private towards(pose: Pose, inverse: Matrix4): Vector3 {
    if (!this.position) return USUAL;
    const { east, north, up } = localAxes(pose.lon, pose.lat);
    const [a, e] = [this.position.azimuth, this.position.elevation].map((degrees) => (degrees * Math.PI) / 180);
    return east
      .multiplyScalar(Math.sin(a) * Math.cos(e))
      .addScaledVector(north, Math.cos(a) * Math.cos(e))
      .addScaledVector(up, Math.sin(e))
      .transformDirection(inverse);
  }
}
