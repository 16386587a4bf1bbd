/** The reader's language: messages, labels, numbers. */
import { signal } from "@preact/signals";
import type { Attribute } from "../data/catalogue";
import { type Key, type Messages, en } from "./en";
import { et } from "./et";
import { fi } from "./fi";
import { sv } from "./sv";

export const LANGUAGES = { en, fi, et, sv } satisfies Record<string, Messages>;
export type Language = keyof typeof LANGUAGES;
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", fi: "Suomi", et: "Eesti", sv: "Svenska" };

export function isLanguage(text: string | null): text is Language {
  return text !== null && text in LANGUAGES;
}

export function preferredLanguage(): Language {
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2));
  return wanted.find(isLanguage) ?? "en";
}

export const language = signal<Language>("en");

export function t(key: Key, values: Record<string, string | number> = {}): string {
  const message: string = LANGUAGES[language.value][key];
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** `residenceForCommunities` → "Residence for communities", for values that have no message. */
function spelledOut(value: string): string {
  const words = value.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The message of a key that may have none. */
export function messageOr(key: string, fallback: string): string {
  return key in en ? t(key as Key) : fallback;
}

export function cityName(city: string): string {
  return messageOr(`city_${city}`, spelledOut(city));
}

export function attributeLabel(attribute: Attribute): string {
  return attribute.labels[language.value] ?? attribute.labels.en ?? attribute.name;
}

export function attributeMeaning(attribute: Attribute): string {
  return attribute.meanings[language.value] ?? attribute.meanings.en ?? "";
}

/** A coded value in words. */
export function valueLabel(attribute: Attribute, value: string): string {
  if (attribute.kind === "boolean") return value === "true" ? t("yes") : t("no");
  if (attribute.name === "city") return cityName(value);
  if (!attribute.codes.includes(value)) return value;
  return messageOr(`code_${value.replaceAll(/[ -]/g, "_")}`, spelledOut(value));
}

const UNITS: Record<string, string> = { m2: "m²", m3: "m³", deg: "°" };

export function unitText(attribute: Attribute): string {
  return attribute.unit ? (UNITS[attribute.unit] ?? attribute.unit) : "";
}

const isYear = (attribute: Attribute): boolean => attribute.name.startsWith("year_");

function decimals(attribute: Attribute): number {
  if (attribute.integer || attribute.unit === "m3") return 0;
  if (attribute.unit === "m2" || attribute.unit === "deg") return 1;
  return attribute.unit === "m" ? 2 : 4;
}

export function formatCount(count: number): string {
  return new Intl.NumberFormat(language.value).format(count);
}

/** A fraction as percent. */
export function formatShare(share: number): string {
  return new Intl.NumberFormat(language.value, { style: "percent", maximumFractionDigits: share < 0.1 ? 1 : 0 }).format(share);
}

/** What is compared, in words: a city, or an area by its number. */
export function sideName(key: string): string {
  return /^\d+$/.test(key) ? t("areaNumber", { number: key }) : cityName(key);
}

function decimal(value: number, digits: number): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
}

export function formatMetres(metres: number): string {
  const size = Math.abs(metres);
  if (size >= 1_000) return `${decimal(metres / 1_000, 2)} km`;
  return `${decimal(metres, size < 100 ? 1 : 0)} m`;
}

export function formatArea(squareMetres: number): string {
  if (squareMetres >= 1_000_000) return `${decimal(squareMetres / 1_000_000, 2)} km²`;
  return squareMetres >= 10_000 ? `${decimal(squareMetres / 10_000, 1)} ha` : `${decimal(squareMetres, 0)} m²`;
}

/** Day and time of an instant, in the reader's own zone. */
export function formatInstant(iso: string): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

export function formatDegrees(degrees: number): string {
  return `${decimal(degrees, 1)}°`;
}

/** The nearest of eight directions, in letters. */
export function compass(degrees: number): string {
  return t("compassPoints").split(" ")[Math.round(degrees / 45) % 8];
}

export function formatNumber(attribute: Attribute, value: number): string {
  return new Intl.NumberFormat(language.value, {
    maximumFractionDigits: decimals(attribute),
    useGrouping: !isYear(attribute),
  }).format(value);
}

/** Any value of an attribute as a person reads it, with its unit. */
export function formatValue(attribute: Attribute, value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "number") {
    const unit = unitText(attribute);
    // A number and its degree sign stand together.
    return formatNumber(attribute, value) + (unit && unit !== UNITS.deg ? ` ${unit}` : unit);
  }
  return valueLabel(attribute, textOf(value));
}

/** Of a value as the service gave it. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
