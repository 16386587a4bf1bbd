/** Histograms for a control: of all buildings, and of those that the other controls leave. */
import { signal } from "@preact/signals";
import { useLayoutEffect, useState } from "preact/hooks";
import { type Histogram, fetchHistogram } from "../data/api";
import { cql2 } from "../data/filter";
import { attempts, controls, filterError, seen, started } from "../state";

const DELAY_MS = 120;

/** How many are on their way, or wait for the first view. */
export const histogramsAsked = signal(0);

export interface Histograms {
  all: Histogram | null;
  left: Histogram | null;
  /** The one of all buildings could not be had. */
  failed: boolean;
}

export function useHistograms(attribute: string, bins?: number): Histograms {
  const [all, setAll] = useState<Histogram | null>(null);
  const [left, setLeft] = useState<Histogram | null>(null);
  const [failed, setFailed] = useState(false);
  const others = cql2(controls.value, attribute);
  const ready = started.value === "ready" && seen.value;
  const refused = filterError.value !== null;
  const attempt = attempts.value;
  useLayoutEffect(() => {
    if (!ready) return owe();
    setFailed(false);
    return request(attribute, "", bins, setAll, () => setFailed(true));
  }, [attribute, ready, attempt]);
  useLayoutEffect(() => {
    if (!ready || refused) return undefined;
    if (others) return request(attribute, others, bins, setLeft);
    setLeft(null);
    return undefined;
  }, [attribute, others, ready, refused, attempt]);
  return { all, left: (others ? left : null) ?? all, failed: failed && !all };
}

/** Count one that is wanted; returns how to end that. */
function owe(): () => void {
  let open = true;
  histogramsAsked.value = histogramsAsked.peek() + 1;
  return () => {
    if (open) histogramsAsked.value = histogramsAsked.peek() - 1;
    open = false;
  };
}

/** Ask after a moment, unless something newer is asked first. Of a filter, the count by it tells of failures. */
function request(
  attribute: string,
  filter: string,
  bins: number | undefined,
  take: (found: Histogram) => void,
  fail?: () => void,
): () => void {
  const abort = new AbortController();
  const close = owe();
  const timer = setTimeout(() => {
    fetchHistogram(attribute, { filter, signal: abort.signal, ...(bins && { bins }) })
      .then(take)
      .catch((error: unknown) => {
        if ((error as Error).name !== "AbortError") fail?.();
      })
      .finally(close);
  }, filter ? DELAY_MS : 0);
  return () => {
    clearTimeout(timer);
    abort.abort();
    close();
  };
}
