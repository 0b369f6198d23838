// Draws the stacked bars of calls per day and result into #usage-chart from the JSON beside it.
// Only what is used of ECharts is bundled; the SVG renderer and rich-text tooltips keep to the strict CSP.
import { BarChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, SVGRenderer]);

const box = document.getElementById("usage-chart");
const data = JSON.parse(document.getElementById("usage-chart-data").textContent);
const chart = init(box, null, { renderer: "svg" });

/** The value of one of our colour tokens in the theme shown now. */
function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Patterns tell results apart where colours do not; the most frequent one stays plain.
const lines = (rotation) => ({ symbol: "rect", symbolSize: 1, dashArrayX: [1, 0], dashArrayY: [2, 4], rotation });
const dots = (symbol, symbolSize) => ({ symbol, symbolSize, dashArrayX: [[6, 6], [0, 6, 6, 0]], dashArrayY: [6, 0] });
const patterns = {
  match: { color: "transparent" },
  mismatch: lines(Math.PI / 4),
  no_such_number: dots("circle", 0.6),
  invalid_input: lines(0),
  maintenance: lines(Math.PI / 2),
  refused: dots("rect", 0.6),
  unknown: lines(-Math.PI / 4),
  unexpected: dots("triangle", 0.8),
  sending: dots("diamond", 0.8),
};

/** One series of bars in the colour and pattern of its result. */
function bars({ key, label, values }) {
  return {
    id: key,
    name: label,
    type: "bar",
    stack: "calls",
    data: values,
    barMaxWidth: 28,
    itemStyle: { color: token(`--series-${key.replaceAll("_", "-")}`), decal: patterns[key] },
    emphasis: { focus: "series" },
  };
}

/** What the tooltip says: the day, its total, then each result that occurred. */
function describe(points) {
  const total = points.reduce((sum, point) => sum + point.value, 0);
  const lines = points.filter((point) => point.value > 0).map((point) => `${point.seriesName}  ${point.value}`);
  return [`${points[0].axisValue}  ${total} ${data.unit}`, ...lines].join("\n");
}

function option() {
  const ink = token("--ink-2");
  const line = token("--line");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    animation: !calm,
    animationDuration: 250,
    textStyle: { fontFamily: token("--sans"), color: ink },
    aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
    grid: { left: 8, right: 8, top: 12, bottom: box.clientWidth < 600 ? 72 : 48 },
    legend: {
      bottom: 0,
      type: "plain",
      textStyle: { color: ink },
      data: data.series.filter(({ values }) => values.some(Boolean)).map(({ label }) => label),
    },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      axisPointer: { type: "shadow" },
      backgroundColor: token("--surface"),
      borderColor: token("--line-strong"),
      textStyle: { color: token("--ink"), fontFamily: token("--sans") },
      formatter: describe,
    },
    xAxis: {
      type: "category",
      data: data.days,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: token("--line-strong") } },
      axisLabel: { color: ink, formatter: (day) => day.slice(5), hideOverlap: true },
    },
    yAxis: {
      type: "value",
      minInterval: 1,
      axisLabel: { color: ink },
      splitLine: { lineStyle: { color: line } },
    },
    series: data.series.map(bars),
  };
}

/** What the chart really holds, read back from it, for whoever checks the drawing against the counts. */
function drawn() {
  const { xAxis, series } = chart.getOption();
  return JSON.stringify({
    days: xAxis[0].data,
    series: Object.fromEntries(series.map(({ id, data: values }) => [id, values])),
  });
}

function draw() {
  chart.setOption(option(), true);
  box.dataset.values = drawn();
  box.dataset.drawn = "true";
}

draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new ResizeObserver(() => chart.resize()).observe(box);
