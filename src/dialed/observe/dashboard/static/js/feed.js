// What happens, as it happens. A browser comes back by itself, with the place where it was.

import { byId } from "./dom.js";

export function follow(url, { onChange, onReset, onGone, onTrouble }) {
  const source = new EventSource(url);
  let lost = false;
  source.addEventListener("open", () => {
    show("live");
    if (lost) onTrouble(null);
    lost = false;
  });
  source.addEventListener("error", () => {
    lost = true;
    show("lost");
    if (source.readyState === EventSource.CLOSED) {
      onTrouble("The dashboard does not let this page in any more. Open the address that `dialed dashboard` prints.");
    }
  });
  const on = (name, run) => source.addEventListener(name, (event) => run?.(JSON.parse(event.data)));
  on("change", onChange);
  on("studies", onChange);
  on("reset", onReset);
  on("trouble", ({ error }) => onTrouble(error));
  on("calm", () => onTrouble(null));
  on("gone", ({ error }) => {
    source.close();
    show("lost");
    onGone(error);
  });
  addEventListener("pagehide", () => source.close());
  return source;
}

function show(state) {
  const node = byId("link");
  if (!node) return;
  node.hidden = false;
  node.className = `link ${state}`;
  node.textContent = { live: "live", lost: "no connection" }[state];
}

// One line for what is wrong right now; nothing when it is over.
export function trouble(text) {
  const node = byId("trouble");
  node.hidden = !text;
  node.textContent = text ?? "";
}
