// The page of one study: its views, loaded when they are looked at, and kept up to date by the feed.

import { showAnswer } from "./answer.js";
import { ask } from "./api.js";
import { showControl, startControl } from "./control.js";
import { showDetail } from "./detail.js";
import { byId, count, el, fill, seldom } from "./dom.js";
import { follow, trouble } from "./feed.js";
import { onSelection, select, selection } from "./selection.js";
import { drawSliders } from "./sliders.js";
import "./theme.js";
import { setColumns, startTable, updateRows } from "./trials.js";
import { chart, showComparison, showContour, showCurves, showHistory, showImportance, showParallel, showSlices, showTimeline, showTried } from "./views.js";

const study = document.body.dataset.study;
const control = document.body.dataset.control === "yes";
const VIEWS = ["answer", "trials", "space", "tried", "time", "compare"];
const stale = new Set(VIEWS);
let head = null;
let parallel = null;

const complain = (error) => trouble(error.message ?? error);
const get = (what, more = {}) => ask(what, { study, ...more });
// What cannot be said yet is no error: the view says why.
const orReason = (promise) => promise.catch((error) => (error.status >= 400 && error.status < 500 ? { error: error.message } : Promise.reject(error)));

const loaders = {
  async answer() {
    // The pictures are quick, the answer takes thought: so it is asked for after them, and none waits for another.
    await Promise.all([get("history").then(showHistory), get("curves").then(showLatest), get("answer").then(showAnswer)]);
  },
  async trials() {
    loadTable();
    await Promise.all([loadParallel(), loadCurves()]);
  },
  async space() {
    showImportance(await orReason(get("importance")));
    showSlices(await get("slices"));
    await loadContour();
  },
  tried: () => loadTried(),
  time: async () => showTimeline(await get("timeline")),
  async compare() {
    const others = (await ask("studies")).filter((other) => other.name !== study);
    const list = byId("other");
    const chosen = list.value;
    fill(list, el("option", { value: "" }, others.length ? "choose a study" : "there is no other study"), ...others.map((other) => el("option", { value: other.name }, other.name)));
    list.value = others.some((other) => other.name === chosen) ? chosen : new URLSearchParams(location.search).get("with") ?? "";
    if (list.value) await loadComparison();
  },
};

function showLatest(curves) {
  byId("live-says").textContent = curves.lines.length ? `${curves.metric}: the winner, the defaults dashed, ${count(curves.lines.length, "line")} of ${count(curves.all, "trial")}` : "";
  showCurves("live", curves);
}

async function loadComparison() {
  const other = byId("other").value;
  if (!other) return;
  const found = await orReason(get("compare", { other }));
  if (found.error) {
    byId("courses-card").hidden = true;
    fill(byId("compared"), el("p", { className: "quiet" }, found.error));
  } else showComparison(found);
}

async function loadParallel() {
  parallel = await get("parallel");
  drawParallel();
  drawSliders(parallel);
}

function drawParallel() {
  showParallel(parallel, selection, (ranges) => select({ ranges }, "brush"));
}

async function loadCurves() {
  const metric = byId("metric").value;
  const view = await get("curves", { trials: selection.picked.join(",") || (await selected()), metric });
  const list = byId("metric");
  const names = view.metrics.length ? view.metrics : [view.objective];
  fill(list, ...names.map((name) => el("option", { value: name, selected: name === view.metric }, name)));
  showCurves("curves", view, selection.picked);
  byId("curves-says").textContent = selection.picked.length ? "the picked trials" : Object.keys(selection.ranges).length ? `the best ${view.lines.length} of the selected trials` : `the best and the latest of ${count(view.all, "trial")}`;
}

// The best of those within the brushed ranges; nothing where there are no ranges.
async function selected() {
  if (!Object.keys(selection.ranges).length) return "";
  const found = await get("trials", { ranges: JSON.stringify(selection.ranges), size: 30 });
  return found.rows.map((row) => row.number).join(",");
}

