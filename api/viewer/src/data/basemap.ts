/** The base map that the service was set up with: the page is told of it by a `meta` element. */
import { type TileIndex, fillTemplate, fromSquare } from "../geo/webmercator";

export interface BaseMap {
  /** By city; null: for all that have none of their own. */
  templates: { city: string | null; url: string }[];
  /** The finest zoom level that there is. */
  zoom: number;
  credit: string | null;
}

export function readBaseMap(page: Document): BaseMap | null {
  const told = page.querySelector<HTMLMetaElement>("meta[name=base-map]")?.content;
  return told ? (JSON.parse(told) as BaseMap) : null;
}

export interface Around {
  city: string;
  west: number;
  south: number;
  east: number;
  north: number;
}

/** The address of a tile: of the city that is nearest to its middle. Null: that city has no map. */
export function tileAddress(map: BaseMap, cities: Around[], tile: TileIndex): string | null {
  const size = 2 ** tile.zoom;
  const [lon, lat] = fromSquare((tile.x + 0.5) / size, (tile.y + 0.5) / size);
  const shrink = Math.cos((lat * Math.PI) / 180);
  const away = ({ west, south, east, north }: Around): number =>
    Math.hypot(Math.max(west - lon, lon - east, 0) * shrink, Math.max(south - lat, lat - north, 0));
  const [nearest] = cities.toSorted((a, b) => away(a) - away(b));
  const of = (city: string | null): string | undefined => map.templates.find((one) => one.city === city)?.url;
  const template = (nearest && of(nearest.city)) ?? of(null);
  return template ? fillTemplate(template, tile) : null;
}
