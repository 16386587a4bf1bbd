import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { selected, started, webglMissing } from "../state";
import { openView } from "../view";
import { tool } from "../workbench";
import { BuildingPanel } from "./BuildingPanel";
import { ComparePanel } from "./ComparePanel";
import { Credits } from "./Credits";
import { Dock } from "./Dock";
import { Legend } from "./Legend";
import { Markers } from "./Markers";
import { Navigation } from "./Navigation";
import { Notes } from "./Notes";
import { Toolbar } from "./Toolbar";
import { Truth } from "./Truth";

export function App() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    try {
      openView(canvas.current as HTMLCanvasElement);
    } catch (error) {
      console.warn(error);
      webglMissing.value = true;
    }
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      if (selected.value) selected.value = null;
      else tool.value = null;
    };
    window.addEventListener("keydown", escape);
    return () => window.removeEventListener("keydown", escape);
  }, []);
  return (
    <div class="app" data-started={started.value}>
      <canvas ref={canvas} class="view" tabIndex={0} role="application" aria-label={t("mapLabel")} />
      <Markers />
      <div class="overlay">
        <Dock />
        <main class="middle">
          <Truth />
          <Notes />
          <Legend />
        </main>
        <div class="side">
          <BuildingPanel />
          {!selected.value && tool.value === "compare" && <ComparePanel />}
          <div class="bars-right">
            <Navigation />
            <Toolbar />
          </div>
        </div>
      </div>
      <Credits />
    </div>
  );
}
