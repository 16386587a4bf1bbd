/** What is compared, as files: the table, and every building that the filter leaves. */
import { useRef, useState } from "preact/hooks";
import type { Comparison } from "../data/compare";
import { buildingsCsv, csvTable, save } from "../data/csv";
import { formatCount, t } from "../i18n";
import { appliedFilter, catalogue, counts, unreachable } from "../state";
import { tableRows } from "./compareRows";
import { Download } from "./icons";

export function Downloads({ found }: { found: Comparison }) {
  const [done, setDone] = useState<number | null>(null);
  const abort = useRef<AbortController | null>(null);
  const total = counts.value?.total ?? 0;
  const fetchAll = async (): Promise<void> => {
    abort.current = new AbortController();
    setDone(0);
    try {
      const columns = catalogue.value.map(({ name }) => name);
      save(await buildingsCsv(appliedFilter.value ?? "", columns, setDone, abort.current.signal), "buildings.csv");
    } catch (error) {
      if ((error as Error).name !== "AbortError") unreachable();
    }
    setDone(null);
  };
  return (
    <div class="downloads">
      <button type="button" class="secondary" onClick={() => save(csvTable(tableRows(found)), `compare-${found.attribute.name}.csv`)}>
        <Download /> {t("downloadTable")}
      </button>
      {done === null ? (
        <button type="button" class="secondary" disabled={total === 0} onClick={() => void fetchAll()}>
          <Download /> {t("downloadBuildings", { count: formatCount(total) })}
        </button>
      ) : (
        <button type="button" class="secondary" aria-live="polite" onClick={() => abort.current?.abort()}>
          {t("downloading", { done: formatCount(done), total: formatCount(total) })} · {t("cancel")}
        </button>
      )}
    </div>
  );
}
