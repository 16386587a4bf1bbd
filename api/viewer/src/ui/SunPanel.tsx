/** The sun and the shadows of a date and hour. */
import { useEffect, useState } from "preact/hooks";
import { SHADOW_MAPS } from "../data/link";
import { daylight } from "../geo/sun";
import type { Key } from "../i18n/en";
import { formatDegrees, formatMetres, t } from "../i18n";
import { ZONE, spotOf, sunAt } from "../sunlight";
import { moment, shadowMap } from "../workbench";
import { ToolPanel } from "./ToolPanel";

const DAY_MINUTES = 1_440;
const PLAY_STEP = 10;
const PLAY_MS = 120;
/** Solstices and equinox: what a shadow study is asked for. */
const DAYS: [Key, string][] = [
  ["spring", "03-21"],
  ["summer", "06-21"],
  ["winter", "12-21"],
];
const RADIANS = Math.PI / 180;

export function clock(minutes: number): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

export function SunPanel() {
  const { date, minutes } = moment.value;
  const { rise, set } = daylight(date, ...spotOf(0), ZONE);
  return (
    <ToolPanel title={t("sun")} testid="sun">
      <div class="tool-body">
        <label class="labelled">
          <span>{t("date")}</span>
          <input type="date" class="text" value={date} onChange={({ currentTarget: { value } }) => value && (moment.value = { date: value, minutes })} />
        </label>
        <div class="days">
          {DAYS.map(([key, day]) => (
            <button key={key} type="button" class="secondary plain" aria-pressed={date.endsWith(day)} onClick={() => (moment.value = { date: `${date.slice(0, 4)}-${day}`, minutes })}>
              {t(key)}
            </button>
          ))}
        </div>
        <Hour rise={rise} set={set} />
        <Facts rise={rise} set={set} />
        <label class="labelled">
          <span>{t("shadowQuality")}</span>
          <select class="wide" value={shadowMap.value ?? ""} onChange={(event) => (shadowMap.value = Number(event.currentTarget.value) || null)}>
            <option value="">{t("automatic")}</option>
            {SHADOW_MAPS.map((size, i) => (
              <option key={size} value={size}>
                {t((["coarse", "fine", "finest"] as const)[i])}
              </option>
            ))}
          </select>
        </label>
      </div>
    </ToolPanel>
  );
}

interface Daylight {
  rise: number | null;
  set: number | null;
}

function Hour({ rise, set }: Daylight) {
  const { date, minutes } = moment.value;
  const [playing, setPlaying] = useState(false);
  const put = (next: number): void => {
    moment.value = { date: moment.peek().date, minutes: next };
  };
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setInterval(() => put((moment.peek().minutes + PLAY_STEP) % DAY_MINUTES), PLAY_MS);
    return () => clearInterval(timer);
  }, [playing]);
  const share = (minute: number): string => `${(100 * minute) / DAY_MINUTES}%`;
  const day = rise !== null && set !== null && rise < set ? { "--rise": share(rise), "--set": share(set) } : {};
  return (
    <div class="labelled hour">
      <label for="hour">{t("hour")}</label>
      <output>{clock(minutes)}</output>
      <input id="hour" type="range" min={0} max={DAY_MINUTES - 5} step={5} value={minutes} style={day} aria-valuetext={`${date} ${clock(minutes)}`} onInput={(event) => put(Number(event.currentTarget.value))} />
      <button type="button" class="secondary plain" aria-pressed={playing} onClick={() => setPlaying(!playing)}>
        {t(playing ? "pause" : "playDay")}
      </button>
    </div>
  );
}

function Facts({ rise, set }: Daylight) {
  const sun = sunAt(0);
  if (!sun) return null;
  const up = sun.elevation > 0;
  const shadow = 10 / Math.tan(sun.elevation * RADIANS);
  return (
    <dl class="facts" aria-live="polite">
      <Fact name={t("elevation")} value={formatDegrees(sun.elevation)} />
      <Fact name={t("azimuth")} value={formatDegrees(sun.azimuth)} />
      <Fact name={t("sunrise")} value={rise === null ? "–" : clock(rise)} />
      <Fact name={t("sunset")} value={set === null ? "–" : clock(set)} />
      {up ? <Fact name={t("shadowOf10")} value={formatMetres(shadow)} /> : <p class="hint">{t("sunDown")}</p>}
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div class="row">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
