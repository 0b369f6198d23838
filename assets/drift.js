// Draws the drift at each reading of the vendor's counter into #drift-chart from the JSON beside it.
// Only what is used of ECharts is bundled; the SVG renderer and rich-text tooltips keep to the strict CSP.
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, SVGRenderer]);

const box = document.getElementById("drift-chart");
const said = document.getElementById("drift-said");
const data = JSON.parse(document.getElementById("drift-chart-data").textContent);
const chart = init(box, null, { renderer: "svg" });

/** The value of one of our colour tokens in the theme shown now. */
function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** What stands in the tooltip, and is said for each reading that the arrow keys reach. */
function describe(index) {
  if (data.begun[index]) return `${data.times[index]}\n${data.labels.begun}`;
  return [
    data.times[index],
    `${data.labels.drift}  ${data.drift[index]} ${data.unit}`,
    `${data.labels.open}  ${data.open[index]} ${data.unit}`,
  ].join("\n");
}

function option() {
  const ink = token("--ink-2");
  return {
    animation: false,
    textStyle: { fontFamily: token("--sans"), color: ink },
    aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
    grid: { left: 8, right: 16, top: 28, bottom: 52 },
    legend: { bottom: 0, textStyle: { color: ink }, data: [data.labels.drift, data.labels.open] },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: token("--surface"),
      borderColor: token("--line-strong"),
      textStyle: { color: token("--ink"), fontFamily: token("--sans") },
      formatter: (points) => describe(points[0].dataIndex),
    },
    xAxis: {
      type: "category",
      data: data.times,
      axisTick: { show: false },
      axisLine: { onZero: true, lineStyle: { color: token("--line-strong") } },
      axisLabel: { color: ink, formatter: (time) => time.slice(5, 16), hideOverlap: true },
    },
    yAxis: {
      type: "value",
      name: data.unit,
      nameTextStyle: { color: ink },
      minInterval: 1,
      axisLabel: { color: ink },
      splitLine: { lineStyle: { color: token("--line") } },
    },
    series: [
      {
        id: "open",
        name: data.labels.open,
        type: "bar",
        data: data.open,
        barMaxWidth: 20,
        itemStyle: {
          color: token("--series-unknown"),
          decal: { symbol: "rect", symbolSize: 1, dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4 },
        },
      },
      {
        id: "drift",
        name: data.labels.drift,
        type: "line",
        step: "middle",
        data: data.drift,
        symbol: data.drift.length > 60 ? "none" : "diamond",
        symbolSize: 8,
        lineStyle: { width: 2, color: token("--series-mismatch") },
        itemStyle: { color: token("--series-mismatch") },
      },
    ],
  };
}

/** What the chart really holds, read back from it, for whoever checks the drawing against the table. */
function drawn() {
  const { xAxis, series } = chart.getOption();
  return JSON.stringify({
    times: xAxis[0].data,
    series: Object.fromEntries(series.map(({ id, data: values }) => [id, values])),
  });
}

function draw() {
  chart.setOption(option(), true);
  box.dataset.values = drawn();
  box.dataset.drawn = "true";
}

let at = data.times.length;

/** Shows and says the reading that the keyboard has reached. */
function reach(index) {
  at = Math.max(0, Math.min(data.times.length - 1, index));
  chart.dispatchAction({ type: "showTip", seriesIndex: 1, dataIndex: at });
  said.textContent = describe(at);
}

const KEYS = {
  ArrowLeft: () => reach(at - 1),
  ArrowRight: () => reach(at + 1),
  Home: () => reach(0),
  End: () => reach(data.times.length - 1),
};

draw();
box.addEventListener("keydown", (event) => {
  if (!KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
box.addEventListener("blur", () => chart.dispatchAction({ type: "hideTip" }));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new ResizeObserver(() => chart.resize()).observe(box);
