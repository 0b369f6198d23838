// A table of cells, the fuller the more: hours across and weekdays down, or on a narrow screen the other way round.
import { figure, furniture, token } from "./theme.js";

const NARROW = 800;

function describe(data, { place, line }) {
  const { label, values } = data.lines[line];
  return `${label} ${data.places[place]}\n${values[place] === null ? "–" : figure(values[place], data)}`;
}

function axis(names, inverse) {
  return {
    type: "category",
    data: names,
    inverse,
    axisTick: { show: false },
    axisLine: { show: false },
    axisLabel: { color: token("--ink-2"), interval: 0, hideOverlap: true },
  };
}

/** What stands in a cell: no more digits than have room there. */
function inside(value) {
  if (value > 0 && value < 0.1) return `<${inside(0.1)}`;
  return value ? value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: value < 10 ? 1 : 0 }) : "";
}

function option(data, flipped) {
  const most = Math.max(...data.lines.flatMap(({ values }) => values)) || 1;
  const weekdays = axis(data.lines.map(({ label }) => label), !flipped);
  const clock = axis(data.places, flipped);
  const cell = (line, place, value) => ({
    value: flipped ? [line, place, value] : [place, line, value],
    label: { color: token(value > most / 2 ? "--accent-ink" : "--ink") },
  });
  return {
    ...furniture(({ dataIndex }) => describe(data, spot(data, dataIndex)), "item", false), // each cell says its number
    grid: { left: 8, right: 8, top: 8, bottom: 72 },
    xAxis: flipped ? weekdays : clock,
    yAxis: flipped ? clock : weekdays,
    visualMap: {
      type: "continuous",
      min: 0,
      max: most,
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: 160,
      text: [figure(most, data), "0"],
      textStyle: { color: token("--ink-2") },
      inRange: { color: [token("--surface-2"), token("--accent")] },
    },
    series: [
      {
        id: "cells",
        type: "heatmap",
        data: data.lines.flatMap(({ values }, line) => values.map((value, place) => cell(line, place, value))),
        label: { show: true, fontSize: 11, formatter: ({ value }) => inside(value[2]) },
        itemStyle: { borderColor: token("--surface"), borderWidth: 1 },
      },
    ],
  };
}

/** The line and place of the cell of this number. */
function spot(data, index) {
  const count = data.places.length;
  return { line: Math.floor(index / count), place: index % count };
}

/** The cell that a key leads to: arrows go as the eye does. */
function keys(key, at, data, flipped) {
  const [across, down] = flipped ? ["line", "place"] : ["place", "line"];
  const ends = { line: data.lines.length - 1, place: data.places.length - 1 };
  const from = at ?? { line: 0, place: 0 };
  const moved = (name, by) => ({ ...from, [name]: Math.max(0, Math.min(ends[name], from[name] + (at ? by : 0))) });
  const steps = {
    ArrowLeft: () => moved(across, -1),
    ArrowRight: () => moved(across, 1),
    ArrowUp: () => moved(down, -1),
    ArrowDown: () => moved(down, 1),
    Home: () => ({ line: 0, place: 0 }),
    End: () => ends,
  };
  return steps[key]?.();
}

/** Calls by weekday and hour. */
export function heat(data, width) {
  const flipped = width < NARROW;
  const count = data.places.length;
  return {
    option: option(data, flipped),
    drawn: ({ series: [{ data: cells }] }) => ({
      [data.axis]: data.places,
      series: Object.fromEntries(
        data.lines.map(({ key }, line) => [key, cells.slice(line * count, (line + 1) * count).map(({ value }) => value[2])]),
      ),
    }),
    tip: ({ line, place }) => ({ seriesIndex: 0, dataIndex: line * count + place }),
    keys: (key, at) => keys(key, at, data, flipped),
    describe: (at) => describe(data, at),
  };
}
