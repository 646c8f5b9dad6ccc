// How a search went, and how trainings go: scores by trial, and curves by epoch.

import { framed, numbers, tip } from "../chart.js";
import { short } from "../dom.js";

const MANY = 3000;

export function courseOption(view, palette) {
  const frame = framed(view.limits);
  const points = [];
  const failed = [];
  view.numbers.forEach((number, i) => {
    if (view.scores[i] !== null) points.push([number, frame.inside(view.scores[i]), view.scores[i], view.states[i]]);
    else if (view.states[i] === "failed") failed.push([number, 0, null, view.causes[i] || "failed"]);
  });
  const low = view.objective.direction === "max" ? frame.low : frame.high;
  const said = ({ data }) => [`Trial ${data[0]}`, data[2] === null ? data[3] : `${view.objective.name} ${short(data[2])}`, data[3]];
  const winner = view.winner === null ? [] : points.filter((point) => point[0] === view.winner);
  return {
    grid: { left: 58, right: 16, top: 16, bottom: 40 },
    tooltip: tip(palette, said),
    xAxis: numbers(palette, "trial", { min: 0, max: Math.max(view.numbers.length - 1, 1), minInterval: 1, splitLine: { show: false } }),
    yAxis: numbers(palette, "", { scale: true, min: frame.low, max: frame.high, axisLabel: { color: palette.quiet, formatter: edge(frame) } }),
    series: [
      { type: "scatter", data: points, symbolSize: points.length > MANY ? 3 : 6, large: points.length > MANY, itemStyle: { color: palette.mark } },
      { type: "scatter", data: failed.map((point) => [point[0], low, null, point[3]]), symbol: "path://M0 0L8 8M8 0L0 8", symbolSize: 7, itemStyle: { color: "none", borderColor: palette.bad, borderWidth: 1.5 } },
      { type: "line", step: "end", symbol: "none", silent: true, data: view.numbers.map((number, i) => [number, view.best[i] === null ? null : frame.inside(view.best[i])]), lineStyle: { color: palette.accent, width: 2 } },
      { type: "scatter", data: winner, symbolSize: 12, z: 5, itemStyle: { color: palette.accent, borderColor: palette.surface, borderWidth: 2 } },
    ],
  };
}

// The ends of an axis are no round numbers: they go without a label.
function edge(frame) {
  return (value) => (value <= frame.low || value >= frame.high ? "" : short(value));
}

// `chosen` are the trials that people picked: each gets a colour of its own.
export function curvesOption(view, palette, chosen = []) {
  const frame = framed(view.limits);
  const many = view.lines.length > 12;
  const styled = view.lines.map((line) => ({ line, ...look(line, palette, chosen, many) }));
  styled.sort((a, b) => a.rank - b.rank);
  const last = Math.max(2, ...view.lines.map((line) => line.values.length));
  return {
    grid: { left: 58, right: 16, top: 16, bottom: 40 },
    tooltip: tip(palette, (hit) => [`Trial ${hit.seriesName}`, ...hitLines(hit, view.metric)], { trigger: "item" }),
    xAxis: numbers(palette, "epoch", { min: 1, max: last, minInterval: 1, splitLine: { show: false } }),
    yAxis: numbers(palette, "", { scale: true, min: frame.low, max: frame.high, axisLabel: { color: palette.quiet, formatter: edge(frame) } }),
    series: styled.flatMap(({ line, colour, width, dash, opacity, rank }) => [
      ...(rank > 0 && line.low.length ? band(line, colour, frame) : []),
      {
        type: "line",
        name: String(line.trial),
        data: line.values.map((value, i) => [i + 1, frame.inside(value), value]),
        symbol: "circle",
        symbolSize: line.values.length === 1 ? 5 : 4,
        showSymbol: line.values.length === 1,
        triggerLineEvent: true,
        z: 2 + rank,
        lineStyle: { color: colour, width, type: dash, opacity },
        itemStyle: { color: colour },
        emphasis: { lineStyle: { width: width + 1, opacity: 1 } },
      },
    ]),
  };
}

function hitLines(hit, metric) {
  const data = hit.data ?? hit.value;
  return Array.isArray(data) ? [`epoch ${data[0]}`, `${metric} ${short(data[2] ?? data[1])}`] : [];
}

function look(line, palette, chosen, many) {
  const place = chosen.indexOf(line.trial);
  if (place >= 0) return { colour: palette.lines[place % palette.lines.length], width: 2, dash: "solid", opacity: 1, rank: 3 };
  const quiet = chosen.length > 0;
  if (line.role === "winner") return { colour: palette.accent, width: 2, dash: "solid", opacity: quiet ? 0.4 : 1, rank: quiet ? 0 : 2 };
  if (line.role === "defaults") return { colour: palette.ink, width: 1.5, dash: "dashed", opacity: quiet ? 0.4 : 0.9, rank: quiet ? 0 : 1 };
  return { colour: palette.mark, width: 1, dash: "solid", opacity: many || quiet ? 0.55 : 0.9, rank: 0 };
}

// The range of a trial's members, as an area between two lines.
function band(line, colour, frame) {
  const stack = `band ${line.trial}`;
  const side = { type: "line", stack, symbol: "none", silent: true, lineStyle: { opacity: 0 }, z: 1 };
  const low = line.low.map((value) => (value === null ? null : frame.inside(value)));
  const gap = line.high.map((value, i) => (value === null || low[i] === null ? null : frame.inside(value) - low[i]));
  return [
    { ...side, data: low.map((value, i) => [i + 1, value]) },
    { ...side, data: gap.map((value, i) => [i + 1, value]), areaStyle: { color: colour, opacity: 0.12 } },
  ];
}

export function coursesOption(courses, palette) {
  return {
    grid: { left: 64, right: 16, top: 40, bottom: 40 },
    legend: { top: 4, left: 0, icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: { color: palette.ink }, formatter: (name) => name },
    tooltip: tip(palette, ({ seriesName, data }) => [seriesName, `after trial ${data[0]}: ${short(data[1])}`]),
    xAxis: numbers(palette, "trial", { minInterval: 1, splitLine: { show: false } }),
    yAxis: numbers(palette, "", { scale: true, axisLabel: { color: palette.quiet, formatter: short } }),
    series: courses.map((course, i) => ({
      type: "line",
      step: "end",
      name: course.name,
      symbol: "circle",
      symbolSize: 4,
      showSymbol: course.best.length < 60,
      data: course.best.map((best, number) => [number, best]),
      lineStyle: { color: palette.lines[i], width: 2 },
      itemStyle: { color: palette.lines[i] },
    })),
  };
}
