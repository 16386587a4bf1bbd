/** The attribute catalogue as the service declares it. */
import type { Queryable } from "./api";

export type Kind = "number" | "choice" | "text" | "boolean";

export interface Attribute {
  name: string;
  kind: Kind;
  integer: boolean;
  group: string;
  origin: string;
  unit: string | null;
  codes: string[];
  meanings: Record<string, string>;
  labels: Record<string, string>;
}

export const GROUPS = [
  "identity",
  "use",
  "dimensions",
  "shape",
  "envelope",
  "surroundings",
  "quality",
] as const;

/** Texts with a value of their own for nearly every building: nothing to colour or list by. */
const UNIQUE = new Set(["object_id", "national_building_id", "municipal_id", "street", "house_number", "postal_code"]);
/** Texts without a declared list, yet with few values. */
const FEW_VALUES = new Set(["city", "dataset", "material", "heating", "energy_class", "lod"]);

function kindOf(name: string, queryable: Queryable): Kind {
  if (queryable.type === "boolean") return "boolean";
  if (queryable.type === "integer" || queryable.type === "number") return "number";
  return queryable.enum?.length || FEW_VALUES.has(name) ? "choice" : "text";
}

export function readCatalogue(properties: Record<string, Queryable>): Attribute[] {
  return Object.entries(properties)
    .filter(([, queryable]) => queryable["x-group"])
    .map(([name, queryable]) => ({
      name,
      kind: kindOf(name, queryable),
      integer: queryable.type === "integer",
      group: queryable["x-group"] ?? "quality",
      origin: queryable["x-origin"] ?? "twin",
      unit: queryable["x-unit"] ?? null,
      codes: queryable.enum ?? [],
      meanings: { en: queryable.description ?? "", ...queryable["x-meanings"] },
      labels: { en: queryable.title, ...queryable["x-labels"] },
    }));
}

/** Attributes that a map can be coloured by. */
export function colourable(catalogue: Attribute[]): Attribute[] {
  return catalogue.filter(({ name, kind }) => kind !== "text" && !UNIQUE.has(name));
}
