/** The 3D view: scene, camera, light and loop. It draws only when something changed. */
import { DirectionalLight, Fog, Group, HemisphereLight, Matrix4, PCFShadowMap, PerspectiveCamera, Raycaster, Scene, Vector2, Vector3, WebGLRenderer } from "three";
import { localFrame, meetSurface, toEcef } from "../geo/geodesy";
import { Buildings } from "./buildings";
import { Controls, type Surface } from "./controls";
import { type Flight, fly } from "./flight";
import { Ground } from "./ground";
import { paintBuildings } from "./material";
import { PALETTES, type Palette, type Theme } from "./palette";
import { type Pose, cameraMatrix, clampPose } from "./pose";
import { Sky } from "./sky";
import type { Painter } from "./tilelayer";

export interface WorldEvents {
  picked(id: string | null): void;
  moved(pose: Pose): void;
  failed(error: Error, root: boolean): void;
  /** A frame was drawn. */
  drawn(): void;
  /** Loading began, went on or ended: 0..1. */
  progress(fraction: number, idle: boolean): void;
}

/** The scene's frame follows the camera, so that numbers near it stay small. */
const REANCHOR_DEGREES = 0.02;
const SHADOW_RANGE_M = 5_000;
const SUN = new Vector3(-0.46, 0.64, 0.6).normalize();
const HOVER_DELAY_MS = 60;
/** While tiles arrive, the view is drawn only so often: drawing must not slow down loading. */
const LOADING_FRAME_MS = 250;

