/** What one tile holds beside triangles: ids of its features and the place of their feet. */
import { BufferAttribute, type BufferGeometry, type Matrix4, type Mesh, type Object3D, Vector3 } from "three";
import type { GLTFLoaderPlugin, GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import { localAxes, toGeodetic } from "../geo/geodesy";

export const FEATURE_ATTRIBUTE = "_feature_id_0";

interface PropertyTable {
  count: number;
  properties: Record<string, { values: number; stringOffsets?: number; stringOffsetType?: string }>;
}

/** Reads the text property `id` of property table 0 (EXT_structural_metadata) into `scene.userData.ids`. */
export function featureIdReader(parser: GLTFParser): GLTFLoaderPlugin {
  return {
    name: "EXT_structural_metadata",
    async afterRoot(result) {
      const extensions = (parser.json as { extensions?: Record<string, { propertyTables?: PropertyTable[] }> }).extensions;
      const table = extensions?.EXT_structural_metadata?.propertyTables?.[0];
      const property = table?.properties.id;
      if (!table || property?.stringOffsets === undefined) return;
      const [values, offsets] = (await Promise.all([
        parser.getDependency("bufferView", property.values),
        parser.getDependency("bufferView", property.stringOffsets),
      ])) as [ArrayBuffer, ArrayBuffer];
      result.scene.userData.ids = readStrings(values, readOffsets(offsets, property.stringOffsetType, table.count));
    },
  };
}

function readOffsets(buffer: ArrayBuffer, type: string | undefined, count: number): ArrayLike<number> {
  if (type === "UINT8") return new Uint8Array(buffer, 0, count + 1);
  if (type === "UINT16") return new Uint16Array(buffer, 0, count + 1);
  if (type === "UINT64") return Array.from(new BigUint64Array(buffer, 0, count + 1), Number);
  return new Uint32Array(buffer, 0, count + 1);
}

function readStrings(values: ArrayBuffer, offsets: ArrayLike<number>): string[] {
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(values);
  return Array.from({ length: offsets.length - 1 }, (_, i) => decoder.decode(bytes.subarray(offsets[i], offsets[i + 1])));
}

export function meshesOf(scene: Object3D): Mesh<BufferGeometry>[] {
  const meshes: Mesh<BufferGeometry>[] = [];
  scene.traverse((child) => {
    const mesh = child as Mesh<BufferGeometry>;
    if (mesh.isMesh && mesh.geometry.hasAttribute(FEATURE_ATTRIBUTE)) meshes.push(mesh);
  });
  return meshes;
}

export function featureCount(meshes: Mesh<BufferGeometry>[]): number {
  let count = 0;
  for (const { geometry } of meshes) {
    const { array } = geometry.getAttribute(FEATURE_ATTRIBUTE) as BufferAttribute;
    for (let i = 0; i < array.length; i++) count = Math.max(count, array[i] + 1);
  }
  return count;
}

/** A vertex shader reads feature ids as float; 32-bit integers would arrive as integers. */
export function floatFeatureIds(geometry: BufferGeometry): void {
  const ids = geometry.getAttribute(FEATURE_ATTRIBUTE);
  const array = Float32Array.from({ length: ids.count }, (_, i) => ids.getX(i));
  geometry.setAttribute(FEATURE_ATTRIBUTE, new BufferAttribute(array, 1));
}

export interface Foot {
  lon: number;
  lat: number;
  height: number;
}

/**
 * Sets attribute `above` (metres over the feature's lowest vertex) and adds the feet by feature.
 * `toEcef` maps the mesh to EPSG:4978. Returns one metre down in the mesh's own frame.
 */
export function measureFeet(mesh: Mesh<BufferGeometry>, toEcef: Matrix4, feet: Map<number, Foot>): Vector3 {
  const position = mesh.geometry.getAttribute("position");
  const ids = mesh.geometry.getAttribute(FEATURE_ATTRIBUTE);
  const point = new Vector3();
  mesh.geometry.computeBoundingSphere();
  const centre = mesh.geometry.boundingSphere!.center.clone();
  const middle = toGeodetic(point.copy(centre).applyMatrix4(toEcef));
  const { up } = localAxes(middle.lon, middle.lat);
  const e = toEcef.elements;
  // Rows of the transposed matrix: heights come from one dot product per vertex.
  const local = new Vector3(
    up.x * e[0] + up.y * e[1] + up.z * e[2],
    up.x * e[4] + up.y * e[5] + up.z * e[6],
    up.x * e[8] + up.y * e[9] + up.z * e[10],
  );
  const lowest = new Map<number, { at: number; height: number }>();
  const heights = new Float32Array(position.count);
  for (let i = 0; i < position.count; i++) {
    point.fromBufferAttribute(position, i).sub(centre);
    heights[i] = point.dot(local);
    const feature = ids.getX(i);
    const known = lowest.get(feature);
    if (!known || heights[i] < known.height) lowest.set(feature, { at: i, height: heights[i] });
  }
  for (let i = 0; i < position.count; i++) heights[i] -= lowest.get(ids.getX(i))!.height;
  mesh.geometry.setAttribute("above", new BufferAttribute(heights, 1));
  for (const [feature, { at }] of lowest) {
    feet.set(feature, toGeodetic(point.fromBufferAttribute(position, at).applyMatrix4(toEcef)));
  }  // The frame may be scaled (quantised positions): up · down must be one metre.
  return local.clone().divideScalar(-local.lengthSq());
}
