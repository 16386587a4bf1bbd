/** The 3D view: scene, camera, light and loop. It draws only when something changed. */
import { Fog, Group, Matrix4, PCFShadowMap, PerspectiveCamera, Raycaster, Scene, Vector2, type Vector3, WebGLRenderer } from "three";
import type { SunPosition } from "../geo/sun";
import { localFrame, meetSurface } from "../geo/geodesy";
import { type BuildingHooks, Buildings } from "./buildings";
import { Controls, type Surface } from "./controls";
import { type Flight, fly } from "./flight";
import { Frames } from "./frames";
import { Ground } from "./ground";
import { Light } from "./light";
import { paintBuildings } from "./material";
import { nearFirst } from "./order";
import { PALETTES, type Palette, type Theme } from "./palette";
import { type Pose, cameraMatrix, clampPose } from "./pose";
import { Projection, type Screen } from "./projection";
import { type Drawing, FINE } from "./quality";
import { Sky } from "./sky";
import type { Painter } from "./tilelayer";

export interface WorldEvents {
  /** A point of the canvas was clicked, CSS pixels. */
  clicked(x: number, y: number): void;
  /** A double click; true where it has a meaning of its own, so that the view does not zoom. */
  doubleClicked(): boolean;
  moved(pose: Pose): void;
  failed(error: Error, root: boolean): void;
  mapTileFailed(): void;
  /** A frame was drawn; `complete`: with all that the view needs. */
  drawn(complete: boolean): void;
  /** Another tileset is on show. */
  replaced(): void;
  surface: BuildingHooks["surface"];
  /** WebGL did not start. */
  blind(error: Error): void;
  /** Loading began, went on or ended: 0..1. */
  progress(fraction: number, idle: boolean): void;
}

/** The scene's frame follows the camera, so that numbers near it stay small. */
const REANCHOR_DEGREES = 0.02;
const HOVER_DELAY_MS = 60;
/** WebGL may block for long when it starts: tiles are asked for before, if their places come in time. */
const HEAD_START_MS = 250;

