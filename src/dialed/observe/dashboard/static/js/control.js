// With `--allow-control`: pause and resume, another budget, values to try next.

import { tell } from "./api.js";
import { byId, el, fill } from "./dom.js";
import { doing } from "./detail.js";

export function startControl(study) {
  const pause = byId("pause");
  pause.addEventListener("click", async () => {
    try {
      await tell(pause.dataset.action, { study });
      byId("control-says").textContent = pause.dataset.action === "pause" ? "It rests after the epoch that is trained now." : "";
    } catch (error) {
      byId("control-says").textContent = error.message;
    }
  });
  sends(byId("budget"), (fields) => tell("budget", { study, ...fields }), "The search goes by it from now on.");
  sends(byId("enqueue"), (fields) => tell("enqueue", { study, values: given(fields) }), "Enqueued.");
}

function sends(form, send, done) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    doing(form.querySelector("button"), () => send(Object.fromEntries(new FormData(form))), done);
  });
}

function given(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}

export function showControl(head) {
  const pause = byId("pause");
  const running = head.state === "running" || head.state === "paused";
  pause.disabled = !running;
  pause.textContent = head.state === "paused" ? "Resume" : "Pause";
  pause.dataset.action = head.state === "paused" ? "resume" : "pause";
  if (!running) byId("control-says").textContent = "Nobody runs this study right now: what is enqueued waits for the next search.";
  else if (head.state === "running") byId("control-says").textContent = "";
  const budget = byId("budget");
  if (!budget.contains(document.activeElement) && !budget.dataset.filled) {
    budget.dataset.filled = "yes";
    budget.elements.max_trials.value = head.progress.limits.trials ?? "";
    budget.elements.max_epochs.value = head.progress.limits.epochs ?? "";
    budget.elements.max_time.value = head.progress.limits.time ? `${head.progress.limits.time}s` : "";
  }
  const fields = byId("enqueue-fields");
  if (fields.childElementCount === head.axes.length) return;
  fill(fields, ...head.axes.map((axis) => el("label", { className: "field" }, el("span", {}, axis.name), el("input", { name: axis.name, placeholder: String(axis.default), title: axis.of, autocomplete: "off" }))));
}
