import type { ComponentChildren } from "preact";
import { baseMap, baseMapOn, toggleBaseMap } from "../basemap";
import { t } from "../i18n";
import { pose } from "../state";
import { flyTo } from "../view";
import { MapSheet, Minus, Needle, Plus } from "./icons";

const FLAT = -75;

export function Navigation() {
  const now = pose.value;
  if (!now) return null;
  const flat = now.pitch < FLAT;
  const zoom = (factor: number): void => flyTo({ ...now, range: now.range * factor });
  return (
    <nav class="navigation card" aria-label={t("navigation")}>
      <Tool label={t("zoomIn")} onClick={() => zoom(0.5)}>
        <Plus />
      </Tool>
      <Tool label={t("zoomOut")} onClick={() => zoom(2)}>
        <Minus />
      </Tool>
      <Tool label={t("tilt")} onClick={() => flyTo({ ...now, pitch: flat ? -34 : -89.9 })}>
        <b>{flat ? "3D" : "2D"}</b>
      </Tool>
      <Tool label={t("north")} onClick={() => flyTo({ ...now, heading: 0 })}>
        <Needle heading={now.heading} />
      </Tool>
      {baseMap && (
        <Tool label={t("baseMap")} pressed={baseMapOn.value} onClick={toggleBaseMap}>
          <MapSheet />
        </Tool>
      )}
    </nav>
  );
}

interface ToolProps {
  label: string;
  /** Of what is on or off. */
  pressed?: boolean;
  onClick: () => void;
  children: ComponentChildren;
}

function Tool({ label, pressed, onClick, children }: ToolProps) {
  return (
    <button type="button" class="icon-button" title={label} aria-label={label} aria-pressed={pressed} onClick={onClick}>
      {children}
    </button>
  );
}
