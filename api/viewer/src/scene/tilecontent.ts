/** What one tile holds beside triangles: ids of its features and the place of their feet. */
import { BufferAttribute, type BufferGeometry, InstancedBufferAttribute, type InstancedMesh, type InterleavedBufferAttribute, Matrix4, type Mesh, type Object3D, type Sphere, Vector3 } from "three";
import type { GLTFLoaderPlugin, GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import { localAxes, toGeodetic } from "../geo/geodesy";

export const FEATURE_ATTRIBUTE = "_feature_id_0";
/** The feature of each instance (EXT_instance_features), as three's loader names it. */
const INSTANCE_ATTRIBUTE = "_FEATURE_ID_0";

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

export function meshesOf(scene: Object3D): Mesh[] {
  const meshes: Mesh[] = [];
  scene.traverse((child) => {
    const mesh = child as Mesh;
    if (mesh.isMesh && mesh.geometry.hasAttribute(FEATURE_ATTRIBUTE)) meshes.push(mesh);
  });
  return meshes;
}

/** The plain numbers of an attribute: asked one by one, it takes many times as long. */
function numbersOf(attribute: BufferAttribute | InterleavedBufferAttribute): Float32Array {
  const { count, itemSize: size } = attribute;
  const out = new Float32Array(count * size);
  if (attribute.normalized) {
    for (let i = 0; i < out.length; i++) out[i] = attribute.getComponent(Math.floor(i / size), i % size);
    return out;
  }
  const [stride, offset] = "data" in attribute ? [attribute.data.stride, attribute.offset] : [size, 0];
  const { array } = attribute;
  for (let i = 0, at = offset; i < out.length; i += size, at += stride) {
    for (let k = 0; k < size; k++) out[i + k] = array[at + k];
  }
  return out;
}

/**
 * A vertex shader reads feature ids as float; 32-bit integers would arrive as integers. Instances give way to
 * the same attribute, where their vertices have those of surfaces.
 */
export function floatFeatureIds(geometry: BufferGeometry): void {
  if (geometry.hasAttribute(INSTANCE_ATTRIBUTE)) {
    const ids = numbersOf(geometry.getAttribute(INSTANCE_ATTRIBUTE));
    geometry.deleteAttribute(INSTANCE_ATTRIBUTE);
    geometry.setAttribute(FEATURE_ATTRIBUTE, new InstancedBufferAttribute(ids, 1));
    return;
  }
  geometry.setAttribute(FEATURE_ATTRIBUTE, new BufferAttribute(numbersOf(geometry.getAttribute(FEATURE_ATTRIBUTE)), 1));
}

/** After `floatFeatureIds`. */
export function featureCount(meshes: Mesh[]): number {
  let last = -1;
  for (const { geometry } of meshes) {
    for (const id of geometry.getAttribute(FEATURE_ATTRIBUTE).array) if (id > last) last = id;
  }
  return last + 1;
}

export function isInstanced(mesh: Object3D): mesh is InstancedMesh {
  return (mesh as Partial<InstancedMesh>).isInstancedMesh === true;
}

/** The feature that a ray met: at a corner of the mesh, or of an instance of it. */
export function featureAt(mesh: Mesh, corner: number, instance: number | undefined): number {
  return mesh.geometry.getAttribute(FEATURE_ATTRIBUTE).getX(instance ?? corner);
}

/** The corners of a feature's triangles, after `matrix`. */
export function cornersOf(mesh: Mesh, feature: number, matrix: Matrix4): Vector3[] {
  const ids = mesh.geometry.getAttribute(FEATURE_ATTRIBUTE);
  const positions = mesh.geometry.getAttribute("position");
  const index = mesh.geometry.getIndex();
  const corners = Array.from({ length: index?.count ?? positions.count }, (_, i) => index?.getX(i) ?? i);
  const placed = (corner: number, by: Matrix4): Vector3 => new Vector3().fromBufferAttribute(positions, corner).applyMatrix4(by);
  if (!isInstanced(mesh)) return corners.filter((corner) => ids.getX(corner) === feature).map((corner) => placed(corner, matrix));
  return placesOf(mesh, matrix)
    .filter((_, i) => ids.getX(i) === feature)
    .flatMap((place) => corners.map((corner) => placed(corner, place)));
}

/** Where each instance has its mesh, after `matrix`. */
function placesOf(mesh: InstancedMesh, matrix: Matrix4): Matrix4[] {
  return Array.from({ length: mesh.count }, (_, i) => {
    const own = new Matrix4();
    mesh.getMatrixAt(i, own);
    return own.premultiply(matrix);
  });
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
export function measureFeet(mesh: Mesh, toEcef: Matrix4, feet: Map<number, Foot>): Vector3 {
  if (isInstanced(mesh)) return measureFeetOfInstances(mesh, toEcef, feet);
  const { geometry } = mesh;
  if (!geometry.boundingSphere) geometry.computeBoundingSphere();
  const { center: centre } = geometry.boundingSphere as Sphere;
  const up = upOf(centre, toEcef);
  const at = numbersOf(geometry.getAttribute("position"));
  const ids = geometry.getAttribute(FEATURE_ATTRIBUTE).array;
  const heights = new Float32Array(ids.length);
  const lowest = new Map<number, number>();
  for (let i = 0; i < ids.length; i++) {
    // Heights come from one dot product per vertex.
    heights[i] = (at[3 * i] - centre.x) * up.x + (at[3 * i + 1] - centre.y) * up.y + (at[3 * i + 2] - centre.z) * up.z;
    const known = lowest.get(ids[i]);
    if (known === undefined || heights[i] < heights[known]) lowest.set(ids[i], i);
  }
  const point = new Vector3();
  for (const [feature, i] of lowest) {
    const found = toGeodetic(point.fromArray(at, 3 * i).applyMatrix4(toEcef));
    const known = feet.get(feature);
    if (!known || found.height < known.height) feet.set(feature, found);
  }
  const ground = new Map([...lowest].map(([feature, i]) => [feature, heights[i]]));
  for (let i = 0; i < ids.length; i++) heights[i] -= ground.get(ids[i]) ?? 0;
  geometry.setAttribute("above", new BufferAttribute(heights, 1));
  // The frame may be scaled (quantised positions): up · down must be one metre.
  return up.clone().divideScalar(-up.lengthSq());
}

/** The same of instances: attribute `foot` is the height of each one's lowest vertex in the frame that they stand in. */
function measureFeetOfInstances(mesh: InstancedMesh, toEcef: Matrix4, feet: Map<number, Foot>): Vector3 {
  const { geometry } = mesh;
  const at = geometry.getAttribute("position");
  const ids = geometry.getAttribute(FEATURE_ATTRIBUTE);
  const up = upOf(new Vector3(), toEcef);
  const foot = new Float32Array(mesh.count);
  const point = new Vector3();
  placesOf(mesh, new Matrix4()).forEach((place, i) => {
    const lowest = new Vector3();
    foot[i] = Infinity;
    for (let vertex = 0; vertex < at.count; vertex++) {
      const height = point.fromBufferAttribute(at, vertex).applyMatrix4(place).dot(up);
      if (height >= foot[i]) continue;
      foot[i] = height;
      lowest.copy(point);
    }
    const known = feet.get(ids.getX(i));
    const found = toGeodetic(lowest.applyMatrix4(toEcef));
    if (!known || found.height < known.height) feet.set(ids.getX(i), found);
  });
  geometry.setAttribute("foot", new InstancedBufferAttribute(foot, 1));
  return up.divideScalar(-up.lengthSq());
}

/** What a vertex times this vector is: metres of height. */
function upOf(centre: Vector3, toEcef: Matrix4): Vector3 {
  const middle = toGeodetic(centre.clone().applyMatrix4(toEcef));
  const { up } = localAxes(middle.lon, middle.lat);
  const e = toEcef.elements;
  return new Vector3(
    up.x * e[0] + up.y * e[1] + up.z * e[2],
    up.x * e[4] + up.y * e[5] + up.z * e[6],
    up.x * e[8] + up.y * e[9] + up.z * e[10],
  );
}
