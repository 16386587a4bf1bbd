/** The filter: choices, ranges and an expression, which all hold together. */
import { useEffect, useState } from "preact/hooks";
import type { Attribute } from "../data/catalogue";
import { colourable } from "../data/catalogue";
import { NO_FILTER, isEmpty } from "../data/filter";
import { attributeLabel, t } from "../i18n";
import { attributes, catalogue, controls, filterError } from "../state";
import { AreaList } from "./AreaPanel";
import { ChoiceFilter } from "./ChoiceFilter";
import { RangeFilter } from "./RangeFilter";

const USUAL = ["current_use", "year_of_construction", "height_m"];

export function FilterPanel() {
  const [added, setAdded] = useState<string[]>([]);
  const current = controls.value;
  const asked = [...Object.keys(current.choices), ...Object.keys(current.ranges), ...added];
  const shown = [...new Set([...USUAL, ...asked])].map((name) => attributes.value.get(name)).filter((one) => one !== undefined);
  const more = colourable(catalogue.value).filter((one) => !shown.includes(one));
  const clear = (): void => {
    setAdded([]);
    controls.value = NO_FILTER;
    filterError.value = null;
  };
  return (
    <section class="section" aria-label={t("filter")}>
      <div class="section-head">
        <h2>{t("filter")}</h2>
        {!isEmpty(current) && (
          <button type="button" class="quiet" onClick={clear}>
            {t("clear")}
          </button>
        )}
      </div>
      {current.areas.length > 0 && <AreaList />}
      {shown.map((attribute) => (
        <Control key={attribute.name} attribute={attribute} />
      ))}
      {more.length > 0 && (
        <select class="wide" value="" aria-label={t("addAttribute")} onChange={(event) => setAdded([...added, event.currentTarget.value])}>
          <option value="">{t("addAttribute")}</option>
          {more.map((attribute) => (
            <option key={attribute.name} value={attribute.name}>
              {attributeLabel(attribute)}
            </option>
          ))}
        </select>
      )}
      <Expression />
    </section>
  );
}

function Control({ attribute }: { attribute: Attribute }) {
  return attribute.kind === "number" ? <RangeFilter attribute={attribute} /> : <ChoiceFilter attribute={attribute} />;
}

function Expression() {
  const applied = controls.value.text;
  const [text, setText] = useState(applied);
  useEffect(() => setText(applied), [applied]);
  const error = filterError.value;
  const apply = (): void => {
    if (text.trim() !== controls.value.text.trim()) controls.value = { ...controls.value, text: text.trim() };
  };
  return (
    <div class="field">
      <label for="cql2">{t("cql2")}</label>
      <textarea
        id="cql2"
        rows={2}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        placeholder="height_m > 20"
        value={text}
        aria-invalid={error !== null}
        aria-describedby="cql2-note"
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={apply}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          apply();
        }}
      />
      <p id="cql2-note" class={error ? "error" : "hint"} role={error ? "alert" : undefined}>
        {error ? `${t("filterRefused")}: ${error}` : t("cql2Hint")}
      </p>
    </div>
  );
}
