/** The level of the ground, guessed from the feet of the buildings. */

export interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}

/**
 * A grid of heights over a box in degrees. Cells that hold no building take the mean of ever larger
 * surroundings (pull and push), so that the ground runs smoothly from foot to foot.
 */
export class HeightField {
  readonly heights: Float32Array;
  private readonly sum: Float64Array;
  private readonly count: Float64Array;
  empty = true;

  constructor(
    readonly box: Box,
    /** Cells a side; a power of two. */
    readonly size: number,
    readonly level: number,
  ) {
    this.heights = new Float32Array(size * size).fill(level);
    this.sum = new Float64Array(size * size);
    this.count = new Float64Array(size * size);
  }

  contains(lon: number, lat: number): boolean {
    const { west, south, east, north } = this.box;
    return lon >= west && lon <= east && lat >= south && lat <= north;
  }

  add(lon: number, lat: number, height: number): void {
    const [u, v] = this.cell(lon, lat);
    const index = Math.floor(v) * this.size + Math.floor(u);
    this.sum[index] += height;
    this.count[index] += 1;
    this.empty = false;
  }

  /** Bilinear height at a place; the nearest edge outside the box. */
  sample(lon: number, lat: number): number {
    const [u, v] = this.cell(lon, lat);
    const x = Math.min(this.size - 1.001, Math.max(0, u - 0.5));
    const y = Math.min(this.size - 1.001, Math.max(0, v - 0.5));
    const [i, j] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - i, y - j];
    const at = (column: number, row: number): number => this.heights[row * this.size + column];
    const south = at(i, j) * (1 - fx) + at(i + 1, j) * fx;
    const north = at(i, j + 1) * (1 - fx) + at(i + 1, j + 1) * fx;
    return south * (1 - fy) + north * fy;
  }

  /** Recompute `heights` from what was added. */
  settle(): void {
    if (this.empty) return;
    const mean = fill(this.sum, this.count, this.size);
    smooth(mean, this.size);
    this.heights.set(mean);
  }

  private cell(lon: number, lat: number): [number, number] {
    const { west, south, east, north } = this.box;
    const limit = this.size - 1e-6;
    const u = ((lon - west) / (east - west)) * this.size;
    const v = ((lat - south) / (north - south)) * this.size;
    return [Math.min(limit, Math.max(0, u)), Math.min(limit, Math.max(0, v))];
  }
}

/** Means where there are counts, means of the surroundings elsewhere. */
function fill(sum: Float64Array, count: Float64Array, size: number): Float64Array {
  if (size === 1) return Float64Array.of(count[0] > 0 ? sum[0] / count[0] : 0);
  const half = size / 2;
  const coarseSum = new Float64Array(half * half);
  const coarseCount = new Float64Array(half * half);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = y * size + x;
      const to = (y >> 1) * half + (x >> 1);
      // A cell counts once in its parent however many buildings it holds: density is no height.
      if (count[from] > 0) {
        coarseSum[to] += sum[from] / count[from];
        coarseCount[to] += 1;
      }
    }
  }
  const coarse = fill(coarseSum, coarseCount, half);
  const out = new Float64Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * size + x;
      out[at] = count[at] > 0 ? sum[at] / count[at] : bilinear(coarse, half, (x - 0.5) / 2, (y - 0.5) / 2);
    }
  }
  return out;
}

function bilinear(grid: Float64Array, size: number, x: number, y: number): number {
  const clamp = (value: number): number => Math.min(size - 1, Math.max(0, value));
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - i, y - j];
  const at = (column: number, row: number): number => grid[clamp(row) * size + clamp(column)];
  return (
    (at(i, j) * (1 - fx) + at(i + 1, j) * fx) * (1 - fy) +
    (at(i, j + 1) * (1 - fx) + at(i + 1, j + 1) * fx) * fy
  );
}

function smooth(grid: Float64Array, size: number): void {
  const copy = Float64Array.from(grid);
  for (let y = 1; y < size - 1; y++) {
    for (let x = 1; x < size - 1; x++) {
      const at = y * size + x;
      const around = copy[at - 1] + copy[at + 1] + copy[at - size] + copy[at + size];
      grid[at] = copy[at] * 0.5 + around * 0.125;
    }
  }
}
