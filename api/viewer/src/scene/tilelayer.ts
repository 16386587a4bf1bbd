/** One tileset in the scene: its tiles, their features, colours and ids. */
import { Matrix4, type Mesh, type MeshLambertMaterial, type Object3D, type PerspectiveCamera, type Raycaster, Vector3 } from "three";
import { MeshoptDecoder } from "three/addons/libs/meshopt_decoder.module.js";
import { TilesRenderer } from "3d-tiles-renderer/three";
import { GLTFExtensionsPlugin } from "3d-tiles-renderer/three/plugins";
import { fetchEarly } from "../data/early";
import { type BuildingUniforms, FeatureColours, buildingMaterial, depthMaterial } from "./material";
import { type Foot, cornersOf, featureAt, featureCount, featureIdReader, floatFeatureIds, measureFeet, meshesOf } from "./tilecontent";

/** Colour (0xrrggbb) of a feature of a tile by its number, null for the model's own. */
export type ColourOf = (feature: number) => number | null;
/** Finds the colours of a tile by the address of its content. */
export type Painter = (contentUrl: string) => Promise<ColourOf>;

export interface LayerHooks {
  invalidate(): void;
  /** The painter to use for tiles that arrive. */
  painter(): Painter | null;
  selected(): string | null;
  feet(feet: Iterable<Foot>): void;
  failed(error: Error, root: boolean): void;
}

interface Content {
  url: string;
  ids: string[];
  count: number;
  meshes: Mesh[];
  colours: FeatureColours;
  uniforms: BuildingUniforms[];
}

interface LibraryTile {
  geometricError: number;
  content?: { uri?: string };
  internal: { basePath: string };
  traversal: { visible: boolean };
}

export interface Hit {
  id: string;
  content: Content;
  feature: number;
  /** Where the ray met it, in the scene. */
  point: Vector3;
}

const SCREEN_ERROR_PX = 12;

/**
 * A tile may be as coarse as the tile above it, where both leave out the same building. The library would take
 * such a tile for one to be refined whatever its size on screen, even of the other city.
 */
const FINER = 1 - 2 ** -10;

function refineFurther(tile: LibraryTile, parent: LibraryTile | null): void {
  if (parent && tile.geometricError >= parent.geometricError) tile.geometricError = parent.geometricError * FINER;
}

export class TileLayer {
  readonly tiles: TilesRenderer;
  private readonly contents = new Map<LibraryTile, Content>();
  private hovered: { content: Content; feature: number } | null = null;
  private failed = false;
  private loaded = false;
  /** The tileset itself could not be loaded. */
  broken = false;
  private disposed = false;

  constructor(
    readonly url: string,
    private readonly camera: PerspectiveCamera,
    private readonly hooks: LayerHooks,
  ) {
    const tiles = new TilesRenderer(url);
    tiles.errorTarget = SCREEN_ERROR_PX;
    tiles.registerPlugin(
      new GLTFExtensionsPlugin({
        metadata: false,
        rtc: false,
        meshoptDecoder: MeshoptDecoder,
        plugins: [featureIdReader],
        autoDispose: false,
      }),
    );
    // What is shown stays until what replaces it is there: coarser tiles than the view needs would come for nothing.
    tiles.loadAncestors = false;
    tiles.registerPlugin({
      name: "BUILDINGS",
      fetchData: fetchEarly,
      preprocessNode: (tile: LibraryTile, _folder: string, parent: LibraryTile | null) => refineFurther(tile, parent),
      processTileModel: (scene: Object3D, tile: LibraryTile) => this.prepare(scene, tile),
    });
    tiles.setCamera(camera);
    tiles.addEventListener("needs-update", () => hooks.invalidate());
    tiles.addEventListener("tiles-load-end", () => hooks.invalidate());
    tiles.addEventListener("load-root-tileset", () => {
      this.loaded = true;
      hooks.invalidate();
    });
    tiles.addEventListener("load-error", ({ tile, error }) => {
      if (tile) this.failed = true;
      else this.broken = true;
      if (!this.disposed) hooks.failed(error, !tile);
      hooks.invalidate();
    });
    tiles.addEventListener("dispose-model", ({ tile }) => this.forget(tile as unknown as LibraryTile));
    this.tiles = tiles;
  }

  /** Everything that the camera asks for is here. */
  get idle(): boolean {
    const { queued, downloading, parsing } = this.stats;
    return this.broken || (this.loaded && queued + downloading + parsing === 0);
  }

  /** Something could not be loaded. */
  get incomplete(): boolean {
    return this.broken || this.failed;
  }

  /** Something that the camera needs is on its way, or everything is there. */
  get asked(): boolean {
    return this.broken || (this.loaded && (this.stats.downloading > 0 || this.tiles.loadProgress === 1));
  }

  private get stats(): Record<"queued" | "downloading" | "parsing", number> {
    return (this.tiles as unknown as { stats: Record<"queued" | "downloading" | "parsing", number> }).stats;
  }

