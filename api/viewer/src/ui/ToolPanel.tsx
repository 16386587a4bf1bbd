/** The frame of a tool: a titled card beside the view, closed by its button or Escape. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { panelWidth } from "../state";
import { tool } from "../workbench";
import { Close } from "./icons";

interface Props {
  title: string;
  testid: string;
  busy?: boolean;
  children: ComponentChildren;
}

export function ToolPanel({ title, testid, busy, children }: Props) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current?.focus({ preventScroll: true });
    return () => before?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const measure = (): void => {
      const { left, width } = (panel.current as HTMLElement).getBoundingClientRect();
      panelWidth.value = width < window.innerWidth * 0.45 ? window.innerWidth - left + 8 : 0;
    };
    measure();
    window.addEventListener("resize", measure);
    return () => {
      window.removeEventListener("resize", measure);
      panelWidth.value = 0;
    };
  }, []);
  return (
    <aside ref={panel} class="details tool card" tabIndex={-1} aria-label={title} aria-busy={busy} data-testid={testid}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="icon-button" title={`${t("close")} (Esc)`} aria-label={t("close")} onClick={() => (tool.value = null)}>
          <Close />
        </button>
      </header>
      {children}
    </aside>
  );
}
