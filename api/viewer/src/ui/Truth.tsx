/** How far to trust what is on show: synthetic buildings and approximate placement are said aloud. */
import { computed } from "@preact/signals";
import type { Dataset } from "../data/api";
import { metresPerDegree } from "../geo/geodesy";
import { t } from "../i18n";
import { datasets, pose } from "../state";

/** Datasets around the point looked at. */
const inView = computed<Dataset[]>(() => {
  const at = pose.value;
  if (!at) return [];
  const [perLon, perLat] = metresPerDegree(at.lat);
  const [dx, dy] = [(at.range * 0.8) / perLon, (at.range * 0.8) / perLat];
  return datasets.value.filter(({ bbox, count, role, placement }) => {
    if (!bbox || !count || role !== "primary" || placement === "unplaced") return false;
    const [west, south, east, north] = bbox;
    return at.lon > west - dx && at.lon < east + dx && at.lat > south - dy && at.lat < north + dy;
  });
});

export function Truth() {
  const synthetic = inView.value.filter((dataset) => dataset.synthetic);
  const approximate = inView.value.filter((dataset) => dataset.placement === "approximate");
  const names = (sets: Dataset[]): string => sets.map((dataset) => dataset.title).join(", ");
  return (
    <div class="truth" role="status">
      {synthetic.length > 0 && (
        <p class="badge synthetic" data-testid="synthetic" title={`${t("syntheticMeaning")} ${names(synthetic)}`}>
          <strong>{t("synthetic")}</strong>
          <span>{t("syntheticMeaning")}</span>
        </p>
      )}
      {approximate.length > 0 && (
        <p class="badge" data-testid="approximate" title={t("approximateMeaning", { datasets: names(approximate) })}>
          {t("approximate")}
        </p>
      )}
    </div>
  );
}
