// Bars that stand on each other, lines, and a range between two lines, over places along one axis.
import { broken, colour, figure, furniture, legendRows, pattern, token } from "./theme.js";

const NARROW = 600;
const CROWDED = 60; // places, from which on points are no longer marked
const DASHED = ["dashed"];

/** How a place is written below the axis, where a table has room for more. */
const SHORT = { days: (day) => day.slice(5), weeks: (day) => day.slice(5), hours: (hour) => hour.slice(5, 16),
  times: (time) => time.slice(5, 16) };

/** Values of a crowded line: one that has no neighbour has no line either, and would not be seen without its mark. */
const marked = (values) =>
  values.map((value, place) => {
    const alone = value !== null && (values[place - 1] ?? null) === null && (values[place + 1] ?? null) === null;
    return alone ? { value, symbolSize: 6 } : value;
  });

/** A line's series in ECharts. `first`: the level of the place, on which marks stand. */
function series(line, index, data, level) {
  const { key, label, values, draw } = line;
  const common = { id: key, name: label, itemStyle: { color: colour(key, index) } };
  if (draw === "bar") {
    return { ...common, type: "bar", stack: "calls", data: values, barMaxWidth: 28, emphasis: { focus: "series" },
      itemStyle: { ...common.itemStyle, decal: pattern(key, index) } };
  }
  if (draw === "up" || draw === "down") {
    return { ...common, type: "line", lineStyle: { width: 0 }, symbol: "triangle", symbolSize: 11, z: 4,
      symbolRotate: draw === "down" ? 180 : 0, showAllSymbol: true,
      data: values.map((amount, place) => (amount ? { value: level[place], amount } : null)) };
  }
  const range = draw === "least" || draw === "most";
  const crowded = data.places.length > CROWDED;
  return { ...common, type: "line", data: crowded ? marked(values) : values, step: draw === "step" ? "middle" : false, connectNulls: false,
    symbol: SYMBOLS[draw] ?? "circle", symbolSize: crowded ? 0 : 6, showAllSymbol: true,
    lineStyle: { width: range ? 1 : 2, type: DASHED.includes(draw) || range ? "dashed" : "solid" } };
}

const SYMBOLS = { step: "diamond", dashed: "emptyCircle", least: "none", most: "none" };

/** The area between the least and the most: ECharts stacks the difference on an unseen line. */
function band(data) {
  const least = data.lines.find(({ draw }) => draw === "least");
  const most = data.lines.find(({ draw }) => draw === "most");
  if (!least || !most) return [];
  const unseen = { type: "line", stack: "band", symbol: "none", lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false } };
  const gap = most.values.map((value, place) => (value === null ? null : value - least.values[place]));
  return [
    { ...unseen, data: least.values },
    { ...unseen, data: gap, areaStyle: { color: token("--accent"), opacity: 0.18 } },
  ];
}

/** What stands in the tooltip, and is said for each place that the arrow keys reach. */
function describe(data, place) {
  const told = data.lines.filter(({ values }) => values[place] !== null);
  const bars = told.filter(({ draw }) => draw === "bar");
  const total = bars.length > 1 ? [figure(bars.reduce((sum, { values }) => sum + values[place], 0), data)] : [];
  const quiet = bars.length > 1; // of many, those with something to tell
  const words = told
    .filter(({ values, draw }) => values[place] || !(draw === "bar" && quiet))
    .map(({ label, values }) => `${label}  ${figure(values[place], data)}`);
  return [[data.places[place], ...total].join("  "), ...words, data.notes[place]].filter(Boolean).join("\n");
}

function option(data, width) {
  const ink = token("--ink-2");
  const labels = data.lines.map(({ label }) => label);
  const level = data.places.map((_, place) => data.lines.map(({ values }) => values[place]).find((value) => value !== null));
  return {
    ...furniture((points) => describe(data, points[0].dataIndex), "axis"),
    grid: { left: 8, right: 16, top: 32, bottom: 28 + 24 * legendRows(labels, width) },
    legend: { bottom: 0, textStyle: { color: ink, lineHeight: 16 }, data: labels, formatter: (label) => broken(label, width).join("\n") },
    xAxis: {
      type: "category",
      data: data.places,
      axisTick: { show: false },
      axisLine: { onZero: true, lineStyle: { color: token("--line-strong") } },
      axisLabel: { color: ink, formatter: SHORT[data.axis], hideOverlap: true },
    },
    yAxis: {
      type: "value",
      name: data.unit,
      nameTextStyle: { color: ink },
      minInterval: data.digits ? undefined : 1,
      max: data.unit === "%" ? 100 : undefined,
      splitNumber: width < NARROW ? 3 : 5,
      axisLabel: { color: ink },
      splitLine: { lineStyle: { color: token("--line") } },
    },
    series: [...data.lines.map((line, index) => series(line, index, data, level)), ...band(data)],
  };
}

/** The place that a key leads to from another; from nowhere, the last or the first one. */
function keys(key, at, last) {
  const steps = { ArrowLeft: (at ?? last + 1) - 1, ArrowRight: (at ?? -1) + 1, Home: 0, End: last };
  return key in steps ? Math.max(0, Math.min(last, steps[key])) : undefined;
}

/** A chart over places along one axis. */
export function lines(data, width) {
  return {
    option: option(data, width),
    drawn: ({ xAxis, series: made }) => ({
      [data.axis]: xAxis[0].data,
      series: Object.fromEntries(
        made.slice(0, data.lines.length).map(({ id, data: values }) => [id, values.map((one) => one?.amount ?? one?.value ?? one)]),
      ),
    }),
    tip: (place) => ({
      seriesIndex: Math.max(0, data.lines.findIndex(({ values }) => values[place] !== null)),
      dataIndex: place,
    }),
    keys: (key, at) => keys(key, at, data.places.length - 1),
    describe: (place) => describe(data, place),
  };
}
