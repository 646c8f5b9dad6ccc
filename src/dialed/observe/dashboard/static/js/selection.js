// The one selection that the coordinates, the table and the curves share: ranges on axes, and trials that were picked.

const watchers = [];

export const MOST_PICKED = 6;

export const selection = { ranges: {}, picked: [] };

export function onSelection(watcher) {
  watchers.push(watcher);
}

// `from` names who changed it, so that nobody answers to himself.
export function select(change, from) {
  Object.assign(selection, change);
  for (const watcher of watchers) watcher(from);
}

export function toggle(number, from) {
  const others = selection.picked.filter((picked) => picked !== number);
  const picked = others.length < selection.picked.length ? others : [...others, number].slice(-MOST_PICKED);
  select({ picked }, from);
}

export function isSelecting() {
  return selection.picked.length > 0 || Object.keys(selection.ranges).length > 0;
}
