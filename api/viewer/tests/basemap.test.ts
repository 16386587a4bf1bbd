import { describe, expect, it } from "vitest";
import { type BaseMap, tileAddress } from "../src/data/basemap";
import { fillTemplate, fromSquare, tilesOf, toSquare, windowAround, windowsFor, zoomOf } from "../src/geo/webmercator";

const SENATE_SQUARE: [number, number] = [24.9524, 60.1695];

describe("WebMercatorQuad", () => {
  it("puts a place into the tile that everybody else does", () => {
    // As of the formula in the wiki of OpenStreetMap.
    const [x, y] = toSquare(...SENATE_SQUARE).map((at) => Math.floor(at * 2 ** 15));
    expect([x, y]).toEqual([18655, 9484]);
    expect(toSquare(0, 0)).toEqual([0.5, 0.5]);
    expect(toSquare(-180, 85.0511287798066)[1]).toBeCloseTo(0, 12);
  });

  it("finds the place again", () => {
    const [lon, lat] = fromSquare(...toSquare(...SENATE_SQUARE));
    expect(lon).toBeCloseTo(SENATE_SQUARE[0], 10);
    expect(lat).toBeCloseTo(SENATE_SQUARE[1], 10);
  });

  it("knows how large pixels are", () => {
    expect(zoomOf(156543.03392804097, 0)).toBeCloseTo(0, 9);
    expect(zoomOf(156543.03392804097 / 2 ** 16, 60)).toBeCloseTo(15, 9);
  });

  it("fills templates, with rows from the north or from the south", () => {
    const tile = { zoom: 3, x: 4, y: 1 };
    expect(fillTemplate("https://a/{z}/{x}/{y}.png", tile)).toBe("https://a/3/4/1.png");
    expect(fillTemplate("https://a/{z}/{x}/{-y}.png?m=EPSG:3857:{z}", tile)).toBe("https://a/3/4/6.png?m=EPSG:3857:3");
  });

  it.each([0.001, 0.25, 0.499, 0.5, 0.75, 0.999])("has a place in the middle of its window, %f into a tile", (into) => {
    const [lon, lat] = fromSquare((18655 + into) / 2 ** 15, (9484 + into) / 2 ** 15);
    const window = windowAround(lon, lat, 15, 4);
    const middle = [window.x + 2, window.y + 2];
    expect(Math.abs(18655 + into - middle[0])).toBeLessThanOrEqual(0.5);
    expect(Math.abs(9484 + into - middle[1])).toBeLessThanOrEqual(0.5);
    const tiles = tilesOf(window);
    expect(tiles).toHaveLength(16);
    expect(tiles).toContainEqual({ zoom: 15, x: 18655, y: 9484 });
  });

  it("asks for no tile outside the world", () => {
    expect(tilesOf(windowAround(0, 0, 0, 4))).toEqual([{ zoom: 0, x: 0, y: 0 }]);
    expect(tilesOf(windowAround(-179.9, 0, 3, 4)).every(({ x }) => x >= 0)).toBe(true);
  });

  it("fits the zoom to the view, and goes no finer than there is", () => {
    const zooms = (metres: number, most: number): number[] => windowsFor(...SENATE_SQUARE, metres, most).map(({ zoom }) => zoom);
    expect(zooms(1, 18)).toEqual([16, 14, 12]);
    expect(zooms(0.01, 18)).toEqual([18, 16, 14]);
    expect(zooms(20_000, 18)).toEqual([2, 0]);
    expect(zooms(1e9, 18)).toEqual([0]);
    const [finest] = windowsFor(...SENATE_SQUARE, 1, 18);
    // A screen of 1,500 pixels is covered by the finest tiles.
    expect((finest.side - 1) * 256 * 2 ** (zoomOf(1, SENATE_SQUARE[1]) - 16)).toBeGreaterThan(1_200);
  });
});

describe("base map", () => {
  const helsinki = { city: "helsinki", west: 24.8, south: 60.1, east: 25.2, north: 60.3 };
  const tallinn = { city: "tallinn", west: 24.6, south: 59.35, east: 24.9, north: 59.5 };
  const at = (lon: number, lat: number, zoom = 14): { zoom: number; x: number; y: number } => {
    const [x, y] = toSquare(lon, lat).map((value) => Math.floor(value * 2 ** zoom));
    return { zoom, x, y };
  };
  const map = (...cities: (string | null)[]): BaseMap => ({
    templates: cities.map((city) => ({ city, url: `https://${city ?? "any"}/{z}/{x}/{y}` })),
    zoom: 18,
    credit: null,
  });
  const host = (templates: BaseMap, lon: number, lat: number): string | null => {
    const address = tileAddress(templates, [helsinki, tallinn], at(lon, lat));
    return address && new URL(address).host;
  };

  it("takes each city's own, and the nearest city's in between", () => {
    const both = map("helsinki", "tallinn");
    expect(host(both, 25, 60.2)).toBe("helsinki");
    expect(host(both, 24.7, 59.4)).toBe("tallinn");
    expect(host(both, 24.8, 59.9)).toBe("helsinki");
    expect(host(both, 24.8, 59.7)).toBe("tallinn");
  });

  it("takes one without a city where there is no other", () => {
    expect(host(map("helsinki", null), 25, 60.2)).toBe("helsinki");
    expect(host(map("helsinki", null), 24.7, 59.4)).toBe("any");
    expect(host(map("helsinki"), 24.7, 59.4)).toBeNull();
  });
});
