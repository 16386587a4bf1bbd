import { render } from "preact";
import { exposeProbe } from "./debug";
import { load, run, started, controls, notice } from "./state";
import "./styles/theme.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/panels.css";
import { App } from "./ui/App";
import { theWorld } from "./view";

/** Ask again for whatever is missing. */
function retry(): void {
  notice.value = null;
  if (started.value !== "ready") return void load();
  controls.value = { ...controls.value };
  theWorld()?.buildings.retry();
}

run(retry);
exposeProbe();
render(<App />, document.getElementById("app") as HTMLElement);
void load();
