import { baseMap, shownBaseMap } from "../basemap";
import { t } from "../i18n";
import { datasets, pose } from "../state";

/** Who published what is shown, and on what terms. */
export function Credits() {
  const lines = datasets.value
    .filter(({ count, role }) => count > 0 && role === "primary")
    .flatMap(({ title, publisher, licence, heights }) => [
      [publisher ?? title, licence].filter(Boolean).join(", "),
      // The licence's name stays, its address would fill the line.
      heights?.credit?.replace(/ \(https?:[^)]*\)/g, "") ?? "",
    ]);
  const credits = [...new Set(lines.filter(Boolean))];
  if ((pose.value?.range ?? 0) > 7_000) credits.push(t("coast"));
  // First, for a narrow line is cut at its end.
  if (shownBaseMap.value && baseMap?.credit) credits.unshift(baseMap.credit);
  return (
    <footer class="credits" title={credits.join("\n")} tabIndex={0}>
      {credits.join(" · ")}
    </footer>
  );
}
