/** What the surface under the pointer is, beside the pointer. */
import { useEffect, useState } from "preact/hooks";
import { compass, formatArea, formatDegrees, messageOr, t } from "../i18n";
import type { Surface } from "../scene/surfaces";
import { surface } from "../state";

/** From the pointer, and what the tip takes of a window at most. */
const [OFFSET_PX, WIDTH_PX, HEIGHT_PX] = [16, 200, 110];

export function SurfaceTip() {
  const [at, setAt] = useState({ x: 0, y: 0 });
  useEffect(() => {
    const follow = ({ clientX: x, clientY: y }: PointerEvent): void => setAt({ x, y });
    window.addEventListener("pointermove", follow);
    return () => window.removeEventListener("pointermove", follow);
  }, []);
  const found = surface.value;
  if (!found) return null;
  const left = Math.min(at.x + OFFSET_PX, window.innerWidth - WIDTH_PX);
  const top = Math.min(at.y + OFFSET_PX, window.innerHeight - HEIGHT_PX);
  return (
    <div class="surface-tip card" role="status" data-testid="surface" style={{ transform: `translate(${left}px, ${top}px)` }}>
      <strong>{messageOr(`surface_${found.type}`, found.type)}</strong>
      <dl>{facts(found)}</dl>
    </div>
  );
}

function facts({ area_m2: area, slope_deg: slope, azimuth_deg: azimuth }: Surface) {
  const rows: [string, string | null][] = [
    [t("surfaceArea"), area === null ? null : formatArea(area)],
    [t("slope"), slope === null ? null : formatDegrees(slope)],
    [t("azimuth"), azimuth === null ? null : `${formatDegrees(azimuth)} ${compass(azimuth)}`],
  ];
  return rows.map(
    ([name, value]) =>
      value && (
        <div class="row" key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ),
  );
}
