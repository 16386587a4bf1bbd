/** What a person should know now: loading, nothing found, something failed. */
import { useEffect } from "preact/hooks";
import type { Key } from "../i18n/en";
import { t } from "../i18n";
import { controls, counts, datasets, filterError, notice, progress, started, webglMissing } from "../state";
import { NO_FILTER } from "../data/filter";
import { load } from "../state";
import { Close } from "./icons";

const PASSING_MS = 2500;

export function Notes() {
  return (
    <>
      <Progress />
      <Centre />
      <Toast />
    </>
  );
}

function Progress() {
  const { fraction, idle } = progress.value;
  if (idle || started.value === "failed" || webglMissing.value) return null;
  return (
    <div class="progress" role="progressbar" aria-label={t("loading")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(fraction * 100)}>
      <i style={{ width: `${10 + 90 * fraction}%` }} />
    </div>
  );
}

/** States that leave nothing to look at. */
function Centre() {
  if (webglMissing.value) return <Message text="noWebgl" hint="noWebglHint" />;
  if (started.value === "failed") return <Message text="serverDown" hint="serverDownHint" action={t("retry")} onAction={() => void load()} />;
  if (started.value === "ready" && !datasets.value.some((dataset) => dataset.count)) return <Message text="noData" hint="noDataHint" />;
  if (counts.value?.total === 0 && !filterError.value) {
    return <Message text="emptyResult" hint="emptyHint" action={t("clear")} onAction={() => (controls.value = NO_FILTER)} />;
  }
  return null;
}

function Message({ text, hint, action, onAction }: { text: Key; hint: Key; action?: string; onAction?: () => void }) {
  return (
    <section class="message card" role="alert">
      <h2>{t(text)}</h2>
      <p>{t(hint)}</p>
      {action && (
        <button type="button" class="primary" onClick={onAction}>
          {action}
        </button>
      )}
    </section>
  );
}

function Toast() {
  const current = notice.value;
  useEffect(() => {
    if (!current || current.retry) return undefined;
    const timer = setTimeout(() => (notice.value = null), PASSING_MS);
    return () => clearTimeout(timer);
  }, [current]);
  if (!current) return null;
  return (
    <div class="toast card" role="status">
      <span>{t(current.text)}</span>
      {current.retry && (
        <button type="button" class="quiet" onClick={() => { notice.value = null; current.retry?.(); }}>
          {t("retry")}
        </button>
      )}
      <button type="button" class="icon-button small" aria-label={t("dismiss")} onClick={() => (notice.value = null)}>
        <Close />
      </button>
    </div>
  );
}
