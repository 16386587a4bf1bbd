/** The address bar holds the whole state: what is written there, and how it is taken over. */
import { batch, effect } from "@preact/signals";
import { baseMapOn } from "./basemap";
import { type Link, readLink, writeLink } from "./data/link";
import { isLanguage, language, preferredLanguage } from "./i18n";
import { isQuality } from "./scene/quality";
import * as state from "./state";
import { flyTo } from "./view";
import * as workbench from "./workbench";

const DELAY_MS = 300;

/** Take over what a link holds. */
export function follow(link: Link): void {
  batch(() => {
    state.pose.value ??= link.pose;
    state.controls.value = link.controls;
    state.colourBy.value = link.colourBy;
    state.selected.value = link.selected;
    state.chosenTheme.value = link.theme === "light" || link.theme === "dark" ? link.theme : null;
    state.chosenLanguage.value = isLanguage(link.lang) ? link.lang : null;
    language.value = isLanguage(link.lang) ? link.lang : preferredLanguage();
    state.quality.value = isQuality(link.quality) ? link.quality : "auto";
    baseMapOn.value = link.baseMap;
    state.textured.value = link.textured;
    workbench.secondPose.value = link.second;
    workbench.linked.value = link.linked;
    workbench.tool.value = workbench.isTool(link.tool) ? link.tool : null;
    workbench.line.value = link.line;
    workbench.draft.value = [];
    if (link.sun) workbench.moment.value = link.sun;
    workbench.shadowMap.value = link.shadowMap;
    workbench.byArea.value = link.byArea;
    workbench.reportOf.value = link.reportOf;
    workbench.comparedBy.value = link.comparedBy ?? workbench.COMPARED_FIRST;
  });
}

export function currentLink(): Link {
  return {
    pose: state.pose.value,
    second: workbench.secondPose.value,
    linked: workbench.linked.value,
    controls: state.controls.value,
    colourBy: state.colourBy.value,
    selected: state.selected.value,
    lang: state.chosenLanguage.value,
    theme: state.chosenTheme.value,
    quality: state.quality.value === "auto" ? null : state.quality.value,
    baseMap: baseMapOn.value,
    textured: state.textured.value,
    tool: workbench.tool.value,
    comparedBy: workbench.comparedBy.value === workbench.COMPARED_FIRST ? null : workbench.comparedBy.value,
    line: workbench.line.value,
    sun: workbench.tool.value === "sun" ? workbench.moment.value : null,
    shadowMap: workbench.shadowMap.value,
    byArea: workbench.byArea.value,
    reportOf: workbench.reportOf.value,
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
    if (link.second) flyTo(link.second, 1);
  });
}
