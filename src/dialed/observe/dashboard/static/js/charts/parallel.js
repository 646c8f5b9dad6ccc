// Parallel coordinates: each trial a line over the axes of its hyperparameters, the score at the right end.

import { framed, tip, trimmed } from "../chart.js";
import { short } from "../dom.js";
import { shade } from "../theme.js";

const MOST = 1500; // lines that still can be told apart, and drawn at once
const AXIS_WIDTH = 96;

export function parallelWidth(view) {
  return (view.axes.length + 1) * AXIS_WIDTH;
}

// `selection` has `ranges`, by the name of the axis, and the `picked` trials.
export function parallelOption(view, palette, selection) {
  const frame = framed(view.limits);
  const picked = new Set(selection.picked);
  const shown = drawn(view, picked);
  const down = view.objective.direction === "min";
  const axes = view.axes.map((axis, dim) => hyperparameterAxis(axis, dim, palette));
  axes.push(scoreAxis(view, axes.length, palette, frame, down));
  const line = (i) => [...view.places.map((column) => column[i] ?? "-"), frame.inside(view.scores[i]) ?? "-"];
  const series = (rows, style) => ({
    type: "parallel",
    smooth: false,
    progressive: 500,
    inactiveOpacity: 0.03,
    activeOpacity: 0.8,
    ...style,
    data: rows.map((i) => ({
      name: String(view.numbers[i]),
      value: line(i),
      lineStyle: { color: picked.has(view.numbers[i]) ? colourOf(view.numbers[i], selection, palette) : shade(view.quality[i], palette) },
    })),
  });
  const others = shown.filter((i) => !picked.has(view.numbers[i]));
  const ours = shown.filter((i) => picked.has(view.numbers[i]));
  return {
    parallel: { left: 56, right: 72, top: 44, bottom: 24, axisExpandable: false },
    parallelAxis: axes,
    tooltip: tip(palette, ({ name, dataIndex }) => saidOf(view, name, dataIndex)),
    series: [
      series(others, { lineStyle: { width: 1, opacity: (picked.size ? 0.6 : 1) * (others.length > 300 ? 0.35 : 0.6) } }),
      series(ours, { lineStyle: { width: 2.5, opacity: 1 }, z: 4 }),
    ],
  };
}

export function colourOf(number, selection, palette) {
  return palette.lines[selection.picked.indexOf(number) % palette.lines.length];
}

// All trials, the best drawn last; of very many the best half and some of the others.
function drawn(view, picked) {
  const rows = view.numbers.map((_, i) => i).filter((i) => view.scores[i] !== null || picked.has(view.numbers[i]));
  rows.sort((a, b) => (view.quality[a] ?? -1) - (view.quality[b] ?? -1));
  if (rows.length <= MOST) return rows;
  const best = rows.slice(-MOST / 2);
  const rest = rows.slice(0, -MOST / 2);
  const stride = rest.length / (MOST / 2);
  const some = Array.from({ length: MOST / 2 }, (_, i) => rest[Math.floor(i * stride)]);
  const asked = rest.filter((i) => picked.has(view.numbers[i]));
  return [...new Set([...some, ...asked, ...best])];
}

function hyperparameterAxis(axis, dim, palette) {
  const texts = new Map(axis.ticks.map((tick) => [tick.place.toFixed(6), tick.text]));
  const at = axis.ticks.map((tick) => tick.place);
  return {
    ...plainAxis(dim, axis.name, palette),
    min: 0,
    max: 1,
    axisTick: { show: true, length: 4, customValues: at, lineStyle: { color: palette.mark } },
    axisLabel: { ...label(palette), customValues: at, formatter: (place) => trimmed(texts.get(Number(place).toFixed(6)) ?? "", 9) },
  };
}

function scoreAxis(view, dim, palette, frame, down) {
  return {
    ...plainAxis(dim, view.objective.name, palette),
    min: frame.low,
    max: frame.high,
    inverse: down,
    nameTextStyle: { color: palette.ink, fontWeight: 600 },
    axisTick: { show: false },
    axisLabel: { ...label(palette), formatter: (value) => (value <= frame.low || value >= frame.high ? "" : short(value)) },
  };
}

function plainAxis(dim, name, palette) {
  return {
    dim,
    name: trimmed(name, 15),
    type: "value",
    nameGap: 16,
    nameTextStyle: { color: palette.ink },
    axisLine: { lineStyle: { color: palette.mark } },
    splitLine: { show: false },
    areaSelectStyle: { width: 18, borderWidth: 1, borderColor: palette.accent, color: palette.accent, opacity: 0.2 },
  };
}

function label(palette) {
  return { color: palette.quiet, hideOverlap: true, textBorderColor: palette.surface, textBorderWidth: 3 };
}

function saidOf(view, name) {
  const i = view.numbers.indexOf(Number(name));
  return i < 0 ? [] : [`Trial ${name}`, `${view.objective.name} ${short(view.scores[i])}`, view.states[i]];
}

// The ranges that are brushed on the chart, by the name of the axis; that of the score is "".
export function brushed(instance, view) {
  const ranges = {};
  const model = instance.getModel();
  [...view.axes.map((axis) => axis.name), ""].forEach((name, i) => {
    const intervals = model.getComponent("parallelAxis", i)?.activeIntervals ?? [];
    if (intervals.length) ranges[name] = [Math.min(...intervals.map((at) => at[0])), Math.max(...intervals.map((at) => at[1]))];
  });
  return ranges;
}