  get progress(): number {
    return this.loaded ? this.tiles.loadProgress : 0;
  }

  update(width: number, height: number): void {
    this.tiles.setResolution(this.camera, width, height);
    this.tiles.update();
  }

  /** Numbers of the tiles and features on screen. */
  counts(): { tiles: number; features: number } {
    let [tiles, features] = [0, 0];
    for (const [tile, content] of this.contents) {
      if (!tile.traversal.visible) continue;
      tiles += 1;
      features += content.count;
    }
    return { tiles, features };
  }

  visibleIds(): string[] {
    return [...this.contents].filter(([tile]) => tile.traversal.visible).flatMap(([, content]) => content.ids);
  }

  async recolour(): Promise<void> {
    await Promise.all([...this.contents.values()].map((content) => this.paint(content)));
    this.hooks.invalidate();
  }

  select(id: string | null): void {
    for (const content of this.contents.values()) markSelected(content, id);
  }

  hover(hit: Hit | null): boolean {
    const known = this.hovered;
    if (known?.content === hit?.content && known?.feature === hit?.feature) return false;
    if (known) for (const own of known.content.uniforms) own.uHovered.value = -1;
    if (hit) for (const own of hit.content.uniforms) own.uHovered.value = hit.feature;
    this.hovered = hit;
    return true;
  }

  pick(raycaster: Raycaster): Hit | null {
    const [nearest] = raycaster.intersectObject(this.tiles.group, true);
    if (!nearest?.face) return null;
    const mesh = nearest.object as Mesh;
    const content = this.contents.get(mesh.userData.tile as LibraryTile);
    if (!content) return null;
    const feature = featureAt(mesh, nearest.face.a, nearest.instanceId);
    return { id: content.ids[feature] ?? "", content, feature, point: nearest.point };
  }

  /** The corners of a feature's triangles in EPSG:4978, from the finest tile on screen that has it. */
  triangles(id: string): Vector3[] {
    let best: Vector3[] = [];
    const toGroup = new Matrix4();
    for (const [tile, content] of this.contents) {
      const feature = content.ids.indexOf(id);
      if (feature < 0 || !tile.traversal.visible) continue;
      best = [];
      for (const mesh of content.meshes) {
        toGroup.multiplyMatrices(this.tiles.group.matrixWorldInverse, mesh.matrixWorld);
        best.push(...cornersOf(mesh, feature, toGroup));
      }
    }
    return best;
  }

  dispose(): void {
    this.disposed = true;
    this.tiles.group.removeFromParent();
    this.tiles.dispose();
    for (const tile of [...this.contents.keys()]) this.forget(tile);
  }

  /** Runs when a tile is parsed and before it is shown, so that it appears in its final colours. */
  private async prepare(scene: Object3D, tile: LibraryTile): Promise<void> {
    scene.updateMatrixWorld(true);
    const meshes = meshesOf(scene);
    const feet = new Map<number, Foot>();
    for (const { geometry } of meshes) floatFeatureIds(geometry);
    const colours = new FeatureColours(featureCount(meshes));
    const uniforms = meshes.map((mesh) => {
      const down = measureFeet(mesh, mesh.matrixWorld, feet);
      const given = mesh.material as MeshLambertMaterial;
      given.dispose();
      const [material, own] = buildingMaterial(colours, down, mesh.geometry.hasAttribute("color"), given);
      mesh.material = material;
      mesh.customDepthMaterial = depthMaterial(own);
      mesh.castShadow = mesh.receiveShadow = true;
      return own;
    });
    const ids = (scene.userData.ids as string[] | undefined) ?? [];
    const content = { url: contentUrl(tile), ids, count: colours.count, meshes, colours, uniforms };
    markSelected(content, this.hooks.selected());
    await this.paint(content);
    this.contents.set(tile, content);
    this.hooks.feet(feet.values());
  }

  private async paint(content: Content): Promise<void> {
    const painter = this.hooks.painter();
    if (!painter) return content.colours.set(() => null);
    try {
      const colourOf = await painter(content.url);
      if (painter === this.hooks.painter()) content.colours.set(colourOf);
    } catch (error) {
      if (!this.disposed) this.hooks.failed(error as Error, false);
    }
  }

  private forget(tile: LibraryTile): void {
    const content = this.contents.get(tile);
    if (!content) return;
    if (this.hovered?.content === content) this.hovered = null;
    content.colours.dispose();
    for (const mesh of content.meshes) mesh.customDepthMaterial?.dispose();
    this.contents.delete(tile);
  }
}

function markSelected(content: Pick<Content, "ids" | "uniforms">, id: string | null): void {
  const feature = id === null ? -1 : content.ids.indexOf(id);
  for (const own of content.uniforms) own.uSelected.value = feature;
}

function contentUrl(tile: LibraryTile): string {
  return new URL(tile.content?.uri ?? "", `${tile.internal.basePath}/`).toString();
}
