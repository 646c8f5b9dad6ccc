// Light and dark: the colours of the style sheet, for whoever draws.

const watchers = new Set();

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "surface", "ink", "quiet", "line", "faint", "accent", "accent-soft", "bad", "good", "mark"];
  const found = Object.fromEntries(names.map((name) => [name.replace("-s", "S"), style.getPropertyValue(`--${name}`).trim()]));
  const dark = document.documentElement.dataset.theme === "dark";
  // From the worst to the best: one hue, so that it reads without telling red from green. Paul Tol's ways of ordering.
  const scale = dark ? ["#3a4650", "#3f6583", "#4d8cc0", "#8fc7ff"] : ["#d5dde3", "#9dbfdd", "#4f8fca", "#0c4f98"];
  const lines = dark
    ? ["#6db0f5", "#e8a54b", "#5cc8a1", "#d98cc6", "#c9c46a", "#8fa0ff"]
    : ["#1668bf", "#c06a00", "#12805c", "#a1408a", "#7a7000", "#5a55c9"];
  return { ...found, dark, scale, lines };
}

export function onTheme(watcher) {
  watchers.add(watcher);
}

// The colour of a share between 0 and 1, or of what has none.
export function shade(share, { scale, mark }) {
  if (share === null || share === undefined) return mark;
  const place = Math.min(Math.max(share, 0), 1) * (scale.length - 1);
  const low = Math.min(Math.floor(place), scale.length - 2);
  return blend(scale[low], scale[low + 1], place - low);
}

function blend(from, to, part) {
  const read = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const start = read(from);
  const end = read(to);
  return `rgb(${start.map((value, i) => Math.round(value + (end[i] - value) * part)).join(",")})`;
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  for (const watcher of watchers) watcher();
}

const button = document.getElementById("theme");
if (button) {
  button.addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("dialed-theme", next); } catch { /* then it holds for this page */ }
    setTheme(next);
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  let chosen = null;
  try { chosen = localStorage.getItem("dialed-theme"); } catch { /* nothing chosen */ }
  if (!chosen) setTheme(event.matches ? "dark" : "light");
});
