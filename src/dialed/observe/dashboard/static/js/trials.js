// The table of trials: sorted, filtered and cut into pages by the dashboard, and part of the one selection.

import { ask } from "./api.js";
import { byId, count, el, empty, fill, pill, seldom } from "./dom.js";
import { isSelecting, onSelection, select, selection, toggle } from "./selection.js";

export const PAGE = 25;

const state = { study: "", sort: "score", descending: false, page: 0, rows: [], total: 0, axes: [], objective: "", direction: "max" };

export function startTable(study, onTrouble) {
  state.study = study;
  const load = seldom(() => loadTable().catch((error) => onTrouble(error.message)), 150);
  const again = () => {
    state.page = 0;
    load();
  };
  byId("text").addEventListener("input", again);
  byId("which").addEventListener("change", again);
  byId("clear").addEventListener("click", () => select({ ranges: {}, picked: [] }, "clear"));
  onSelection((from) => {
    byId("clear").hidden = !isSelecting();
    if (from === "table") mark();
    else again();
  });
  return load;
}

export function setColumns(head) {
  state.axes = head.axes.map((axis) => axis.name);
  Object.assign(state, { objective: head.objective, direction: head.direction });
}

async function loadTable() {
  const found = await ask("trials", {
    study: state.study,
    sort: state.sort,
    descending: state.descending ? "1" : "",
    text: byId("text").value,
    state: byId("which").value,
    ranges: JSON.stringify(selection.ranges),
    page: state.page,
    size: PAGE,
  });
  Object.assign(state, { rows: found.rows, total: found.total, page: found.page });
  drawTable();
}

// Rows that changed, where they are shown.
export function updateRows(rows) {
  const changed = new Map(rows.map((row) => [row.number, row]));
  state.rows = state.rows.map((row) => changed.get(row.number) ?? row);
  if (state.rows.some((row) => changed.has(row.number))) drawTable();
}

function columns() {
  const tail = [["note", "Note", "", (row) => notes(row)]];
  return [
    ["number", "Trial", "num", (row) => String(row.number)],
    ["state", "State", "", (row) => pill(row.cause ?? row.state)],
    ["score", state.objective, "num", (row) => row.score_text],
    ["epochs", "Epochs", "num", (row) => String(row.epochs)],
    ["seconds", "Time", "num", (row) => row.seconds_text],
    ...state.axes.map((name) => [`value.${name}`, name, "num", (row) => row.values[name] ?? ""]),
    ...tail,
  ];
}

function notes(row) {
  return el("span", { title: row.note }, ...row.tags.map((tag) => el("span", { className: "tag" }, tag)), row.note ? ` ${row.note.slice(0, 40)}` : "");
}

function drawTable() {
  const shown = columns();
  const table = byId("table");
  const focus = document.activeElement?.dataset?.key;
  fill(table.tHead, el("tr", {}, el("th", { scope: "col", className: "box", "aria-label": "Picked" }), ...shown.map(([key, name, kind]) => heading(key, name, kind))));
  fill(table.tBodies[0], ...state.rows.map((row) => line(row, shown)));
  if (focus) table.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  byId("found").textContent = count(state.total, "trial");
  const none = byId("no-trials");
  none.hidden = state.rows.length > 0;
  const filtered = byId("text").value || byId("which").value || isSelecting();
  fill(none, filtered ? empty("No trial fits", "Widen the selection, or clear it.") : empty("No trial yet", "Each one appears here as it begins."));
  drawPages();
}

function heading(key, name, kind) {
  const sorted = state.sort === key;
  const cell = el("th", { scope: "col", className: kind }, el("button", { type: "button", onclick: () => sortBy(key), "data-key": `head ${key}` }, name));
  // The best come first: of a score that is to be high, those are the highest.
  const falls = state.descending !== (key === "score" && state.direction === "max");
  if (sorted) cell.setAttribute("aria-sort", falls ? "descending" : "ascending");
  return cell;
}

function line(row, shown) {
  const picked = selection.picked.includes(row.number);
  const node = el("tr", { className: picked ? "picked" : "", onclick: (event) => event.target.closest("input") || toggle(row.number, "table") });
  node.dataset.number = row.number;
  const box = el("input", { type: "checkbox", checked: picked, onchange: () => toggle(row.number, "table"), "aria-label": `Trial ${row.number}`, "data-key": `box ${row.number}` });
  node.append(el("td", { className: "box" }, box), ...shown.map(([, , kind, text]) => el("td", { className: kind }, text(row))));
  return node;
}

function mark() {
  for (const row of byId("table").tBodies[0].rows) {
    const picked = selection.picked.includes(Number(row.dataset.number));
    row.className = picked ? "picked" : "";
    row.querySelector("input").checked = picked;
  }
}

function sortBy(key) {
  const turned = state.sort === key ? !state.descending : false;
  Object.assign(state, { sort: key, descending: turned, page: 0 });
  loadTable();
}

function drawPages() {
  const pages = Math.ceil(state.total / PAGE);
  const to = (page) => () => {
    state.page = page;
    loadTable();
  };
  const button = (text, page, disabled) => el("button", { className: "button", type: "button", onclick: to(page), disabled, "data-key": `page ${text}` }, text);
  fill(byId("pages"), pages < 2 ? [] : [button("Back", state.page - 1, state.page === 0), el("span", { className: "quiet" }, `Page ${state.page + 1} of ${pages}`), button("Next", state.page + 1, state.page >= pages - 1)]);
}
