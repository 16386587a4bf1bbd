/** The panel on the left: name, places, counts, filter and colour. */
import { useEffect, useRef } from "preact/hooks";
import { LANGUAGES, LANGUAGE_NAMES, type Language, cityName, formatCount, language, t } from "../i18n";
import { type Place, allCounts, chosenLanguage, chosenTheme, counting, counts, currentPlace, dockWidth, notice, panelOpen, places, theme } from "../state";
import { flyToOverview, flyToPlace } from "../view";
import { secondPose } from "../workbench";
import { ColourPanel } from "./ColourPanel";
import { FilterPanel } from "./FilterPanel";
import { Chevron, Link, Logo, Moon, Panel, Sun } from "./icons";

export function Dock() {
  const open = panelOpen.value;
  const dock = useRef<HTMLElement>(null);
  useEffect(() => {
    const measure = (): void => {
      const { width, right } = (dock.current as HTMLElement).getBoundingClientRect();
      // A dock over half of a small window leaves no middle to speak of.
      dockWidth.value = width < window.innerWidth * 0.4 && panelOpen.value ? right : 0;
    };
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, [open]);
  return (
    <aside ref={dock} class="dock card" aria-label={t("title")} data-open={open}>
      <Header />
      {!secondPose.value && <Places />}
      <Totals />
      {open && (
        <div class="dock-body">
          <ColourPanel />
          <FilterPanel />
        </div>
      )}
      <button type="button" class="dock-toggle" aria-expanded={open} onClick={() => (panelOpen.value = !open)}>
        {open ? <Chevron /> : <Panel />}
        <span>{open ? t("panelClose") : t("panelOpen")}</span>
      </button>
    </aside>
  );
}

function Header() {
  return (
    <header class="dock-head">
      <Logo />
      <div class="brand">
        <h1>{t("title")}</h1>
        <p>{t("subtitle")}</p>
      </div>
      <ShareButton />
      <ThemeButton />
      <LanguageSelect />
    </header>
  );
}

function ShareButton() {
  const share = async (): Promise<void> => {
    // Browsers give the clipboard to pages of this machine and of https only.
    if (!navigator.clipboard) return void window.prompt(t("copyLink"), window.location.href);
    await navigator.clipboard.writeText(window.location.href);
    notice.value = { text: "linkCopied" };
  };
  return (
    <button type="button" class="icon-button" title={t("copyLink")} aria-label={t("copyLink")} onClick={() => void share()}>
      <Link />
    </button>
  );
}

function ThemeButton() {
  const dark = theme.value === "dark";
  const label = dark ? t("toLight") : t("toDark");
  return (
    <button type="button" class="icon-button" title={label} aria-label={label} onClick={() => (chosenTheme.value = dark ? "light" : "dark")}>
      {dark ? <Sun /> : <Moon />}
    </button>
  );
}

function LanguageSelect() {
  const choose = (code: Language): void => {
    chosenLanguage.value = code;
    language.value = code;
  };
  return (
    <select class="language" aria-label={t("language")} value={language.value} onChange={(event) => choose(event.currentTarget.value as Language)}>
      {Object.keys(LANGUAGES).map((code) => (
        <option key={code} value={code} title={LANGUAGE_NAMES[code as Language]}>
          {code.toUpperCase()}
        </option>
      ))}
    </select>
  );
}

function Places() {
  const known = places.value;
  const here = currentPlace.value;
  return (
    <nav class="places" aria-label={t("places")}>
      {known.length > 1 && (
        <button type="button" aria-current={here === ""} onClick={() => flyToOverview()}>
          {t("overview")}
        </button>
      )}
      {known.map((place: Place) => (
        <button key={place.key} type="button" data-place={place.key} aria-current={here === place.key} onClick={() => flyToPlace(place)}>
          {cityName(place.city)}
        </button>
      ))}
    </nav>
  );
}

function Totals() {
  const now = counts.value;
  const all = allCounts.value;
  if (!now || !all) return null;
  const order = places.value.map((place) => place.city);
  const cities = Object.keys(all.byCity).toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
  const filtered = now.total !== all.total;
  return (
    <section class="totals" aria-live="polite" aria-busy={counting.value}>
      <p class="total">
        <strong data-testid="total">{formatCount(now.total)}</strong>
        <span>{now.total === 1 ? t("building") : t("buildings")}</span>
        {filtered && <span class="muted">{t("of", { total: formatCount(all.total) })}</span>}
      </p>
      <ul class="city-counts">
        {cities.map((city) => (
          <li key={city}>
            <span>{cityName(city)}</span>
            <span class="choice-bar" aria-hidden="true">
              <i style={{ width: `${(100 * (now.byCity[city] ?? 0)) / all.byCity[city]}%` }} />
            </span>
            <b data-city={city}>{formatCount(now.byCity[city] ?? 0)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
