/** The 3D view, or two of them side by side, each with the name of its city. */
import { useEffect, useRef } from "preact/hooks";
import { cityName, formatCount, t } from "../i18n";
import { counts, dockWidth, panelWidth, placeAt, places, pose } from "../state";
import { type Pane as Index, flyToPlace, openView, sketchCentre } from "../view";
import { drawing, finishArea, linked, secondPose, undoPoint } from "../workbench";
import { Close, Linked, Unlinked } from "./icons";
import { Markers } from "./Markers";
import { Reported } from "./Reported";
import { Sketch } from "./Sketch";

export function Panes() {
  const split = secondPose.value !== null;
  const region = split ? { left: `${dockWidth.value ? dockWidth.value + 16 : 0}px`, right: `${panelWidth.value}px` } : {};
  return (
    <div class="panes" style={region}>
      <div class="pane-grid" data-split={split}>
        <Pane index={0} />
        {split && <Pane index={1} />}
        {split && <LinkButton />}
      </div>
    </div>
  );
}

function Pane({ index }: { index: Index }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => openView(canvas.current as HTMLCanvasElement, index), []);
  return (
    <section class="pane" data-pane={index} aria-label={secondPose.value ? t(index ? "rightView" : "leftView") : t("view")}>
      <canvas ref={canvas} class="view" tabIndex={0} role="application" aria-label={t(drawing.value ? "drawLabel" : "mapLabel")} data-drawing={drawing.value} onKeyDown={(event) => drawByKey(event, index)} />
      {index === 0 && <Markers />}
      {index === 0 && <Reported />}
      <Sketch pane={index} />
      {secondPose.value && <Head index={index} />}
    </section>
  );
}

/** Space sets a point where the cross is, Enter ends, Backspace takes the last one back. */
function drawByKey(event: KeyboardEvent, pane: Index): void {
  if (!drawing.value) return;
  const does: Record<string, () => void> = { " ": () => sketchCentre(pane), Enter: finishArea, Backspace: undoPoint };
  const act = does[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function Head({ index }: { index: Index }) {
  const here = placeAt((index ? secondPose : pose).value);
  const choose = (key: string): void => {
    const place = places.value.find((one) => one.key === key);
    if (place) flyToPlace(place, index);
  };
  const count = here ? (counts.value?.byCity[here] ?? 0) : null;
  return (
    <header class="pane-head card">
      <select aria-label={t("cityOfView")} value={here ?? ""} onChange={(event) => choose(event.currentTarget.value)}>
        {!here && <option value="">–</option>}
        {places.value.map((place) => (
          <option key={place.key} value={place.key}>
            {cityName(place.city)}
          </option>
        ))}
      </select>
      {count !== null && <span class="muted">{t("countOfBuildings", { count: formatCount(count) })}</span>}
    </header>
  );
}

function LinkButton() {
  const label = t(linked.value ? "unlinkCameras" : "linkCameras");
  return (
    <div class="pane-tools card">
      <button type="button" class="icon-button" title={label} aria-label={label} aria-pressed={linked.value} onClick={() => (linked.value = !linked.value)}>
        {linked.value ? <Linked /> : <Unlinked />}
      </button>
      <button type="button" class="icon-button" title={t("closeSecond")} aria-label={t("closeSecond")} onClick={() => (secondPose.value = null)}>
        <Close />
      </button>
    </div>
  );
}
