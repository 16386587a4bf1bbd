/** Names of the cities, where they are too far away to be seen as buildings. */
import { toEcef } from "../geo/geodesy";
import { cityName, formatCount } from "../i18n";
import { counts, frame, places, pose } from "../state";
import type { Screen } from "../scene/projection";
import { flyToPlace, theWorld } from "../view";

const FAR_M = 9_000;
/** Width and height of a name. */
const NAME_PX = [110, 30];

export function Markers() {
  const from = pose.value;
  const world = theWorld();
  // Places are projected with the camera of the last frame drawn.
  if (!from || !world || from.range < FAR_M || frame.value === 0) return null;
  const projection = world.projection();
  const named: Screen[] = [];
  return (
    <div class="markers">
      {places.value.map((place) => {
        const at = projection.point(toEcef((place.west + place.east) / 2, (place.south + place.north) / 2, 20));
        // Of places on one spot, the first is named.
        if (!at || named.some(({ x, y }) => Math.abs(x - at.x) < NAME_PX[0] && Math.abs(y - at.y) < NAME_PX[1])) return null;
        named.push(at);
        return (
          <button
            key={place.key}
            type="button"
            class="marker"
            style={{ transform: `translate(${at.x}px, ${at.y}px) translate(-50%, -100%)` }}
            onClick={() => flyToPlace(place)}
          >
            <strong>{cityName(place.city)}</strong>
            <span>{formatCount(counts.value?.byCity[place.city] ?? 0)}</span>
          </button>
        );
      })}
    </div>
  );
}
