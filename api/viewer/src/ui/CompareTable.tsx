import type { Comparison } from "../data/compare";
import { attributeLabel, sideName, t, unitText } from "../i18n";
import { measures } from "./compareRows";
import { sideColour } from "./sides";

/** The numbers behind the chart. */
export function CompareTable({ found }: { found: Comparison }) {
  const { attribute, sides } = found;
  const unit = unitText(attribute);
  return (
    <table class="compared" data-many={sides.length > 3}>
      <caption class="unseen">{`${t("compare")}: ${attributeLabel(attribute)}`}</caption>
      <thead>
        <tr>
          <th scope="col">{unit ? <small>{unit}</small> : <span class="unseen">{t("measure_of")}</span>}</th>
          {sides.map((side, i) => (
            <th key={side.key} scope="col" style={{ borderColor: sideColour(i) }}>
              {sideName(side.key)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {measures(found).map((measure) => (
          <tr key={measure.key} data-measure={measure.key}>
            <th scope="row">{measure.label}</th>
            {sides.map((side) => (
              <td key={side.key} data-side={side.key}>
                {measure.text(side)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
