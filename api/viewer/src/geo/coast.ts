/** Land and sea around the Gulf of Finland, for orientation from far away (Natural Earth 1:10m). */
import { CanvasTexture, LinearFilter, LinearMipmapLinearFilter } from "three";
import coast from "./coast.json";

const SIZE = 2048;
const DEGREES = 1 / 1000;

const [west, south, east, north] = coast.box as [number, number, number, number];

/** Texture coordinates of a place: (0, 0) south-west, (1, 1) north-east. */
export function coastUv(lon: number, lat: number): [number, number] {
  return [(lon - west) / (east - west), (lat - south) / (north - south)];
}

/** White land on black sea. The rings are thousandths of a degree, each vertex relative to the one before. */
export function drawCoast(): CanvasTexture {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = "#000";
  context.fillRect(0, 0, SIZE, SIZE);
  context.fillStyle = "#fff";
  context.filter = "blur(1.2px)";
  context.beginPath();
  for (const ring of coast.rings) {
    let x = 0;
    let y = 0;
    for (let i = 0; i < ring.length; i += 2) {
      x += ring[i];
      y += ring[i + 1];
      const [u, v] = coastUv(x * DEGREES, y * DEGREES);
      if (i === 0) context.moveTo(u * SIZE, (1 - v) * SIZE);
      else context.lineTo(u * SIZE, (1 - v) * SIZE);
    }
    context.closePath();
  }
  context.fill("evenodd");
  const texture = new CanvasTexture(canvas);
  texture.minFilter = LinearMipmapLinearFilter;
  texture.magFilter = LinearFilter;
  texture.anisotropy = 8;
  return texture;
}
