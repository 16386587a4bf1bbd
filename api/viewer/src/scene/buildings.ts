/** The buildings on show: one tileset, replaced without a flash when the filter changes. */
import { BufferGeometry, EdgesGeometry, Float32BufferAttribute, Group, LineBasicMaterial, LineSegments, type PerspectiveCamera, type Raycaster, Vector3 } from "three";
import type { Palette } from "./palette";
import { type Surface, Surfaces } from "./surfaces";
import { type Hit, type LayerHooks, type Painter, TileLayer } from "./tilelayer";

export interface BuildingHooks {
  invalidate(): void;
  feet: LayerHooks["feet"];
  failed: LayerHooks["failed"];
  /** A tileset is shown in full. */
  shown(): void;
  /** Another surface of the selected building is under the pointer, or none. */
  surface(found: Surface | null): void;
}

export class Buildings {
  /** In EPSG:4978. */
  readonly group = new Group();
  private current: TileLayer | null = null;
  private next: TileLayer | null = null;
  private paintWith: Painter | null = null;
  private selectedId: string | null = null;
  private readonly outline = new LineSegments(new BufferGeometry(), new LineBasicMaterial());
  private outlined = "";
  private readonly surfaces = new Surfaces();
  private surface: Surface | null = null;
  private wanted = "";

  constructor(
    private readonly camera: PerspectiveCamera,
    private readonly hooks: BuildingHooks,
  ) {
    this.outline.matrixAutoUpdate = false;
    this.outline.frustumCulled = false;
    this.outline.visible = false;
    this.group.add(this.outline, this.surfaces.group);
  }

  /** Load a tileset beside the one on show and change over when it is complete. */
  show(url: string): void {
    this.wanted = url;
    if ((this.next ?? this.current)?.url === url) return;
    this.next?.dispose();
    this.next = null;
    if (this.current?.url !== url) this.load(url);
  }

  private load(url: string): void {
    const layer = new TileLayer(url, this.camera, {
      ...this.hooks,
      painter: () => this.paintWith,
      selected: () => this.selectedId,
    });
    if (this.current) {
      layer.tiles.group.visible = false;
      this.next = layer;
    } else {
      this.current = layer;
    }
    this.group.add(layer.tiles.group);
    this.hooks.invalidate();
  }

  async paint(painter: Painter | null): Promise<void> {
    this.paintWith = painter;
    await Promise.all([this.current?.recolour(), this.next?.recolour()]);
  }

  select(id: string | null): void {
    this.selectedId = id;
    this.current?.select(id);
    this.next?.select(id);
    this.surfaces.show(id);
    this.outlined = "";
    this.hooks.invalidate();
  }

  pick(raycaster: Raycaster): Hit | null {
    return this.current?.pick(raycaster) ?? null;
  }

  /** What is under the pointer; true where the view shows it otherwise than before. */
  hover(hit: Hit | null, raycaster: Raycaster): boolean {
    const found = this.surfaces.pick(hit?.id ?? null, raycaster);
    const other = found !== this.surface;
    this.surface = found;
    if (other) this.hooks.surface(found);
    return (this.current?.hover(hit) ?? false) || other;
  }

  /** Middle of a building's top, EPSG:4978, or null where it is not on screen. */
  locate(id: string): Vector3 | null {
    const corners = this.current?.triangles(id) ?? [];
    if (!corners.length) return null;
    const middle = corners.reduce((sum, corner) => sum.add(corner), new Vector3()).divideScalar(corners.length);
    const up = middle.clone().normalize();
    const top = Math.max(...corners.map((corner) => corner.clone().sub(middle).dot(up)));
    return middle.addScaledVector(up, top);
  }

  get idle(): boolean {
    return !this.next && (this.current?.idle ?? false);
  }

  /** Tiles are on their way, or all there. */
  get asked(): boolean {
    return this.current?.asked ?? false;
  }

  get progress(): number {
    return (this.next ?? this.current)?.progress ?? 0;
  }

  counts(): { tiles: number; features: number } {
    return this.current?.counts() ?? { tiles: 0, features: 0 };
  }

  visibleIds(): string[] {
    return this.current?.visibleIds() ?? [];
  }

  retry(): void {
    // The library does not ask again for what failed: all is asked for anew, and replaces what is on show.
    if (this.next?.incomplete) this.giveUp(this.next);
    if (this.next || !this.wanted) return;
    if (this.current?.url !== this.wanted || this.current.incomplete) this.load(this.wanted);
  }

  dispose(): void {
    this.current?.dispose();
    this.next?.dispose();
    this.current = this.next = null;
    this.surfaces.dispose();
  }

  update(width: number, height: number, palette: Palette): void {
    this.current?.update(width, height);
    this.next?.update(width, height);
    if (this.next?.broken) this.giveUp(this.next);
    else if (this.next?.idle) this.changeOver(this.next);
    this.drawOutline(palette);
  }

  /** A tileset that cannot be had leaves the one on show. */
  private giveUp(next: TileLayer): void {
    next.dispose();
    this.next = null;
  }

  private changeOver(next: TileLayer): void {
    this.current?.dispose();
    this.current = next;
    this.next = null;
    next.tiles.group.visible = true;
    this.outlined = "";
    this.hooks.shown();
    this.hooks.invalidate();
  }

  /** The edges of the selected building, crisp over its faces. */
  private drawOutline(palette: Palette): void {
    this.outline.material.color = palette.edge;
    const { tiles } = this.counts();
    const key = `${this.selectedId}/${tiles}`;
    if (key === this.outlined) return;
    this.outlined = key;
    const corners = this.selectedId ? (this.current?.triangles(this.selectedId) ?? []) : [];
    this.outline.visible = corners.length > 0;
    if (!corners.length) return;
    const origin = corners[0].clone();
    const flat = new Float32Array(corners.length * 3);
    corners.forEach((corner, i) => corner.clone().sub(origin).toArray(flat, i * 3));
    const triangles = new BufferGeometry();
    triangles.setAttribute("position", new Float32BufferAttribute(flat, 3));
    this.outline.geometry.dispose();
    this.outline.geometry = new EdgesGeometry(triangles, 20);
    this.outline.matrix.makeTranslation(origin);
    this.outline.matrixWorldNeedsUpdate = true;
  }
}
