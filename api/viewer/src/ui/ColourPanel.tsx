import { GROUPS, colourable } from "../data/catalogue";
import { type Key } from "../i18n/en";
import { attributeLabel, t } from "../i18n";
import { catalogue, colourBy, datasets, textured } from "../state";

export function ColourPanel() {
  const usable = colourable(catalogue.value);
  return (
    <section class="section" aria-label={t("colour")}>
      <div class="section-head">
        <h2>
          <label for="colour-by">{t("colourBy")}</label>
        </h2>
      </div>
      <select id="colour-by" class="wide" value={colourBy.value ?? ""} onChange={(event) => (colourBy.value = event.currentTarget.value || null)}>
        <option value="">{t("colourNone")}</option>
        {GROUPS.map((group) => {
          const members = usable.filter((attribute) => attribute.group === group);
          return members.length ? (
            <optgroup key={group} label={t(`group_${group}` as Key)}>
              {members.map((attribute) => (
                <option key={attribute.name} value={attribute.name}>
                  {attributeLabel(attribute)}
                </option>
              ))}
            </optgroup>
          ) : null;
        })}
      </select>
      {datasets.value.some(({ themes }) => themes?.length) && (
        <label class="choice">
          <input type="checkbox" checked={textured.value} onChange={() => (textured.value = !textured.value)} /> {t("textures")}
        </label>
      )}
    </section>
  );
}
