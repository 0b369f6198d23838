// Draws every [data-chart] of the page from the JSON beside it (webapp/foundation/charts.py), and lets the keyboard walk it.
import { init } from "./charts/echarts.js";
import { drawing } from "./charts/drawing.js";
import { savePicture } from "./charts/picture.js";

/** Draws one chart, and again whenever its size or the theme changes. */
function begin(box) {
  const data = JSON.parse(document.getElementById(`${box.id}-data`).textContent);
  const said = document.getElementById(`${box.dataset.chart}-said`);
  const chart = init(box, null, { renderer: "svg" });
  let shown;
  let at = null;

  function draw() {
    shown = drawing(data, box.clientWidth);
    chart.setOption(shown.option, true);
    box.dataset.values = JSON.stringify(shown.drawn(chart.getOption()));
    box.dataset.drawn = "true";
  }

  /** Shows and says what the keyboard has reached. */
  function reach(place) {
    at = place;
    chart.dispatchAction({ type: "showTip", ...shown.tip(at) });
    said.textContent = shown.describe(at);
  }

  draw();
  // Of a picture, a screen reader keeps the arrow keys for itself.
  box.setAttribute("role", "application");
  box.setAttribute("aria-roledescription", box.dataset.walkedAs);
  box.addEventListener("keydown", (event) => {
    const place = shown.keys(event.key, at);
    if (place === undefined) return;
    event.preventDefault();
    reach(place);
  });
  box.addEventListener("blur", () => chart.dispatchAction({ type: "hideTip" }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    chart.resize();
    draw();
  }).observe(box);
  const button = document.querySelector(`[data-picture="${box.id}"]`);
  button.hidden = false;
  button.addEventListener("click", () => savePicture(chart, data));
}

document.querySelectorAll("[data-chart]").forEach(begin);
