// Each view: its data into its chart, with a word where there is nothing to draw. The report draws through these too.

import { courseOption, coursesOption, curvesOption } from "./charts/course.js";
import { brushed, parallelOption, parallelWidth } from "./charts/parallel.js";
import { contourOption, importanceHeight, importanceOption, sliceOption, triedOption } from "./charts/space.js";
import { timelineHeight, timelineOption } from "./charts/timeline.js";
import { Chart } from "./chart.js";
import { byId, count, el, fill, short } from "./dom.js";

const charts = new Map();

export function chart(id, label, options) {
  if (!charts.has(id)) charts.set(id, new Chart(byId(id), label, options));
  return charts.get(id);
}

export function showHistory(view) {
  const scored = view.scores.filter((score) => score !== null).length;
  const drawn = chart("history", "Scores by trial, and the best so far");
  byId("history-says").textContent = scored ? "each trial, and the best so far; the large dot is the winner" : "";
  if (!scored) return drawn.says("No score yet", "Each trial appears here as it ends.");
  drawn.draw((palette) => courseOption(view, palette), `Scores of ${count(scored, "trial")}; the best so far is ${short(view.best.at(-1))}.`);
}

export function showCurves(id, view, picked = []) {
  const drawn = chart(id, "Learning curves");
  if (!view.lines.length) return drawn.says("No curve yet", "Each epoch appears here as it ends.");
  drawn.draw((palette) => curvesOption(view, palette, picked), `${view.metric} by epoch of ${count(view.lines.length, "trial")}.`);
}

export function showParallel(view, selection, onBrush) {
  const drawn = chart("parallel", "Parallel coordinates", {
    onReady: (instance) => instance.on("axisareaselected", () => onBrush?.(brushed(instance, drawn.view))),
  });
  drawn.view = view;
  if (!view.axes.length || !view.scores.some((score) => score !== null)) {
    return drawn.says("Nothing to draw yet", "It takes a hyperparameter that varies, and a trial with a score.");
  }
  byId("parallel").style.minWidth = `${parallelWidth(view)}px`;
  drawn.draw((palette) => parallelOption(view, palette, selection), `Parallel coordinates of ${count(view.numbers.length, "trial")} over ${view.axes.map((axis) => axis.name).join(", ")}. The table below has the same trials.`);
}

export function showImportance(found) {
  const drawn = chart("importance", "Importance of hyperparameters");
  byId("importance-says").textContent = found.error ? "" : ["with 95 % intervals; the dashed mark is what chance alone gives", found.cut].filter(Boolean).join("; ");
  if (found.error) return drawn.says("Too early to tell", found.error);
  byId("importance").style.height = `${importanceHeight(found)}px`;
  drawn.draw((palette, width) => importanceOption(found, palette, width), found.sentence);
}

export function showSlices(view) {
  const node = byId("slices");
  const missing = view.slices.filter((slice) => !byId(`slice-${slice.axis.name}`));
  if (missing.length) {
    for (const slice of view.slices) charts.delete(`slice-${slice.axis.name}`);
    fill(node, ...view.slices.map((slice) => el("figure", { className: "card" }, el("figcaption", {}, el("h3", {}, slice.axis.name)), el("div", { className: "chart short", id: `slice-${slice.axis.name}` }))));
  }
  for (const slice of view.slices) {
    chart(`slice-${slice.axis.name}`, "").draw((palette) => sliceOption(view, slice, palette), `${view.objective.name} over ${slice.axis.name}.`);
  }
}

// From the worst to the best.
function span(scores, { direction }) {
  const ends = [Math.min(...scores), Math.max(...scores)].map(short);
  return (direction === "max" ? ends : ends.reverse()).join(" to ");
}

export function showContour(view) {
  const drawn = chart("contour", "Expected score over two hyperparameters");
  byId("contour-says").textContent = view.reason || view.error ? "" : [`the expected score, the others as they were tried; stronger is better (${span(view.surface.flat(), view.objective)})`, view.cut].filter(Boolean).join("; ");
  if (view.error || view.reason) return drawn.says("Too early to tell", view.error || view.reason);
  drawn.draw((palette) => contourOption(view, palette), `Expected ${view.objective.name} over ${view.x.name} and ${view.y.name}.`);
}

export function showTried(view) {
  const drawn = chart("plane", "Tried points of two hyperparameters");
  byId("tried-says").textContent = view.error ? "" : view.sentence;
  if (view.error) return drawn.says("Nothing to draw yet", view.error);
  drawn.draw((palette, width) => triedOption(view, palette, width), view.sentence);
}

export function showTimeline(view) {
  const drawn = chart("timeline", "Timeline by worker");
  if (!view.bars.length) return drawn.says("Nothing was trained yet");
  byId("time-says").textContent = [count(view.workers.length, "worker"), count(view.bars.length, "stretch").replace("stretchs", "stretches"), view.cut, view.bars.some((bar) => bar.purpose === "confirm") ? "hollow: under fresh seeds" : "", view.bars.some((bar) => bar.ending === "failed") ? "red: failed" : ""].filter(Boolean).join(", ");
  byId("timeline").style.height = `${timelineHeight(view)}px`;
  drawn.draw((palette, width) => timelineOption(view, palette, width), `${count(view.bars.length, "bar")} of training by ${count(view.workers.length, "worker")}.`);
}

export function showComparison(found) {
  const card = byId("courses-card");
  card.hidden = false;
  const rows = found.rows.map((row) => el("tr", {}, ...row.map((cell) => el("td", { className: "num" }, cell))));
  const head = el("tr", {}, ...found.head.map((name) => el("th", { scope: "col", className: "num" }, name)));
  fill(
    byId("compared"),
    el("ul", {}, ...found.sentences.map((sentence) => el("li", {}, sentence))),
    el("div", { className: "scroll" }, el("table", { className: "table" }, el("thead", {}, head), el("tbody", {}, ...rows))),
  );
  chart("courses", "Best score so far of both studies").draw((palette) => coursesOption(found.courses, palette), found.sentences.at(-1));
}
