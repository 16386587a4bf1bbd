/** Histograms for a control: of all buildings, and of those that the other controls leave. */
import { useEffect, useState } from "preact/hooks";
import { type Histogram, fetchHistogram } from "../data/api";
import { cql2 } from "../data/filter";
import { controls, filterError, started } from "../state";

const DELAY_MS = 120;

export interface Histograms {
  all: Histogram | null;
  left: Histogram | null;
}

export function useHistograms(attribute: string, bins?: number): Histograms {
  const [all, setAll] = useState<Histogram | null>(null);
  const [left, setLeft] = useState<Histogram | null>(null);
  const others = cql2(controls.value, attribute);
  const ready = started.value === "ready";
  const refused = filterError.value !== null;
  useEffect(() => {
    if (!ready) return undefined;
    return request(attribute, "", bins, setAll);
  }, [attribute, ready]);
  useEffect(() => {
    if (!ready || refused) return undefined;
    if (others) return request(attribute, others, bins, setLeft);
    setLeft(null);
    return undefined;
  }, [attribute, others, ready, refused]);
  return { all, left: others ? left : all };
}

/** Ask after a moment, unless something newer is asked first. */
function request(attribute: string, filter: string, bins: number | undefined, take: (found: Histogram) => void): () => void {
  const abort = new AbortController();
  const timer = setTimeout(() => {
    fetchHistogram(attribute, { filter, signal: abort.signal, ...(bins && { bins }) })
      .then(take)
      .catch(() => undefined); // the count of the same filter tells of the failure
  }, filter ? DELAY_MS : 0);
  return () => {
    clearTimeout(timer);
    abort.abort();
  };
}
