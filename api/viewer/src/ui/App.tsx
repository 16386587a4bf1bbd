import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { selected, started } from "../state";
import { type Tool, secondPose, tool } from "../workbench";
import { AreaPanel } from "./AreaPanel";
import { BuildingPanel } from "./BuildingPanel";
import { ComparePanel } from "./ComparePanel";
import { Credits } from "./Credits";
import { Dock } from "./Dock";
import { ImportPanel } from "./ImportPanel";
import { Legend } from "./Legend";
import { MeasurePanel } from "./MeasurePanel";
import { Navigation } from "./Navigation";
import { Notes } from "./Notes";
import { SunPanel } from "./SunPanel";
import { SurfaceTip } from "./SurfaceTip";
import { Toolbar } from "./Toolbar";
import { Panes } from "./Panes";
import { Truth } from "./Truth";

export function App() {
  useEffect(() => {
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
      <Panes />
      <div class="overlay" data-split={secondPose.value !== null}>
        <Dock />
        <main class="middle">
          <Truth />
          <Notes />
          <Legend />
        </main>
        <div class="side">
          <BuildingPanel />
          {!selected.value && <OpenTool />}
          <div class="bars-right">
            <Navigation />
            <Toolbar />
          </div>
        </div>
      </div>
      <Credits />
      <SurfaceTip />
    </div>
  );
}

const PANELS: Record<Tool, () => ComponentChildren> = { compare: ComparePanel, measure: MeasurePanel, area: AreaPanel, sun: SunPanel, imports: ImportPanel };

function OpenTool() {
  const Panel = tool.value && PANELS[tool.value];
  return Panel && <Panel key={tool.value} />;
}
