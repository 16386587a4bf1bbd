/** From the scene to the screen, cut at the plane behind which nothing is seen. */
import { type Matrix4, type PerspectiveCamera, Vector3 } from "three";

export interface Screen {
  x: number;
  y: number;
}

export class Projection {
  constructor(
    private readonly camera: PerspectiveCamera,
    /** From EPSG:4978 to the scene. */
    private readonly inverse: Matrix4,
    private readonly width: number,
    private readonly height: number,
  ) {}

  /** One point, CSS pixels, or null where it is not before the camera. */
  point(ecef: Vector3): Screen | null {
    const seen = this.toCamera(ecef);
    return seen.z > -this.camera.near ? null : this.toScreen(seen);
  }

  /** What is seen of a straight line. */
  line(from: Vector3, to: Vector3): [Screen, Screen] | null {
    const [a, b] = [this.toCamera(from), this.toCamera(to)];
    if (a.z > -this.camera.near && b.z > -this.camera.near) return null;
    return [this.toScreen(this.cut(a, b)), this.toScreen(this.cut(b, a))];
  }

  /** What is seen of a flat ring (Sutherland and Hodgman's clipping). */
  ring(corners: Vector3[]): Screen[] {
    const seen = corners.map((corner) => this.toCamera(corner));
    const kept: Vector3[] = [];
    seen.forEach((corner, i) => {
      const next = seen[(i + 1) % seen.length];
      const [inside, nextInside] = [corner.z <= -this.camera.near, next.z <= -this.camera.near];
      if (inside) kept.push(corner);
      if (inside !== nextInside) kept.push(this.cut(inside ? next : corner, inside ? corner : next));
    });
    return kept.map((corner) => this.toScreen(corner));
  }

  private toCamera(ecef: Vector3): Vector3 {
    return ecef.clone().applyMatrix4(this.inverse).applyMatrix4(this.camera.matrixWorldInverse);
  }

  /** `point` itself, or where the line from it to `other` comes before the camera. */
  private cut(point: Vector3, other: Vector3): Vector3 {
    const limit = -this.camera.near;
    if (point.z <= limit) return point;
    return point.clone().lerp(other, (limit - point.z) / (other.z - point.z));
  }

  private toScreen(seen: Vector3): Screen {
    const ndc = seen.clone().applyMatrix4(this.camera.projectionMatrix);
    return { x: ((ndc.x + 1) / 2) * this.width, y: ((1 - ndc.y) / 2) * this.height };
  }
}
