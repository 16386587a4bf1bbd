import { render } from "preact";
import { follow, keepAddress } from "./address";
import { readLink } from "./data/link";
import { exposeProbe } from "./debug";
import { attempts, controls, load, notice, run, started } from "./state";
import "./styles/theme.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/panels.css";
import "./styles/tools.css";
import "./styles/imports.css";
import { App } from "./ui/App";
import { openWorlds } from "./view";
import { runTools } from "./workbench";

/** Ask again for whatever is missing. */
function retry(): void {
  notice.value = null;
  attempts.value = attempts.peek() + 1;
  if (started.value !== "ready") return void load();
  controls.value = { ...controls.value };
  for (const world of openWorlds()) world.buildings.retry();
}

follow(readLink(window.location.hash));
run(retry);
runTools();
exposeProbe();
render(<App />, document.getElementById("app") as HTMLElement);
keepAddress();
void load();
