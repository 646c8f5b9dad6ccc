// The ranges of the selection as sliders: the same as the brush, for the keyboard and for narrow screens.

import { byId, el, fill } from "./dom.js";
import { select, selection } from "./selection.js";

export function drawSliders(view) {
  const node = byId("ranges");
  if (node.contains(document.activeElement)) return;
  fill(node, ...view.axes.map((axis) => slider(axis)));
}

function slider(axis) {
  const [low, high] = selection.ranges[axis.name] ?? [0, 1];
  const says = el("span", { className: "quiet" }, said(axis, low, high));
  const ends = [low, high].map((value, i) => el("input", { type: "range", min: 0, max: 1, step: 0.01, value, "aria-label": `${axis.name}, ${i ? "upper" : "lower"} end` }));
  const change = () => {
    const [from, to] = ends.map((end) => Number(end.value)).sort((a, b) => a - b);
    says.textContent = said(axis, from, to);
    const ranges = { ...selection.ranges };
    if (from <= 0 && to >= 1) delete ranges[axis.name];
    else ranges[axis.name] = [from, to];
    select({ ranges }, "sliders");
  };
  for (const end of ends) end.addEventListener("input", change);
  return el("fieldset", { className: "slider" }, el("legend", {}, axis.name, " ", says), ...ends);
}

// The ends in the words of the axis, as near as its ticks are.
function said(axis, low, high) {
  if (low <= 0 && high >= 1) return "any";
  const near = (place) => axis.ticks.reduce((best, tick) => (Math.abs(tick.place - place) < Math.abs(best.place - place) ? tick : best), axis.ticks[0]);
  const inside = axis.ticks.filter((tick) => tick.place >= low && tick.place <= high);
  if (axis.kind === "category") return inside.map((tick) => tick.text).join(", ") || "none";
  return `about ${near(low).text} to ${near(high).text}`;
}
