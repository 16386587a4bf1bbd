/** The address bar holds the whole state: what is written there, and how it is taken over. */
import { batch, effect } from "@preact/signals";
import { type Link, readLink, writeLink } from "./data/link";
import { isLanguage, language, preferredLanguage } from "./i18n";
import * as state from "./state";
import { flyTo } from "./view";
import * as workbench from "./workbench";

const DELAY_MS = 300;

/** Take over what a link holds. */
export function follow(link: Link): void {
  batch(() => {
    state.controls.value = link.controls;
    state.colourBy.value = link.colourBy;
    state.selected.value = link.selected;
    state.chosenTheme.value = link.theme === "light" || link.theme === "dark" ? link.theme : null;
    state.chosenLanguage.value = isLanguage(link.lang) ? link.lang : null;
    language.value = isLanguage(link.lang) ? link.lang : preferredLanguage();
    workbench.tool.value = workbench.isTool(link.tool) ? link.tool : null;
    workbench.comparedBy.value = link.comparedBy ?? workbench.COMPARED_FIRST;
  });
}

export function currentLink(): Link {
  return {
    pose: state.pose.value,
    controls: state.controls.value,
    colourBy: state.colourBy.value,
    selected: state.selected.value,
    lang: state.chosenLanguage.value,
    theme: state.chosenTheme.value,
    tool: workbench.tool.value,
    comparedBy: workbench.comparedBy.value === workbench.COMPARED_FIRST ? null : workbench.comparedBy.value,
  };
}

/** The address follows the view, and the view follows a pasted address. */
export function keepAddress(): void {
  let timer = 0;
  let written = window.location.hash;
  effect(() => {
    const link = writeLink(currentLink());
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      written = `#${link}`;
      history.replaceState(null, "", written);
    }, DELAY_MS);
  });
  window.addEventListener("hashchange", () => {
    if (window.location.hash === written) return;
    const link = readLink(window.location.hash);
    follow(link);
    if (link.pose) flyTo(link.pose);
  });
}