export class World {
  readonly camera = new PerspectiveCamera(42, 1, 1, 1e6);
  readonly buildings: Buildings;
  readonly ground = new Ground({ invalidate: () => this.invalidate(), tileFailed: () => this.events.mapTileFailed() });
  readonly controls: Controls;
  private renderer: WebGLRenderer | null = null;
  private drawing: Drawing = FINE;
  private disposed = false;
  private shadowMap: number | null = null;
  /** Tiles are on their way. */
  private asked = (): void => undefined;
  private readonly scene = new Scene();
  private readonly earth = new Group();
  private readonly sky = new Sky();
  private readonly light: Light;
  private readonly fog = new Fog(0, 1, 2);
  private readonly frame = new Matrix4();
  private readonly inverse = new Matrix4();
  private readonly raycaster = new Raycaster();
  private anchor: { lon: number; lat: number } | null = null;
  private palette: Palette = PALETTES.light;
  private flight: { path: Flight; start: number; done: () => void } | null = null;
  private readonly frames: Frames;
  private readonly resizing = new ResizeObserver(() => this.resize());
  private hoverTimer = 0;
  private lastTime = 0;
  private placed = false;
  private left = 0;
  /** The view was drawn with all that it needs at least once. */
  private seen = false;
  private sunlit = false;
  /** The camera moved since the last frame. */
  private moving = false;
  /** Colours or buildings changed since the last frame: they are there at once, and crisp a moment later. */
  private changed = false;
  private current: Pose = { lon: 24.8, lat: 59.8, ground: 18, range: 150_000, heading: 0, pitch: -60 };

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly events: WorldEvents,
    drawing: Promise<Drawing>,
  ) {
    this.light = new Light(FINE.shadowMap);
    const work = { ready: () => this.placed, advance: () => this.advance(), draw: (time: number) => this.draw(time) };
    this.frames = new Frames(work);
    this.buildings = new Buildings(this.camera, {
      invalidate: () => this.frames.stir(),
      feet: (feet) => {
        for (const { lon, lat, height } of feet) this.ground.addFoot(lon, lat, height);
        this.frames.stir();
      },
      failed: (error, root) => this.events.failed(error, root),
      surface: (found) => this.events.surface(found),
      shown: () => {
        this.events.replaced();
        this.changed = true;
        this.invalidate();
      },
    });
    this.camera.matrixAutoUpdate = false;
    this.earth.matrixAutoUpdate = false;
    this.earth.add(this.ground.group, this.buildings.group);
    this.scene.fog = this.fog;
    this.scene.add(this.sky, this.earth, this.light.group);
    this.controls = new Controls(canvas, this.surface());
    canvas.addEventListener("webglcontextrestored", () => this.invalidate());
    this.resizing.observe(canvas);
    this.resize();
    const requests = new Promise<void>((resolve) => {
      this.asked = () => window.setTimeout(resolve);
      window.setTimeout(resolve, HEAD_START_MS);
    });
    void Promise.all([drawing, requests]).then(([known]) => this.start(known));
  }

  /** Start WebGL. */
  private start(drawing: Drawing): void {
    if (this.disposed) return;
    this.drawing = drawing;
    const { canvas } = this;
    const { antialias, patience } = drawing;
    try {
      this.renderer = new WebGLRenderer({ canvas, antialias, powerPreference: "high-performance" });
    } catch (error) {
      return this.events.blind(error as Error);
    }
    this.renderer.setOpaqueSort(nearFirst);
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.renderer.shadowMap.autoUpdate = false;
    this.setShadowMap(this.shadowMap);
    this.resize();
    this.frames.release(patience);
  }

  get pose(): Pose {
    return this.current;
  }

  get idle(): boolean {
    return this.placed && this.seen && this.frames.idle && !this.flight && this.buildings.idle && this.ground.baseMap.idle;
  }

  setTheme(theme: Theme): void {
    this.palette = PALETTES[theme];
    this.invalidate();
  }

  /** Texels a side of the shadow map. */
  setShadowMap(size: number | null): void {
    this.shadowMap = size;
    this.light.resize(size ?? this.drawing.shadowMap);
    this.invalidate();
  }

  /** The sun of a moment with its shadows, or null for the usual light. */
  setSun(position: SunPosition | null): void {
    this.light.set(position);
    this.sunlit = position !== null;
    this.invalidate();
  }

  show(tilesetUrl: string): void {
    this.buildings.show(tilesetUrl);
  }

  async paint(painter: Painter | null): Promise<void> {
    await this.buildings.paint(painter);
    this.changed = true;
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
    this.halt();
    if (instantly) {
      this.move(pose);
      return Promise.resolve();
    }
    return new Promise((done) => {
      this.flight = { path: fly(this.current, clampPose(pose)), start: performance.now(), done };
      this.invalidate();
    });
  }

  /** End a flight where it is. */
  halt(): void {
    this.flight?.done();
    this.flight = null;
  }

  /** Free what the view holds; it cannot be used afterwards. */
  dispose(): void {
    this.halt();
    this.placed = false;
    clearTimeout(this.hoverTimer);
    this.disposed = true;
    this.resizing.disconnect();
    this.frames.stop();
    this.buildings.dispose();
    this.ground.baseMap.dispose();
    this.renderer?.dispose();
    this.renderer?.forceContextLoss();
  }

  /** Id of the building under a point of the canvas. */
  pick(x: number, y: number): string | null {
    this.aim(x, y);
    return this.buildings.pick(this.raycaster)?.id || null;
  }

  /** Where a building's top is on the canvas, CSS pixels. */
  project(id: string): Screen | null {
    const point = this.buildings.locate(id);
    return point && this.projection().point(point);
  }

  /** From EPSG:4978 to CSS pixels of the canvas, by the camera of the last frame. */
  projection(): Projection {
    return new Projection(this.camera, this.inverse, this.canvas.clientWidth, this.canvas.clientHeight);
  }

  /** Where the point looked at is on the canvas, CSS pixels. */
  get centre(): Screen {
    return { x: (this.canvas.clientWidth + this.left) / 2, y: this.canvas.clientHeight / 2 };
  }

  /** Ask for a frame; nothing is drawn before the camera has a place. */
  invalidate(): void {
    this.frames.request();
  }

  /** The building or else the ground under a point of the canvas, EPSG:4978, or null in the sky. */
  surfaceAt(x: number, y: number): Vector3 | null {
    this.aim(x, y);
    return this.buildings.pick(this.raycaster)?.point.applyMatrix4(this.frame) ?? this.groundAt(x, y);
  }

  private surface(): Surface {
    const pose = (): Pose => this.current;
    return {
      get pose() {
        return pose();
      },
      groundAt: (x, y) => this.groundAt(x, y),
      move: (to) => this.move(to),
      click: (x, y) => this.events.clicked(x, y),
      doubleClick: () => this.events.doubleClicked(),
      hover: (x, y) => this.hover(x, y),
      interrupt: () => this.halt(),
    };
  }

  /** Keep the point looked at in the middle of what panels leave free: pixels on the left less those on the right. */
  inset(left: number): void {
    if (this.left === left) return;
    this.left = left;
    this.frameView();
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
      if (this.buildings.hover(hit, this.raycaster)) this.invalidate();
    }, HOVER_DELAY_MS);
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.renderer?.setSize(width, height, false);
    this.frameView();
  }

  private frameView(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.camera.aspect = width / height;
    this.camera.setViewOffset(width, height, -this.left / 2, 0, width, height);
    this.invalidate();
  }

  /** Place the camera and let the tiles follow it; true when all are there. */
  private advance(): boolean {
    this.placeCamera();
    this.scene.updateMatrixWorld();
    this.buildings.update(this.canvas.clientWidth, this.canvas.clientHeight, this.palette);
    this.events.progress(this.buildings.progress, this.buildings.idle);
    if (this.buildings.asked) this.asked();
    return this.buildings.idle;
  }

  private draw(time: number): "again" | "coarse" | "fine" {
    const elapsed = Math.min(400, time - this.lastTime);
    this.lastTime = time;
    this.continueFlight(time);
    // Where frames are dear, the ground does not glide to its place.
    const glides = this.drawing.movingRatio === this.drawing.ratio;
    const settling = this.ground.step(glides ? 1 - Math.exp(-elapsed / 140) : 1) && glides;
    const following = this.followGround(glides ? elapsed : Infinity);
    const idle = this.advance();
    // Nobody waits for a coarse frame before the first view.
    const hasty = this.seen && (this.moving || this.changed);
    const fine = glides || (idle && !this.flight && !hasty);
    if (this.renderer) this.render(this.renderer, fine ? this.drawing.ratio : this.drawing.movingRatio);
    this.seen ||= idle;
    this.events.drawn(idle);
    this.moving = this.changed = false;
    if (this.flight || settling || following) return "again";
    return fine ? "fine" : "coarse";
  }

  /** `most`: pixels of the canvas for each of the screen. */
  private render(renderer: WebGLRenderer, most: number): void {
    const ratio = Math.min(most, Math.max(1, window.devicePixelRatio));
    if (renderer.getPixelRatio() !== ratio) renderer.setPixelRatio(ratio);
    const { palette } = this;
    this.sky.update(this.camera, palette);
    this.fog.color.copy(palette.horizon);
    const shadows = this.drawing.shadows || this.sunlit;
    paintBuildings(palette);
    this.light.paint(palette);
    this.ground.baseMap.follow(this.current, this.canvas.clientHeight);
    this.ground.paint(palette, this.current.range, shadows ? null : this.light.onLevelGround());
    const { tiles, features } = this.buildings.counts();
    if (this.light.aim(this.current, this.inverse, `${tiles}/${features}`, shadows)) renderer.shadowMap.needsUpdate = true;
    renderer.render(this.scene, this.camera);
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

  /** The point looked at keeps to the ground, without a jump; true while on the way. */
  private followGround(elapsed: number): boolean {
    const level = this.ground.level(this.current.lon, this.current.lat);
    if (level === null || this.flight) return false;
    const gap = level - this.current.ground;
    if (Math.abs(gap) < 0.02) return false;
    this.current = { ...this.current, ground: this.current.ground + gap * (1 - Math.exp(-elapsed / 160)) };
    return elapsed < Infinity;
  }

  private placeCamera(): void {
    const { lon, lat, range } = this.current;
    if (!this.anchor || Math.max(Math.abs(lon - this.anchor.lon) / 2, Math.abs(lat - this.anchor.lat)) > REANCHOR_DEGREES) {
      this.anchor = { lon, lat };
      this.frame.copy(localFrame(lon, lat, 0));
      this.inverse.copy(this.frame).invert();
      this.earth.matrix.copy(this.inverse);
      this.earth.matrixWorldNeedsUpdate = true;
      this.light.forget();
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
}