const planes = { contour: ["contour-x", "contour-y"], tried: ["tried-x", "tried-y"] };

const loadContour = async () => showContour(await plane("contour"));
const loadTried = async () => showTried(await plane("tried"));

async function plane(what) {
  const [x, y] = planes[what].map((id) => byId(id).value);
  const view = await orReason(get(what, x !== y || !x ? { x, y } : { x }));
  const chosen = view.error ? [x, y] : [view.x.name ?? view.x.axis.name, view.y.name ?? view.y.axis.name];
  planes[what].forEach((id, i) => fill(byId(id), ...head.axes.map((axis) => el("option", { value: axis.name, selected: axis.name === chosen[i] }, axis.name))));
  return view;
}

function current() {
  const name = location.hash.slice(1);
  return VIEWS.includes(name) ? name : "answer";
}

async function show() {
  const name = current();
  for (const view of VIEWS) byId(`view-${view}`).hidden = view !== name;
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.querySelector(".tabs [aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
  if (!stale.delete(name)) return;
  try {
    await loaders[name]();
    byId(`view-${name}`).dataset.ready = "yes";
  } catch (error) {
    stale.add(name);
    complain(error);
  }
}

function showHead(next) {
  head = next;
  const state = byId("state");
  state.textContent = head.stopping?.length ? `${head.state}, stopping ${head.stopping.length}` : head.state;
  state.className = `pill ${head.state}`;
  const meters = head.progress.used.map(({ what, text, share }) => el("div", { className: "meter" }, el("span", { className: "what" }, what), el("span", { className: "text" }, text), share === null ? "" : el("progress", { max: 1, value: share, "aria-label": `${what} used` })));
  const states = Object.entries(head.progress.states).map(([name, number]) => `${number.toLocaleString("en")} ${name}`);
  fill(byId("progress"), ...meters, el("div", { className: "meter wide" }, el("span", { className: "what" }, "states"), el("span", { className: "text" }, states.join(", ") || "none yet")), head.enqueued ? el("div", { className: "meter" }, el("span", { className: "what" }, "enqueued"), el("span", { className: "text" }, String(head.enqueued))) : "");
  setColumns(head);
  if (control) showControl(head);
}

const refreshNow = seldom(() => {
  for (const view of VIEWS) if (view !== "compare") stale.add(view);
  show();
}, 1500);

const redrawSelection = seldom(() => {
  if (parallel) drawParallel();
  Promise.all([loadCurves(), showDetail(study, control)]).catch(complain);
}, 120);

const loadTable = startTable(study, complain);
onSelection((from) => {
  if (from === "clear" && parallel) drawSliders(parallel);
  if (from !== "brush" || selection.picked.length) redrawSelection();
  else loadCurves().catch(complain);
});
byId("metric").addEventListener("change", () => loadCurves().catch(complain));
byId("other").addEventListener("change", () => loadComparison().catch(complain));
for (const id of planes.contour) byId(id).addEventListener("change", () => loadContour().catch(complain));
for (const id of planes.tried) byId(id).addEventListener("change", () => loadTried().catch(complain));
addEventListener("hashchange", () => {
  const top = document.querySelector(".tabs").offsetTop - 68;
  if (scrollY > top) scrollTo({ top });
  show();
});
if (control) startControl(study);

function changed({ head: next, trials = [] }) {
  trouble(null);
  showHead(next);
  if (trials.length) updateRows(trials);
  if (trials.some((row) => selection.picked.includes(row.number)) && !byId("detail").contains(document.activeElement)) showDetail(study, control).catch(complain);
  refreshNow();
}

async function begin() {
  showHead(await get("head"));
  follow(`/feed?${new URLSearchParams({ study, after: `${head.cursor}-${head.state === "paused" ? "running" : head.state}` })}`, {
    onChange: changed,
    onReset: changed,
    onTrouble: trouble,
    onGone: (error) => trouble(`${error} Go to all studies by the name at the top.`),
  });
  await show();
  globalThis.dialed = { chart, selection, select };
}

begin().catch(complain);
