// The chosen trial, or what differs between several; and the note on a trial.

import { ask, tell } from "./api.js";
import { marked, valuesTable } from "./answer.js";
import { byId, el, fill, pill } from "./dom.js";
import { selection } from "./selection.js";

export async function showDetail(study, control) {
  const node = byId("detail");
  const [first] = selection.picked;
  if (first === undefined) {
    fill(node, el("h2", {}, "Trial"), el("p", { className: "quiet" }, "Choose a trial in the table to see it here; choose several to see what differs."));
  } else if (selection.picked.length === 1) {
    const trial = await ask("trial", { study, trial: first });
    if (selection.picked.length === 1 && selection.picked[0] === first) fill(node, ...single(trial, study, control));
  } else {
    const picked = [...selection.picked];
    const found = await ask("difference", { study, trials: picked.join(",") });
    if (picked.join() === selection.picked.join()) fill(node, ...difference(found));
  }
}

function single(trial, study, control) {
  const facts = [`${trial.epochs} epochs`, trial.seconds_text, trial.parameters === null ? "" : `${trial.parameters.toLocaleString("en")} parameters`, trial.latency_text && `${trial.latency_text} a sample`, { default: "the defaults", enqueued: "asked for", asked: "asked for" }[trial.source], trial.engine && `trained by ${trial.engine}`];
  return [
    el("div", { className: "detail-head" }, el("h2", {}, `Trial ${trial.number}`), pill(trial.cause ?? trial.state), stopButton(trial, study, control)),
    el(
      "div",
      { className: "detail-grid" },
      el("p", {}, trial.score === null ? "no score" : `score ${trial.score_text}`, el("br"), el("span", { className: "quiet" }, facts.filter(Boolean).join(", "))),
      trial.message ? el("p", { className: "said quiet" }, ...marked(trial.message)) : "",
      valuesTable(trial.changes),
      members(trial.members),
      note(trial, study, control),
    ),
  ];
}

function members(rows) {
  const head = ["seed", "fold", "for", "state", "score", "epochs", "time"];
  const lines = rows.map((row) => [row.seed, row.fold, row.purpose, row.state, row.score, row.epoch, row.seconds]);
  return el(
    "details",
    {},
    el("summary", { className: "quiet" }, rows.length === 1 ? "1 member" : `${rows.length} members`),
    el("div", { className: "scroll" }, el("table", { className: "table" }, el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...lines.map((line) => el("tr", {}, ...line.map((cell) => el("td", {}, String(cell)))))))),
  );
}

function difference(found) {
  const head = el("tr", {}, el("th", { scope: "col" }, ""), ...found.trials.map((trial) => el("th", { scope: "col", className: "num" }, `Trial ${trial.number}`)));
  const scores = el("tr", {}, el("td", {}, "score"), ...found.trials.map((trial) => el("td", { className: "num" }, trial.score === "-" ? trial.state : trial.score)));
  const line = (row) => el("tr", { className: row.differs ? "differs" : "" }, el("td", {}, row.name), ...row.values.map((value) => el("td", { className: row.differs ? "num" : "num quiet" }, value)));
  const ordered = [...found.rows].sort((a, b) => b.differs - a.differs);
  const same = found.rows.filter((row) => !row.differs).length;
  return [
    el("h2", {}, "What differs"),
    el("p", { className: "quiet" }, same === found.rows.length ? "All values are the same." : `${found.rows.length - same} of ${found.rows.length} values differ.`),
    el("div", { className: "scroll" }, el("table", { className: "table" }, el("thead", {}, head), el("tbody", {}, scores, ...ordered.map(line)))),
  ];
}

function stopButton(trial, study, control) {
  if (!control || !["running", "waiting", "paused"].includes(trial.state)) return "";
  const button = el("button", { className: "button", type: "button" }, "Stop this trial");
  button.addEventListener("click", () => doing(button, () => tell("stop", { study, trial: trial.number }), "It stops at its next report."));
  return button;
}

function note(trial, study, control) {
  if (!control) {
    const tags = trial.tags.map((tag) => el("span", { className: "tag" }, tag));
    return el("div", {}, el("h3", {}, "Note"), tags, trial.note ? el("p", { className: "said" }, trial.note) : tags.length ? "" : el("p", { className: "quiet" }, "None. `dialed dashboard --allow-control` lets you write one here, study.note(...) anywhere.".replaceAll("`", "")));
  }
  const text = el("textarea", { value: trial.note, name: "text", "aria-label": "Note" });
  const tags = el("input", { value: trial.tags.join(", "), name: "tags", autocomplete: "off" });
  const save = el("button", { className: "button", type: "submit" }, "Save the note");
  const form = el("form", { className: "detail-grid" }, el("h3", {}, "Note"), text, el("label", { className: "field" }, el("span", {}, "Tags"), tags), el("div", {}, save));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    doing(save, () => tell("note", { study, trial: trial.number, text: text.value, tags: tags.value.split(",") }), "Saved.");
  });
  return form;
}

// Do what a button says, and say beside it how it went.
export async function doing(button, run, done) {
  const old = button.parentElement.querySelector(".went");
  const went = old ?? el("span", { className: "went quiet", role: "status" });
  button.after(" ", went);
  button.disabled = true;
  try {
    await run();
    went.textContent = done;
  } catch (error) {
    went.textContent = error.message;
  } finally {
    button.disabled = false;
  }
}
