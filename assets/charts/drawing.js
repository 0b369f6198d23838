// Which kind of drawing a chart is.
import { heat } from "./heat.js";
import { lines } from "./lines.js";

/**
 * What the script needs of a drawing in a box of this width: the option for ECharts, `drawn` (the figures read back from
 * it, for whoever checks them against the counts), `tip` (which tooltip belongs to a place), `keys` (the place that a
 * key leads to, undefined where it leads nowhere) and `describe` (a place in words).
 */
export function drawing(data, width) {
  return data.kind === "heat" ? heat(data, width) : lines(data, width);
}
