/** The tools that open a panel beside the view. */
import type { ComponentChildren } from "preact";
import type { Key } from "../i18n/en";
import { t } from "../i18n";
import { places, selected } from "../state";
import { openSecond } from "../view";
import { type Tool, secondPose, tool } from "../workbench";
import { Chart, Columns, Inbox, Polygon, Ruler, Shade } from "./icons";

const BUTTONS: { tool: Tool; label: Key; icon: () => ComponentChildren }[] = [
  { tool: "compare", label: "compare", icon: Chart },
  { tool: "measure", label: "measure", icon: Ruler },
  { tool: "area", label: "area", icon: Polygon },
  { tool: "sun", label: "sun", icon: Shade },
  { tool: "imports", label: "imports", icon: Inbox },
];

/** Open a tool, or close it where it is open; the details of a building make room. */
function toggle(wanted: Tool): void {
  tool.value = tool.value === wanted ? null : wanted;
  if (tool.value) selected.value = null;
}

function SplitButton() {
  const split = secondPose.value !== null;
  const press = (): void => {
    if (split) secondPose.value = null;
    else openSecond();
  };
  return (
    <button type="button" class="icon-button" title={t("sideBySide")} aria-label={t("sideBySide")} aria-pressed={split} onClick={press}>
      <Columns />
    </button>
  );
}

export function Toolbar() {
  return (
    <nav class="navigation card" aria-label={t("tools")}>
      {places.value.length > 1 && <SplitButton />}
      {BUTTONS.map(({ tool: name, label, icon: Icon }) => (
        <button
          key={name}
          type="button"
          class="icon-button"
          title={t(label)}
          aria-label={t(label)}
          aria-pressed={tool.value === name}
          onClick={() => toggle(name)}
        >
          <Icon />
        </button>
      ))}
    </nav>
  );
}
