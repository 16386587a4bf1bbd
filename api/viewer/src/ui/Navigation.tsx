import type { ComponentChildren } from "preact";
import { t } from "../i18n";
import { pose } from "../state";
import { flyTo } from "../view";
import { Minus, Needle, Plus } from "./icons";

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
    </nav>
  );
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="icon-button" title={label} aria-label={label} onClick={onClick}>
      {children}
    </button>
  );
}
