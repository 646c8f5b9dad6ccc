// What hyperparameters did: importance with intervals, each by itself, two together, and where the trials lie.

import { framed, numbers, places, tip, trimmed } from "../chart.js";
import { short } from "../dom.js";
import { shade } from "../theme.js";

const percent = (share) => `${Math.round(100 * share)} %`;

export function importanceHeight(found) {
  return 64 + 34 * found.influences.length;
}

export function importanceOption(found, palette, width) {
  const rows = [...found.influences].reverse();
  const said = ({ dataIndex }) => {
    const row = rows[dataIndex];
    return [row.name, `${percent(row.share)}, 95 % interval ${percent(row.low)} to ${percent(row.high)}`, row.stands_out ? "stands out from chance" : "may be chance", `chance alone stays below ${percent(row.chance)}`];
  };
  return {
    grid: { left: Math.min(150, width * 0.34), right: 32, top: 8, bottom: 44 },
    tooltip: tip(palette, said),
    xAxis: numbers(palette, "share of what tells the best trials from the others", { min: 0, max: Math.min(1, Math.ceil(5 * Math.max(0.2, ...rows.map((row) => Math.max(row.high, row.chance)))) / 5), interval: 0.2, axisLabel: { color: palette.quiet, formatter: percent } }),
    yAxis: {
      type: "category",
      data: rows.map((row) => row.name),
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
      axisLabel: { color: palette.ink, formatter: (name) => trimmed(name, width < 500 ? 14 : 20) },
    },
    series: [
      { type: "bar", barWidth: 12, data: rows.map((row) => ({ value: row.share, itemStyle: { color: row.stands_out ? palette.accent : palette.mark, borderRadius: 2 } })) },
      { type: "custom", data: rows.map((row, i) => [i, row.low, row.high, row.chance]), encode: { x: [1, 2, 3], y: 0 }, silent: true, z: 4, renderItem: (_, api) => whisker(api, palette) },
    ],
  };
}

// The interval as a line with ends, and what chance gives as a dash.
function whisker(api, palette) {
  const at = (dim) => api.coord([api.value(dim), api.value(0)]);
  const [[low, y], [high], [chance]] = [at(1), at(2), at(3)];
  const line = (x1, y1, x2, y2, colour, dash) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 1.5, lineDash: dash } });
  return {
    type: "group",
    children: [
      line(low, y, high, y, palette.ink),
      line(low, y - 4, low, y + 4, palette.ink),
      line(high, y - 4, high, y + 4, palette.ink),
      line(chance, y - 13, chance, y + 13, palette.quiet, [2, 2]),
    ],
  };
}

export function sliceOption(view, slice, palette) {
  const frame = framed(view.limits);
  const points = view.numbers.map((number, i) => [slice.places[i], frame.inside(view.scores[i]), number, view.scores[i]]).filter((point) => point[0] !== null && point[1] !== null);
  const few = points.length < 400;
  const cells = slice.cells;
  const line = (pick) => cells.map((cell) => [cell.place, frame.inside(cell[pick])]);
  const gap = cells.map((cell) => [cell.place, frame.inside(cell.high) - frame.inside(cell.low)]);
  const hidden = { type: "line", stack: "middle", symbol: "none", silent: true, lineStyle: { opacity: 0 } };
  return {
    grid: { left: 52, right: 12, top: 10, bottom: 26 },
    tooltip: tip(palette, ({ data }) => [`Trial ${data[2]}`, `${view.objective.name} ${short(data[3])}`]),
    xAxis: places(palette, slice.axis, { name: "" }),
    yAxis: numbers(palette, "", { scale: true, min: frame.low, max: frame.high, splitNumber: 3, axisLabel: { color: palette.quiet, formatter: (value) => (value <= frame.low || value >= frame.high ? "" : short(value)) } }),
    series: [
      { ...hidden, data: line("low") },
      { ...hidden, data: gap, areaStyle: { color: palette.accent, opacity: 0.14 } },
      { type: "scatter", data: points, symbolSize: few ? 5 : 3, large: points.length > 3000, itemStyle: { color: palette.mark, opacity: few ? 0.9 : 0.5 } },
      { type: "line", data: line("median"), symbol: "circle", symbolSize: 5, silent: true, z: 4, lineStyle: { color: palette.accent, width: 2 }, itemStyle: { color: palette.accent } },
    ],
  };
}

