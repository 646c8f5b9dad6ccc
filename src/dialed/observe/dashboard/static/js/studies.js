// The list of studies, kept up to date by the feed.

import { ask } from "./api.js";
import { ago, byId, count, el, empty, fill, pill } from "./dom.js";
import { follow, trouble } from "./feed.js";
import "./theme.js";

let studies = [];

function draw() {
  const words = byId("find").value.toLowerCase().split(/\s+/);
  const shown = studies.filter((study) => words.every((word) => `${study.name} ${study.objective} ${study.state}`.toLowerCase().includes(word)));
  fill(byId("studies").tBodies[0], ...shown.map(line));
  byId("studies").hidden = shown.length === 0;
  byId("count").textContent = studies.length ? count(shown.length, "study").replace("studys", "studies") : "";
  const none = byId("empty");
  none.hidden = shown.length > 0;
  if (shown.length === 0) fill(none, studies.length ? empty("No study fits") : nothing());
  pair();
}

function nothing() {
  return el("div", { className: "empty" }, el("strong", {}, "No study yet"), el("span", {}, "A search writes into this store as it runs, and appears here."), el("code", {}, "dialed demo"));
}

function line(study) {
  return el(
    "tr",
    {},
    el("td", {}, el("a", { href: `/study?${new URLSearchParams({ name: study.name })}` }, study.name)),
    el("td", {}, pill(study.state)),
    el("td", { className: "num" }, study.trials.toLocaleString("en")),
    el("td", { className: "num" }, study.epochs.toLocaleString("en")),
    el("td", { className: "num" }, study.best),
    el("td", {}, `${study.objective} `, el("span", { className: "quiet" }, study.direction === "max" ? "higher is better" : "lower is better")),
    el("td", { className: "quiet" }, ago(study.changed)),
  );
}

function pair() {
  const form = byId("pair");
  form.hidden = studies.length < 2;
  const [first, second] = [byId("first"), byId("second")];
  if (first.contains(document.activeElement) || second.contains(document.activeElement)) return;
  const options = () => studies.map((study) => el("option", { value: study.name }, study.name));
  const chosen = [first.value, second.value];
  fill(first, ...options());
  fill(second, ...options());
  first.value = chosen[0] || studies[0]?.name;
  second.value = chosen[1] || studies[1]?.name;
}

byId("find").addEventListener("input", draw);
byId("pair").addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = `/study?${new URLSearchParams({ name: byId("first").value, with: byId("second").value })}#compare`;
});

ask("studies").then((found) => {
  studies = found;
  draw();
}, (error) => trouble(error.message));
follow("/feed", {
  onChange: (found) => {
    studies = found;
    trouble(null);
    draw();
  },
  onTrouble: trouble,
  onGone: trouble,
});
