// The answer first: who won, by how much, what mattered, what is the matter, what to try next.

import { byId, el, fill } from "./dom.js";

export function showAnswer(answer) {
  const { headline, winner } = answer;
  fill(
    byId("answer-card"),
    el(
      "div",
      {},
      el("div", { className: "label" }, winner ? `Trial ${winner.number}, ${answer.goal}` : answer.goal),
      el("div", { className: "big" }, headline.score ?? "-"),
      el("div", { className: "quiet sure" }, headline.sure),
      el("div", { className: "sentences" }, ...headline.sentences.map((sentence) => el("p", {}, ...marked(sentence)))),
    ),
    el(
      "div",
      { className: "parts" },
      part("What mattered", [answer.mattered]),
      part("Diagnosis", answer.diagnosis),
      part("What to try next", answer.next),
      winner ? el("div", {}, el("h3", {}, "Values"), valuesTable(answer.changes)) : "",
    ),
  );
}

function part(title, sentences) {
  const said = sentences.length === 1 ? el("p", {}, ...marked(sentences[0])) : el("ul", {}, ...sentences.map((sentence) => el("li", {}, ...marked(sentence))));
  return el("div", {}, el("h3", {}, title), said);
}

// What stands between `backticks` is code.
export function marked(text) {
  return text.split("`").map((piece, i) => (i % 2 && text.split("`").length % 2 ? el("code", {}, piece) : piece));
}

export function valuesTable(changes) {
  const rows = changes.map((row) => el("tr", {}, el("td", {}, row.name), el("td", { className: row.changed ? "num changed" : "num" }, row.value), el("td", { className: "num quiet" }, row.default)));
  const head = el("tr", {}, el("th", { scope: "col" }, "hyperparameter"), el("th", { scope: "col", className: "num" }, "value"), el("th", { scope: "col", className: "num" }, "default"));
  return el("div", { className: "scroll" }, el("table", { className: "table" }, el("thead", {}, head), el("tbody", {}, ...rows)));
}