export function contourOption(view, palette) {
  const cells = view.surface.flatMap((row, j) => row.map((score, i) => [view.x_grid[i], view.y_grid[j], score]));
  const scores = cells.map((cell) => cell[2]);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  const better = (score) => (view.objective.direction === "max" ? (score - least) / (most - least || 1) : (most - score) / (most - least || 1));
  const halves = [half(view.x_grid), half(view.y_grid)];
  const points = view.numbers.map((number, i) => [view.x_places[i], view.y_places[i], number, view.scores[i]]).filter((point) => point[0] !== null && point[1] !== null);
  const winner = points.filter((point) => point[2] === view.winner);
  const rectangle = (_, api) => {
    // On whole pixels, or the background shines through between them.
    const [left, bottom] = api.coord([api.value(0) - halves[0], api.value(1) - halves[1]]).map(Math.round);
    const [right, top] = api.coord([api.value(0) + halves[0], api.value(1) + halves[1]]).map(Math.round);
    return { type: "rect", shape: { x: left, y: top, width: right - left, height: bottom - top }, style: { fill: shade(better(api.value(2)), palette) } };
  };
  return {
    grid: { left: 84, right: 16, top: 12, bottom: 48 },
    tooltip: tip(palette, ({ seriesIndex, data }) => (seriesIndex === 0 ? ["Expected", `${view.objective.name} ${short(data[2])}`] : [`Trial ${data[2]}`, `${view.objective.name} ${short(data[3])}`])),
    xAxis: places(palette, view.x),
    yAxis: places(palette, view.y, { nameGap: 62 }),
    series: [
      { type: "custom", data: cells, renderItem: rectangle, clip: true },
      { type: "scatter", data: points, symbolSize: points.length > 500 ? 3 : 6, itemStyle: { color: palette.surface, borderColor: palette.ink, borderWidth: 1, opacity: points.length > 500 ? 0.4 : 0.9 } },
      { type: "scatter", data: winner, symbolSize: 14, symbol: "diamond", z: 5, itemStyle: { color: palette.ink, borderColor: palette.surface, borderWidth: 2 } },
    ],
  };
}

function half(grid) {
  return grid.length > 1 ? (grid[1] - grid[0]) / 2 : 0.5;
}

// Where the trials lie in a plane, and what that makes of each side: a grid knows few values, chance knows many.
export function triedOption(view, palette, width) {
  const points = view.numbers.map((number, i) => [view.x.places[i], view.y.places[i], number, view.scores[i], view.quality[i], view.states[i]]).filter((point) => point[0] !== null && point[1] !== null);
  const narrow = width < 500;
  const side = narrow ? 48 : 84;
  const left = 84;
  const bars = (counts, flat) => ({
    type: "category",
    data: counts.map((_, i) => i),
    show: false,
    boundaryGap: true,
    ...(flat ? {} : { inverse: false }),
  });
  const amount = { type: "value", show: false };
  const bar = (counts, at, flat) => ({ type: "bar", xAxisIndex: at, yAxisIndex: at, silent: true, barCategoryGap: "12%", data: counts, itemStyle: { color: palette.mark, borderRadius: flat ? [2, 2, 0, 0] : [0, 2, 2, 0] } });
  return {
    grid: [
      { left, right: side + 24, top: side + 12, bottom: 48 },
      { left, right: side + 24, top: 8, height: side - 4 },
      { right: 8, width: side, top: side + 12, bottom: 48 },
    ],
    tooltip: tip(palette, ({ data }) => [`Trial ${data[2]}`, data[3] === null ? data[5] : `${view.objective.name} ${short(data[3])}`]),
    xAxis: [places(palette, view.x.axis, { min: 0, max: 1 }), { ...bars(view.x.counts, true), gridIndex: 1 }, { ...amount, gridIndex: 2 }],
    yAxis: [places(palette, view.y.axis, { min: 0, max: 1, nameGap: 62 }), { ...amount, gridIndex: 1 }, { ...bars(view.y.counts, false), gridIndex: 2 }],
    series: [
      {
        type: "scatter",
        clip: false,
        data: points.map((point) => ({ value: point, itemStyle: { color: point[5] === "failed" ? "transparent" : shade(point[4], palette), borderColor: point[5] === "failed" ? palette.bad : palette.surface } })),
        symbolSize: points.length > 1000 ? 4 : 10,
        itemStyle: { borderWidth: 1 },
      },
      bar(view.x.counts, 1, true),
      bar(view.y.counts, 2, false),
    ].map((series) => (series.type === "scatter" ? { ...series, tooltip: tip(palette, ({ value }) => [`Trial ${value[2]}`, value[3] === null ? value[5] : `${view.objective.name} ${short(value[3])}`]) } : series)),
  };
}
