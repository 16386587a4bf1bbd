/** What came of the imports of a dataset: what is stored, what was refused and why, what is not stored. */
import { useEffect, useRef } from "preact/hooks";
import type { FileReport, ReportEntry } from "../data/api";
import type { Key } from "../i18n/en";
import { formatCount, formatInstant, messageOr, t } from "../i18n";
import { datasets } from "../state";
import { flyToReported } from "../view";
import { pointedAt, report, reportOf, reportedDataset } from "../workbench";
import { Target } from "./icons";
import { ToolPanel } from "./ToolPanel";

export function ImportPanel() {
  const chosen = reportedDataset.value;
  const found = report.value?.dataset === chosen?.name ? report.value : null;
  return (
    <ToolPanel title={t("imports")} testid="imports" busy={!found}>
      <div class="tool-body">
        <p class="hint first">{t("reportHint")}</p>
        <label class="labelled">
          <span>{t("dataset")}</span>
          <select class="wide" value={chosen?.name} onChange={(event) => (reportOf.value = event.currentTarget.value)}>
            {datasets.value.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        {!found && <div class="lines skeleton" />}
        {found && !found.files.length && <p class="hint">{t("reportNone")}</p>}
        {found?.files.map((file, i) => (
          <details key={`${file.file} ${file.imported}`} class="file" open={i === 0}>
            <summary>
              <b>{file.file}</b>
              {file.refused_count > 0 && <span class="chip alarm">{`${t("reportRefused")}: ${formatCount(file.refused_count)}`}</span>}
            </summary>
            <File file={file} />
          </details>
        ))}
      </div>
    </ToolPanel>
  );
}

function File({ file }: { file: FileReport }) {
  const complete = !file.refused_count && !Object.keys(file.not_stored).length;
  return (
    <>
      <p class="hint">{[file.format, file.reference_system, messageOr(`code_${file.placement}`, file.placement), formatInstant(file.imported)].join(" · ")}</p>
      <Figures file={file} />
      {complete && <p class="hint">{t("reportComplete")}</p>}
      <Entries title="reportRefused" entries={file.refused} count={file.refused_count} />
      <Entries title="reportMeshless" entries={file.problems} count={file.problems_count} />
      <Numbers title="reportLost" numbers={file.not_stored} />
      <Numbers title="reportOtherwise" numbers={file.stored_otherwise} />
      <Numbers title="reportCodes" numbers={file.unknown_codes} />
    </>
  );
}

/** How many features came, and what became of them. */
function Figures({ file }: { file: FileReport }) {
  const figures: [Key, number, boolean][] = [
    ["reportStored", file.read, true],
    ["reportRefused", file.refused_count, true],
    ["reportAdded", file.added, false],
    ["reportChanged", file.geometry_changed + file.attributes_changed, false],
    ["reportUnchanged", file.unchanged, false],
    ["reportEnded", file.removed, false],
    ["reportLeftOut", file.left_out, false],
  ];
  return (
    <dl class="outcome">
      {figures
        .filter(([, count, always]) => always || count > 0)
        .map(([label, count]) => (
          <div key={label} data-outcome={label}>
            <dt>{t(label)}</dt>
            <dd>{formatCount(count)}</dd>
          </div>
        ))}
    </dl>
  );
}

function Entries({ title, entries, count }: { title: Key; entries: ReportEntry[]; count: number }) {
  if (!count) return null;
  const placed = entries.filter(({ bbox }) => bbox).length;
  return (
    <section data-entries={title}>
      <h3>{`${t(title)} (${formatCount(count)})`}</h3>
      {title === "reportRefused" && <p class="hint">{placed ? t("reportPlaced", { count: formatCount(placed) }) : t("reportUnplaced")}</p>}
      {entries.length < count && <p class="hint">{t("reportCut", { count: formatCount(entries.length) })}</p>}
      <ul class="entries">
        {entries.map((entry, i) => (
          <Entry key={i} entry={entry} />
        ))}
      </ul>
    </section>
  );
}

function Entry({ entry }: { entry: ReportEntry }) {
  const line = useRef<HTMLLIElement>(null);
  const pointed = pointedAt.value === entry;
  useEffect(() => {
    if (pointed) line.current?.scrollIntoView({ block: "nearest" });
  }, [pointed]);
  const name = entry.object_id ?? t("noId");
  return (
    <li ref={line} data-code={entry.code} data-pointed={pointed}>
      <div>
        <b>{name}</b>
        <span class="muted">{entry.place}</span>
        {entry.bbox && (
          <button type="button" class="icon-button small" title={t("showOnMap")} aria-label={`${t("showOnMap")}: ${name}`} onClick={() => flyToReported(entry)}>
            <Target />
          </button>
        )}
      </div>
      {/* The service tells reasons in English. */}
      <p lang="en">
        <code>{entry.code}</code> {entry.reason}
      </p>
      <p lang="en" class="muted">
        {entry.suggestion}
      </p>
    </li>
  );
}

function Numbers({ title, numbers }: { title: Key; numbers: Record<string, number> }) {
  const entries = Object.entries(numbers).toSorted(([, a], [, b]) => b - a);
  if (!entries.length) return null;
  return (
    <section data-entries={title}>
      <h3>{t(title)}</h3>
      <dl class="numbers">
        {entries.map(([name, count]) => (
          <div key={name} class="row">
            <dt lang="en">{name}</dt>
            <dd>{formatCount(count)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
