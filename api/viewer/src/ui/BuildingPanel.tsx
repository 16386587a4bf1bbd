/** One building: its attributes by group, where each comes from, and its files. */
import { useEffect, useRef } from "preact/hooks";
import { type Building, itemUrl } from "../data/api";
import { type Attribute, GROUPS } from "../data/catalogue";
import type { Key } from "../i18n/en";
import { attributeLabel, attributeMeaning, cityName, formatValue, t, valueLabel, textOf } from "../i18n";
import { attributes, building, buildingError, catalogue, selected } from "../state";
import { flyToBuilding } from "../view";
import { Close, Target } from "./icons";

export function BuildingPanel() {
  const id = selected.value;
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    if (id) panel.current?.scrollTo(0, 0);
  }, [id]);
  if (!id) return null;
  const found = building.value?.id === id ? building.value : null;
  const failed = buildingError.value;
  return (
    <aside ref={panel} class="details card" aria-label={t("details")} data-testid="building" aria-busy={!found && !failed}>
      <header>
        <Title found={found} id={id} />
        <button type="button" class="icon-button" title={t("zoomTo")} aria-label={t("zoomTo")} onClick={flyToBuilding}>
          <Target />
        </button>
        <button type="button" class="icon-button" title={`${t("close")} (Esc)`} aria-label={t("close")} onClick={() => (selected.value = null)}>
          <Close />
        </button>
      </header>
      {failed && (
        <p class="error" role="alert">
          {failed === "notFound" ? t("notFound") : failed}
        </p>
      )}
      {!found && !failed && <div class="lines skeleton" />}
      {found && <Attributes found={found} />}
      {found && (
        <>
          <p class="hint surfaces-hint">{t("surfacesHint")}</p>
          <Files found={found} />
        </>
      )}
    </aside>
  );
}

function Title({ found, id }: { found: Building | null; id: string }) {
  const properties = found?.properties ?? {};
  const use = attributes.value.get("current_use");
  const address = [properties.street, properties.house_number].filter(Boolean).join(" ");
  const named = typeof properties.current_use === "string" && use ? valueLabel(use, properties.current_use) : t("details");
  return (
    <div class="details-title">
      <p class="muted">{properties.city ? cityName(textOf(properties.city)) : "\u00a0"}</p>
      <h2>{address || named}</h2>
      <p class="id" title={id}>
        {textOf(properties.object_id ?? id)}
      </p>
      <p class="chips">
        {properties.synthetic === true && <span class="chip synthetic">{t("synthetic")}</span>}
        {properties.placement === "approximate" && <span class="chip">{t("approximate")}</span>}
      </p>
    </div>
  );
}

function Attributes({ found }: { found: Building }) {
  const originals = found.properties.attributes as Record<string, unknown> | undefined;
  return (
    <>
      {GROUPS.map((group) => {
        const rows = catalogue.value.filter((attribute) => attribute.group === group && hasValue(found, attribute));
        if (!rows.length) return null;
        return (
          <section key={group} class="group">
            <h3>{t(`group_${group}` as Key)}</h3>
            <dl>
              {rows.map((attribute) => (
                <Row key={attribute.name} attribute={attribute} value={found.properties[attribute.name]} />
              ))}
            </dl>
          </section>
        );
      })}
      <p class="hint origins">
        {["source", "computed"].map((origin) => (
          <span key={origin}>
            <Origin of={origin} /> {t(`origin_${origin}` as Key)}
          </span>
        ))}
      </p>
      {originals && Object.keys(originals).length > 0 && (
        <details class="group">
          <summary>{t("originals")}</summary>
          <dl>
            {Object.entries(originals).map(([name, value]) => (
              <div class="row" key={name}>
                <dt>{name}</dt>
                <dd>{textOf(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}

function hasValue(found: Building, { name }: Attribute): boolean {
  const value = found.properties[name];
  return value !== null && value !== undefined && value !== "";
}

function Row({ attribute, value }: { attribute: Attribute; value: unknown }) {
  const marked = attribute.origin === "source" || attribute.origin === "computed";
  return (
    <div class="row" data-attribute={attribute.name}>
      <dt title={attributeMeaning(attribute)}>
        {attributeLabel(attribute)}
        {marked && <Origin of={attribute.origin} />}
      </dt>
      <dd>{formatValue(attribute, value)}</dd>
    </div>
  );
}

/** A filled dot for a measured value, a ring for one that was read. */
function Origin({ of }: { of: string }) {
  const label = t(`origin_${of}` as Key);
  return <i class={`origin ${of}`} role="img" aria-label={label} title={label} />;
}

function Files({ found: { id, properties } }: { found: Building }) {
  return (
    <footer class="files">
      <span class="muted">{t("openAs")}</span>
      <a href={itemUrl(id, "json")} target="_blank" rel="noopener">
        GeoJSON
      </a>
      <a href={itemUrl(id, "cityjson")} target="_blank" rel="noopener">
        CityJSON
      </a>
      {properties.placement !== "unplaced" && (
        <a href={itemUrl(id, "glb")} download={`${id}.glb`}>
          GLB
        </a>
      )}
    </footer>
  );
}