export class World {
  readonly camera = new PerspectiveCamera(42, 1, 1, 1e6);
  readonly buildings: Buildings;
  readonly ground = new Ground();
  readonly controls: Controls;
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly earth = new Group();
  private readonly sky = new Sky();
  private readonly sun = new DirectionalLight();
  private readonly ambient = new HemisphereLight();
  private readonly fog = new Fog(0, 1, 2);
  private readonly frame = new Matrix4();
  private readonly inverse = new Matrix4();
  private readonly raycaster = new Raycaster();
  private anchor: { lon: number; lat: number } | null = null;
  private palette: Palette = PALETTES.light;
  private flight: { path: Flight; start: number; done: () => void } | null = null;
  private frameRequest = 0;
  private hoverTimer = 0;
  private lastTime = 0;
  private lastRender = 0;
  private placed = false;
  private left = 0;
  /** The camera moved since the last frame. */
  private moving = false;
  private shadowKey = "";
  private current: Pose = { lon: 24.8, lat: 59.8, ground: 18, range: 150_000, heading: 0, pitch: -60 };

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly events: WorldEvents,
  ) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "high-performance" });
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.renderer.shadowMap.autoUpdate = false;
    this.buildings = new Buildings(this.camera, {
      invalidate: () => this.invalidate(),
      feet: (feet) => {
        for (const { lon, lat, height } of feet) this.ground.addFoot(lon, lat, height);
        this.invalidate();
      },
      failed: (error, root) => this.events.failed(error, root),
      shown: () => this.invalidate(),
    });
    this.camera.matrixAutoUpdate = false;
    this.earth.matrixAutoUpdate = false;
    this.earth.add(this.ground.group, this.buildings.group);
    this.setUpSun();
    this.scene.fog = this.fog;
    this.scene.add(this.sky, this.earth, this.sun, this.sun.target, this.ambient);
    this.controls = new Controls(canvas, this.surface());
    canvas.addEventListener("webglcontextrestored", () => this.invalidate());
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  get pose(): Pose {
    return this.current;
  }

  get idle(): boolean {
    return !this.frameRequest && !this.flight && this.buildings.idle;
  }

  setTheme(theme: Theme): void {
    this.palette = PALETTES[theme];
    this.invalidate();
  }

  show(tilesetUrl: string): void {
    this.buildings.show(tilesetUrl);
  }

  async paint(painter: Painter | null): Promise<void> {
    await this.buildings.paint(painter);
    this.invalidate();
  }

  /** Jump to a pose. */
  move(pose: Pose): void {
    this.current = clampPose(pose);
    this.placed = this.moving = true;
    this.events.moved(this.current);
    this.invalidate();
  }

  /** Fly to a pose; resolves when there, or when a person takes over. */
  flyTo(pose: Pose, instantly: boolean): Promise<void> {
    this.land();
    if (instantly) {
      this.move(pose);
      return Promise.resolve();
    }
    return new Promise((done) => {
      this.flight = { path: fly(this.current, clampPose(pose)), start: performance.now(), done };
      this.invalidate();
    });
  }

  /** Id of the building under a point of the canvas. */
  pick(x: number, y: number): string | null {
    this.aim(x, y);
    return this.buildings.pick(this.raycaster)?.id || null;
  }

  /** Where a building's top is on the canvas, CSS pixels. */
  project(id: string): { x: number; y: number } | null {
    const point = this.buildings.locate(id);
    return point && this.toScreen(point);
  }

  projectPlace(lon: number, lat: number, height: number): { x: number; y: number } | null {
    return this.toScreen(toEcef(lon, lat, height));
  }

  /** Ask for a frame; nothing is drawn before the camera has a place. */
  invalidate(): void {
    if (!this.placed) return;
    this.frameRequest ||= requestAnimationFrame((time) => this.draw(time));
  }

  private surface(): Surface {
    const pose = (): Pose => this.current;
    return {
      get pose() {
        return pose();
      },
      groundAt: (x, y) => this.groundAt(x, y),
      move: (to) => this.move(to),
      click: (x, y) => this.events.picked(this.pick(x, y)),
      hover: (x, y) => this.hover(x, y),
      interrupt: () => this.land(),
    };
  }

  /** Keep the point looked at in the middle of what a panel on the left leaves free, CSS pixels. */
  inset(left: number): void {
    if (this.left === left) return;
    this.left = left;
    this.resize();
  }

  private toScreen(ecef: Vector3): { x: number; y: number } | null {
    const ndc = ecef.applyMatrix4(this.inverse).project(this.camera);
    if (ndc.z > 1 || ndc.z < -1) return null;
    return { x: ((ndc.x + 1) / 2) * this.canvas.clientWidth, y: ((1 - ndc.y) / 2) * this.canvas.clientHeight };
  }

  private land(): void {
    this.flight?.done();
    this.flight = null;
  }

  private aim(x: number, y: number): void {
    const at = new Vector2((x / this.canvas.clientWidth) * 2 - 1, 1 - (y / this.canvas.clientHeight) * 2);
    this.raycaster.setFromCamera(at, this.camera);
  }

  private groundAt(x: number, y: number): Vector3 | null {
    this.aim(x, y);
    const origin = this.raycaster.ray.origin.clone().applyMatrix4(this.frame);
    const direction = this.raycaster.ray.direction.clone().transformDirection(this.frame);
    return meetSurface(origin, direction, this.current.ground);
  }

  private hover(x: number, y: number): void {
    clearTimeout(this.hoverTimer);
    this.hoverTimer = window.setTimeout(() => {
      if (x >= 0) this.aim(x, y);
      const hit = x >= 0 ? this.buildings.pick(this.raycaster) : null;
      this.canvas.style.cursor = hit ? "pointer" : "";
      if (this.buildings.hover(hit)) this.invalidate();
    }, HOVER_DELAY_MS);
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.setViewOffset(width, height, -this.left / 2, 0, width, height);
    this.invalidate();
  }

  private draw(time: number): void {
    this.frameRequest = 0;
    const elapsed = Math.min(400, time - this.lastTime);
    this.lastTime = time;
    this.continueFlight(time);
    const settling = this.ground.step(1 - Math.exp(-elapsed / 140));
    this.followGround(elapsed);
    this.placeCamera();
    this.scene.updateMatrixWorld();
    this.buildings.update(this.canvas.clientWidth, this.canvas.clientHeight, this.palette);
    const due = this.moving || this.flight || this.buildings.idle || time - this.lastRender > LOADING_FRAME_MS;
    if (due) this.render(time);
    this.events.progress(this.buildings.progress, this.buildings.idle);
    if (settling || this.flight || !due) this.invalidate();
  }

  private render(time: number): void {
    this.light();
    this.renderer.render(this.scene, this.camera);
    this.lastRender = time;
    this.moving = false;
    this.events.drawn();
  }

  private continueFlight(time: number): void {
    if (!this.flight) return;
    const { path, start, done } = this.flight;
    const fraction = Math.min(1, Math.max(0, time - start) / path.durationMs);
    this.current = path.at(fraction);
    this.events.moved(this.current);
    if (fraction >= 1) {
      this.flight = null;
      done();
    }
  }

  /** The point looked at keeps to the ground, without a jump. */
  private followGround(elapsed: number): void {
    const level = this.ground.level(this.current.lon, this.current.lat);
    if (level === null || this.flight) return;
    const gap = level - this.current.ground;
    if (Math.abs(gap) < 0.02) return;
    this.current = { ...this.current, ground: this.current.ground + gap * (1 - Math.exp(-elapsed / 160)) };
    this.invalidate();
  }

  private placeCamera(): void {
    const { lon, lat, range } = this.current;
    if (!this.anchor || Math.max(Math.abs(lon - this.anchor.lon) / 2, Math.abs(lat - this.anchor.lat)) > REANCHOR_DEGREES) {
      this.anchor = { lon, lat };
      this.frame.copy(localFrame(lon, lat, 0));
      this.inverse.copy(this.frame).invert();
      this.earth.matrix.copy(this.inverse);
      this.earth.matrixWorldNeedsUpdate = true;
      this.shadowKey = "";
    }
    const matrix = cameraMatrix(this.current).premultiply(this.inverse);
    this.camera.matrix.copy(matrix);
    this.camera.matrixWorldNeedsUpdate = true;
    const eyeHeight = Math.max(2, matrix.elements[13] - this.current.ground);
    const horizon = Math.sqrt(2 * 6.371e6 * eyeHeight);
    this.camera.near = Math.max(0.6, Math.min(range * 0.02, eyeHeight * 0.25));
    this.camera.far = horizon * 1.3 + range * 2;
    this.camera.updateProjectionMatrix();
    this.camera.updateMatrixWorld(true);
    this.fog.near = Math.max(range * 2.2, 1_500);
    this.fog.far = Math.max(range * 9, 9_000) + horizon * 0.15;
  }

  private setUpSun(): void {
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.set(2048, 2048);
    this.sun.shadow.bias = -0.0004;
    this.sun.shadow.normalBias = 0.3;
  }

  private light(): void {
    const { palette } = this;
    this.sky.update(this.camera, palette);
    this.fog.color.copy(palette.horizon);
    this.ground.paint(palette, this.current.range);
    paintBuildings(palette);
    this.ambient.color.copy(palette.skyColour);
    this.ambient.groundColor.copy(palette.bounce);
    this.ambient.intensity = palette.sky;
    this.sun.color.copy(palette.sunColour);
    this.sun.intensity = palette.sun;
    this.castShadows();
  }

  /** Shadows around the point looked at, redrawn when it has moved or tiles have changed. */
  private castShadows(): void {
    const { lon, lat, ground, range } = this.current;
    const reach = Math.min(SHADOW_RANGE_M, Math.max(120, range * 1.4));
    const step = Math.pow(2, Math.round(Math.log2(reach) * 2) / 2);
    const { tiles, features } = this.buildings.counts();
    const target = toEcef(lon, lat, ground).applyMatrix4(this.inverse);
    const cell = step / 6;
    const [x, z] = [Math.round(target.x / cell) * cell, Math.round(target.z / cell) * cell];
    const on = range < SHADOW_RANGE_M * 1.6;
    const key = `${x}/${z}/${step}/${tiles}/${features}/${on}`;
    if (key === this.shadowKey) return;
    this.shadowKey = key;
    this.sun.castShadow = on;
    const shadowCamera = this.sun.shadow.camera;
    shadowCamera.left = shadowCamera.bottom = -step;
    shadowCamera.right = shadowCamera.top = step;
    shadowCamera.near = 1;
    shadowCamera.far = step * 4;
    shadowCamera.updateProjectionMatrix();
    this.sun.target.position.set(x, target.y, z);
    this.sun.position.copy(SUN).multiplyScalar(step * 2).add(this.sun.target.position);
    this.sun.shadow.normalBias = step / 2048;
    this.renderer.shadowMap.needsUpdate = true;
  }
}
