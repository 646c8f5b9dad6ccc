// Elements made of text: nothing that comes from a study is ever read as markup.

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== "list" && key !== "form") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export const byId = (id) => document.getElementById(id);

export function pill(state) {
  return el("span", { className: `pill ${state}` }, state);
}

export function empty(title, ...said) {
  return el("div", { className: "empty" }, el("strong", {}, title), ...said.map((text) => el("span", {}, text)));
}

// A number as short as can be read: four digits.
export function short(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return "-";
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (size >= 1e5 || size < 1e-3) return number.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(number.toPrecision(4)));
}

export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

export function ago(seconds) {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  if (past < 60) return "just now";
  if (past < 3600) return `${Math.round(past / 60)} min ago`;
  if (past < 86400) return `${Math.round(past / 3600)} h ago`;
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

// `run` at most once in `milliseconds`, and once more where it was asked meanwhile.
export function seldom(run, milliseconds) {
  let waiting = null;
  let last = 0;
  return () => {
    if (waiting !== null) return;
    const rest = Math.max(0, last + milliseconds - Date.now());
    waiting = setTimeout(() => {
      waiting = null;
      last = Date.now();
      run();
    }, rest);
  };
}
