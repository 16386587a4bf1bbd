import { describe, expect, it } from "vitest";
import { LANGUAGES, attributeLabel, attributeMeaning, formatValue, language, t } from "../src/i18n";
import type { Attribute } from "../src/data/catalogue";

const HEIGHT: Attribute = {
  name: "height_m", kind: "number", integer: false, group: "dimensions", origin: "computed", unit: "m", codes: [],
  meanings: { en: "Meaning.", fi: "Merkitys." },
  labels: { en: "Height", fi: "Korkeus" },
};

describe("languages", () => {
  it.each(Object.keys(LANGUAGES))("%s has every message, with the same gaps to fill", (code) => {
    const messages = LANGUAGES[code as keyof typeof LANGUAGES];
    expect(Object.keys(messages)).toEqual(Object.keys(LANGUAGES.en));
    for (const [key, message] of Object.entries(messages)) {
      const gaps = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
      expect(message, key).not.toBe("");
      expect(gaps(message), key).toEqual(gaps(LANGUAGES.en[key as keyof typeof LANGUAGES.en]));
    }
  });

  it("writes labels, numbers and units as the reader does", () => {
    language.value = "fi";
    expect(t("showAll", { count: 9 })).toBe("Näytä kaikki (9)");
    expect(attributeLabel(HEIGHT)).toBe("Korkeus");
    expect(attributeMeaning(HEIGHT)).toBe("Merkitys.");
    expect(formatValue(HEIGHT, 12.345)).toBe("12,35 m");
    language.value = "sv";
    expect(attributeLabel(HEIGHT)).toBe("Height");
    expect(attributeMeaning(HEIGHT)).toBe("Meaning.");
    language.value = "en";
    expect(formatValue({ ...HEIGHT, unit: "m3" }, 12345.6)).toBe("12,346 m³");
    expect(formatValue({ ...HEIGHT, name: "year_of_construction", integer: true, unit: null }, 1987)).toBe("1987");
    expect(formatValue({ ...HEIGHT, unit: "deg" }, 12.7215)).toBe("12.7°");
    expect(formatValue(HEIGHT, null)).toBe("–");
  });
});
