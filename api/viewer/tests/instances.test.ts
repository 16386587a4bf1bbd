import { BoxGeometry, BufferAttribute, InstancedBufferAttribute, InstancedMesh, Matrix4, Quaternion, Vector3 } from "three";
import { describe, expect, it } from "vitest";
import { localFrame } from "../src/geo/geodesy";
import { FEATURE_ATTRIBUTE, type Foot, cornersOf, featureAt, featureCount, floatFeatureIds, measureFeet } from "../src/scene/tilecontent";

/** Boxes of 2 m around their middle, as three's loader gives instances: 4, 4 and 9 metres up, of features 7, 2 and 7. */
function boxes(): InstancedMesh {
  const geometry = new BoxGeometry(2, 2, 2);
  const surfaces = new Uint16Array(geometry.getAttribute("position").count).map((_, i) => Math.floor(i / 4));
  geometry.setAttribute(FEATURE_ATTRIBUTE, new BufferAttribute(surfaces, 1));
  geometry.setAttribute("_FEATURE_ID_0", new InstancedBufferAttribute(new Uint16Array([7, 2, 7]), 1));
  const mesh = new InstancedMesh(geometry, undefined, 3);
  const turned = new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), 0.4);
  [4, 4, 9].forEach((height, i) => {
    mesh.setMatrixAt(i, new Matrix4().compose(new Vector3(20 * i, height, 0), turned, new Vector3(1, i + 1, 1)));
  });
  floatFeatureIds(geometry);
  return mesh;
}

describe("instances", () => {
  it("have a feature each, whatever their surfaces are", () => {
    const mesh = boxes();
    expect(featureCount([mesh])).toBe(8);
    expect([0, 1, 2].map((instance) => featureAt(mesh, 5, instance))).toEqual([7, 2, 7]);
    expect(mesh.geometry.hasAttribute("_FEATURE_ID_0")).toBe(false);
  });

  it("have corners where they stand", () => {
    const moved = new Matrix4().makeTranslation(0, 100, 0);
    const corners = cornersOf(boxes(), 2, moved);
    expect(corners).toHaveLength(36);
    for (const { x, y } of corners) {
      expect(Math.abs(x - 20)).toBeLessThan(1.5);
      expect(Math.abs(y - 104)).toBeCloseTo(2, 5);
    }
    expect(cornersOf(boxes(), 7, moved)).toHaveLength(72);
    expect(cornersOf(boxes(), 3, moved)).toEqual([]);
  });

  it("have feet at their lowest corner", () => {
    const mesh = boxes();
    const feet = new Map<number, Foot>();
    const down = measureFeet(mesh, localFrame(24.94, 60.17, 10), feet);
    expect(down.distanceTo(new Vector3(0, -1, 0))).toBeLessThan(1e-4);
    expect(feet.get(2)?.height).toBeCloseTo(12, 2);
    expect(feet.get(7)?.height).toBeCloseTo(13, 2);
    const foot = mesh.geometry.getAttribute("foot");
    [3, 2, 6].forEach((height, i) => expect(foot.getX(i)).toBeCloseTo(height, 2));
  });
});
