/** Where the objects stand that the open import report names. */
import { toEcef } from "../geo/geodesy";
import { t } from "../i18n";
import { USUAL_GROUND_M } from "../poses";
import { frame } from "../state";
import { flyToReported, theWorld } from "../view";
import { pointedAt, reported } from "../workbench";

export function Reported() {
  // Points are projected with the camera of the last frame drawn; before it there is no world.
  if (frame.value === 0 || !reported.value.length) return null;
  const world = theWorld();
  if (!world) return null;
  const projection = world.projection();
  return (
    <div class="markers">
      {reported.value.map((entry, i) => {
        const [west, south, east, north] = entry.bbox as [number, number, number, number];
        const [lon, lat] = [(west + east) / 2, (south + north) / 2];
        const at = projection.point(toEcef(lon, lat, (world.ground.level(lon, lat) ?? USUAL_GROUND_M) + 12));
        const label = `${entry.object_id}: ${entry.code}`;
        return (
          at && (
            <button
              key={i}
              type="button"
              class="pin"
              title={label}
              aria-label={`${t("showOnMap")}: ${label}`}
              aria-pressed={pointedAt.value === entry}
              style={{ transform: `translate(${at.x}px, ${at.y}px) translate(-50%, -50%)` }}
              onClick={() => flyToReported(entry)}
            />
          )
        );
      })}
    </div>
  );
}
