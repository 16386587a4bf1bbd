/** What is compared, as files: the table, and every building that the filter leaves, as the service writes them. */
import { downloadOf } from "../data/api";
import type { Comparison } from "../data/compare";
import { csvTable, save } from "../data/csv";
import { formatCount, t } from "../i18n";
import { appliedFilter, counts } from "../state";
import { tableRows } from "./compareRows";
import { Download } from "./icons";

export function Downloads({ found }: { found: Comparison }) {
  const total = counts.value?.total ?? 0;
  return (
    <div class="downloads">
      <button type="button" class="secondary" onClick={() => save(csvTable(tableRows(found)), `compare-${found.attribute.name}.csv`)}>
        <Download /> {t("downloadTable")}
      </button>
      {total > 0 && (
        <>
          <BuildingsFile format="csv" label={t("downloadBuildings", { count: formatCount(total) })} />
          <BuildingsFile format="geoparquet" label={t("downloadGeoparquet", { count: formatCount(total) })} />
        </>
      )}
    </div>
  );
}

function BuildingsFile({ format, label }: { format: "csv" | "geoparquet"; label: string }) {
  return (
    <a class="secondary" href={downloadOf(appliedFilter.value ?? "", format)} download>
      <Download /> {label}
    </a>
  );
}
