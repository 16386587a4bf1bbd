/** The surfaces of the selected building: what each is and measures, found under the pointer and marked. */
import { BufferGeometry, Group, Matrix4, Mesh, MeshBasicMaterial, type Object3D, type Raycaster } from "three";
import { GLTFLoader, type GLTFLoaderPlugin, type GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/addons/libs/meshopt_decoder.module.js";
import { fetchBytes } from "../data/api";
import { fetchSingle } from "../data/single";

const SURFACE_IDS = "_feature_id_1";
const SURFACE_TABLE = 1;
/** What a number of a table is where there is none: as the service writes it, the least 32-bit float. */
const NO_NUMBER = -3e38;

export interface Surface {
  /** As CityJSON names it: `RoofSurface`. */
  type: string;
  area_m2: number | null;
  slope_deg: number | null;
  /** Clockwise from grid north. */
  azimuth_deg: number | null;
}

interface Metadata {
  schema: { enums?: Record<string, { values: { name: string; value: number }[] }> };
  propertyTables: { count: number; properties: Record<string, { values: number } | undefined> }[];
}

/** Reads the table of surfaces (EXT_structural_metadata) into `scene.userData.surfaces`. */
export function surfaceReader(parser: GLTFParser): GLTFLoaderPlugin {
  return {
    name: "EXT_structural_metadata",
    async afterRoot(result) {
      const { extensions } = parser.json as { extensions?: { EXT_structural_metadata?: Metadata } };
      const metadata = extensions?.EXT_structural_metadata;
      const table = metadata?.propertyTables[SURFACE_TABLE];
      if (!metadata || !table) return;
      const bytes = async (name: string): Promise<ArrayBuffer | null> => {
        const view = table.properties[name]?.values;
        return view === undefined ? null : ((await parser.getDependency("bufferView", view)) as ArrayBuffer);
      };
      const names = new Map(metadata.schema.enums?.surface_type?.values.map(({ name, value }) => [value, name]));
      const types = await bytes("surface_type");
      const codes = types && new Uint8Array(types, 0, table.count);
      const numbers = async (name: string): Promise<(number | null)[]> => {
        const values = await bytes(name);
        return values ? Array.from(new Float32Array(values, 0, table.count), (one) => (one < NO_NUMBER ? null : one)) : [];
      };
      const [areas, slopes, azimuths] = await Promise.all(["area_m2", "slope_deg", "azimuth_deg"].map(numbers));
      result.scene.userData.surfaces = Array.from({ length: table.count }, (_, i): Surface => ({
        type: names.get(codes?.[i] ?? -1) ?? "",
        area_m2: areas[i] ?? null,
        slope_deg: slopes[i] ?? null,
        azimuth_deg: azimuths[i] ?? null,
      }));
    },
  };
}

/** glTF has y up where 3D Tiles have z (3D Tiles 1.1, "glTF transforms"). */
const Z_UP = new Matrix4().makeRotationX(Math.PI / 2);

export class Surfaces {
  /** In EPSG:4978. */
  readonly group = new Group();
  private wanted: string | null = null;
  /** The building whose surfaces are here. */
  private id: string | null = null;
  private model: Object3D | null = null;
  private readonly mark = new Mesh(
    new BufferGeometry(),
    new MeshBasicMaterial({ transparent: true, opacity: 0.5, depthWrite: false, polygonOffset: true, polygonOffsetFactor: -2, polygonOffsetUnits: -2, side: 2 }),
  );
  private marked = -1;

  constructor() {
    this.group.matrixAutoUpdate = false;
    this.mark.visible = false;
    this.mark.frustumCulled = false;
    this.mark.matrixAutoUpdate = false;
    this.group.add(this.mark);
  }

  /** Get the surfaces of a building; without them, the building shows none. */
  show(id: string | null): void {
    this.wanted = id;
    if (id === this.id) return;
    this.clear();
    if (id) this.load(id).catch((error: unknown) => console.warn(error));
  }

  /** The surface under the pointer, if it is of the building whose surfaces are shown. */
  pick(id: string | null, raycaster: Raycaster): Surface | null {
    const [nearest] = this.model && id === this.id ? raycaster.intersectObject(this.model, true) : [];
    const mesh = nearest?.object as Mesh | undefined;
    const corner = nearest?.face?.a;
    if (!mesh || corner === undefined) return this.unmark();
    const number = mesh.geometry.getAttribute(SURFACE_IDS).getX(corner);
    const known = (this.model?.userData.surfaces as Surface[] | undefined)?.[number];
    if (number !== this.marked) this.draw(mesh, number);
    return known ?? null;
  }

  dispose(): void {
    this.wanted = null;
    this.clear();
  }

  private async load(id: string): Promise<void> {
    const single = await fetchSingle(id);
    if (!single || this.wanted !== id) return;
    const bytes = await fetchBytes(single.url);
    const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).register(surfaceReader);
    const { scene } = await loader.parseAsync(bytes.buffer as ArrayBuffer, "");
    if (this.wanted !== id) return;
    this.id = id;
    this.model = scene;
    // It is there to be met by rays: what is seen are the tiles.
    scene.visible = false;
    this.group.matrix.multiplyMatrices(single.transform, Z_UP);
    this.group.matrixWorldNeedsUpdate = true;
    this.group.add(scene);
    // The pointer may ask before the next frame.
    this.group.updateWorldMatrix(true, true);
  }

  private draw(mesh: Mesh, number: number): void {
    const ids = mesh.geometry.getAttribute(SURFACE_IDS);
    const corners = Array.from(mesh.geometry.getIndex()?.array ?? []);
    this.mark.geometry.dispose();
    this.mark.geometry = new BufferGeometry();
    this.mark.geometry.setAttribute("position", mesh.geometry.getAttribute("position"));
    this.mark.geometry.setIndex(corners.filter((corner) => ids.getX(corner) === number));
    mesh.updateWorldMatrix(true, false);
    this.mark.matrix.copy(this.group.matrixWorld).invert().multiply(mesh.matrixWorld);
    this.mark.matrixWorldNeedsUpdate = true;
    this.mark.visible = true;
    this.marked = number;
  }

  private unmark(): null {
    this.mark.visible = false;
    this.marked = -1;
    return null;
  }

  private clear(): void {
    this.unmark();
    this.id = null;
    this.model?.removeFromParent();
    this.model?.traverse((part) => (part as Partial<Mesh>).geometry?.dispose());
    this.model = null;
  }
}
