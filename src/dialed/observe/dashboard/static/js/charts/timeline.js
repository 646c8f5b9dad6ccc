// Who trained what, when: a bar for each stretch, in rows by worker.

import { numbers, tip, trimmed } from "../chart.js";

export function timelineHeight(view) {
  const rows = view.workers.reduce((sum, worker) => sum + worker.rows, 0);
  return Math.min(900, Math.max(150, 110 + rows * 24));
}

export function timelineOption(view, palette, width) {
  const first = new Map();
  let total = 0;
  for (const worker of view.workers) {
    first.set(worker.name, total);
    total += worker.rows;
  }
  const colour = { completed: palette.scale[2], paused: palette.scale[1], failed: palette.bad, returned: palette.mark, running: palette.accent, stopped: palette.scale[0] };
  const data = view.bars.map((bar) => [bar.begin, bar.end, first.get(bar.worker) + bar.row, bar]);
  const names = new Map([...first].map(([name, row]) => [row, name]));
  const margin = width < 500 ? 76 : 150;
  return {
    grid: { left: margin, right: 20, top: 8, bottom: 76 },
    tooltip: tip(palette, ({ data: [begin, end, , bar] }) => [`Trial ${bar.trial}`, `${bar.ending}${bar.purpose === "confirm" ? ", under a fresh seed" : ""}`, `${seconds(begin)} to ${seconds(end)}, ${seconds(end - begin)} in all`, `seed ${bar.seed}, fold ${bar.fold}`, bar.worker]),
    xAxis: numbers(palette, "", { min: 0, max: Math.max(view.seconds, 0.001), axisLabel: { color: palette.quiet, formatter: seconds, hideOverlap: true }, splitLine: { lineStyle: { color: palette.line } } }),
    yAxis: {
      type: "value",
      min: 0,
      max: Math.max(total, 1),
      inverse: true,
      interval: 1,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { color: palette.ink, verticalAlign: "top", formatter: (row) => trimmed(names.get(row) ?? "", width < 500 ? 10 : 20) },
    },
    dataZoom: [
      { type: "inside", filterMode: "weakFilter", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false },
      { type: "slider", filterMode: "weakFilter", height: 20, bottom: 8, borderColor: palette.line, fillerColor: palette.accentSoft, handleStyle: { color: palette.surface, borderColor: palette.mark }, moveHandleSize: 0, brushSelect: false, labelFormatter: seconds, textStyle: { color: palette.quiet }, showDataShadow: false },
    ],
    series: [{ type: "custom", clip: true, data, encode: { x: [0, 1], y: 2 }, renderItem: (hit, api) => bar(hit, api, view.bars, colour, palette) }],
  };
}

function bar(hit, api, bars, colour, palette) {
  const [left, top] = api.coord([api.value(0), api.value(2)]);
  const [right, bottom] = api.coord([api.value(1), api.value(2) + 1]);
  const { ending, purpose } = bars[hit.dataIndex];
  const fill = colour[ending] ?? palette.mark;
  const hollow = purpose === "confirm";
  return {
    type: "rect",
    shape: { x: left, y: top + 2, width: Math.max(right - left - 1, 1.5), height: Math.max(Math.min(bottom - top - 4, 26), 3), r: 2 },
    style: { fill: hollow ? palette.surface : fill, stroke: fill, lineWidth: hollow ? 1.5 : 0 },
  };
}

export function seconds(value) {
  if (value < 10) return `${Number(value.toFixed(2))} s`;
  if (value < 120) return `${Number(value.toFixed(1))} s`;
  if (value < 7200) return `${Number((value / 60).toFixed(1))} min`;
  return `${Number((value / 3600).toFixed(1))} h`;
}
