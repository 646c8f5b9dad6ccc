// One drawing: an option made from data and colours, drawn again when the theme, the size or the data change.

import { el, empty, fill } from "./dom.js";
import { colours, onTheme } from "./theme.js";

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

export class Chart {
  // `label` says to those who do not see it what the drawing shows.
  constructor(node, label, { onReady } = {}) {
    this.node = node;
    this.label = label;
    this.onReady = onReady;
    this.instance = null;
    this.make = null;
    onTheme(() => this.redraw());
    new ResizeObserver(() => this.resize()).observe(node);
    addEventListener("beforeprint", () => this.instance?.resize());
  }

  draw(make, label) {
    this.make = make;
    if (label) this.label = label;
    this.redraw();
  }

  says(title, ...said) {
    this.make = null;
    this.instance?.dispose();
    this.instance = null;
    this.node.removeAttribute("role");
    fill(this.node, empty(title, ...said));
  }

  redraw() {
    if (this.make === null || this.node.clientWidth === 0) return;
    if (this.instance === null) {
      fill(this.node);
      this.instance = globalThis.echarts.init(this.node, null, { renderer: "canvas" });
      this.onReady?.(this.instance);
    }
    this.node.setAttribute("role", "img");
    this.node.setAttribute("aria-label", this.label);
    this.width = this.node.clientWidth;
    const palette = colours();
    this.instance.setOption({ ...plain(palette), ...this.make(palette, this.width) }, { notMerge: true });
  }

  resize() {
    if (this.make === null || this.node.clientWidth === 0) return;
    if (this.instance === null) return this.redraw();
    if (this.node.clientWidth === this.width) return;
    this.instance.resize();
    this.redraw();
  }
}

function plain(palette) {
  return {
    animation: false,
    textStyle: { fontFamily: FONT, fontSize: 12, color: palette.quiet },
    aria: { enabled: false },
  };
}

// What stands beside the pointer: lines of text, never markup.
export function tip(palette, lines, more = {}) {
  return {
    confine: true,
    className: "tip",
    padding: [8, 10],
    borderWidth: 1,
    borderColor: palette.line,
    backgroundColor: palette.surface,
    textStyle: { color: palette.ink, fontFamily: FONT, fontSize: 12 },
    extraCssText: "box-shadow: none;",
    formatter: (hit) => {
      const [head, ...rest] = lines(hit).filter((line) => line);
      return el("div", {}, el("b", {}, head ?? ""), ...rest.map((line) => el("span", {}, line)));
    },
    ...more,
  };
}

// A number axis without ornament.
export function numbers(palette, name, more = {}) {
  return {
    type: "value",
    name,
    nameLocation: "middle",
    nameGap: 28,
    nameTextStyle: { color: palette.quiet },
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: palette.quiet, hideOverlap: true },
    splitLine: { lineStyle: { color: palette.line }, showMinLine: !("max" in more), showMaxLine: !("max" in more) },
    splitNumber: 4,
    ...more,
  };
}

// The axis of a hyperparameter: places from 0 to 1, and its own ticks.
export function places(palette, axis, more = {}) {
  const texts = new Map(axis.ticks.map((tick) => [tick.place.toFixed(6), tick.text]));
  const at = axis.ticks.map((tick) => tick.place);
  return numbers(palette, axis.name, {
    min: -0.03,
    max: 1.03,
    axisTick: { show: true, customValues: at, lineStyle: { color: palette.line } },
    axisLabel: {
      color: palette.quiet,
      customValues: at,
      hideOverlap: true,
      formatter: (place) => trimmed(texts.get(Number(place).toFixed(6)) ?? "", 14),
    },
    splitLine: { show: false },
    ...more,
  });
}

export function trimmed(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

// The range of scores to draw, with a little air; what lies beyond stands at its edge.
export function framed(limits) {
  if (!limits) return { low: 0, high: 1, inside: (value) => value };
  const air = (limits[1] - limits[0] || Math.abs(limits[0]) || 1) * 0.06;
  const [low, high] = [limits[0] - air, limits[1] + air];
  return { low, high, inside: (value) => (value === null ? null : Math.min(Math.max(value, low), high)) };
}
