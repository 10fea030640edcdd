// Parallel coordinates (Inselberg 1985): an axis a setting, a line a trial, and ranges that choose among them by mouse, keyboard or numbers.
import { element, told } from "./page.js";
import { floor, middle, said, scale, short } from "./scale.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 300, TOP = 34, BOTTOM = 26, LEFT = 30, RIGHT = 66, AXIS = 128; // pixels
const MOST_LINES = 600;
const STEPS = 100; // of a slider

export function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export class Parallel {
  /**
   * @param place an empty element
   * @param chosen called with the trials that the ranges leave, whenever they change
   * @param pointed called with a trial that somebody points at, or null
   */
  constructor(place, chosen, pointed) {
    this.chosen = chosen;
    this.pointed = pointed;
    this.ranges = new Map(); // key -> [low, high] as shares of its axis
    this.trials = [];
    this.keys = [];
    this.at = -1;
    this.picture = svg("svg", { role: "img", "aria-label": "" });
    this.frame = element("div", { class: "scroll parallel", tabindex: "0", role: "group", "aria-label": "Trials side by side: up and down walk from the best trial to the worst",
      onkeydown: (event) => this.key(event) }, this.picture);
    this.readout = element("p", { class: "readout", "aria-live": "polite" });
    this.words = element("p", { role: "status", id: "chosen" });
    this.clearing = element("button", { type: "button", class: "small", onclick: () => { this.ranges.clear(); this.choose(); } }, "Show all trials again");
    this.fields = element("div", { class: "ranges" });
    place.replaceChildren(this.frame, this.readout, this.words, this.clearing,
      element("details", { class: "numbers" }, element("summary", {}, "Choose by ranges"), this.fields));
    this.picture.addEventListener("pointerover", (event) => event.target.dataset.trial && this.point(Number(event.target.dataset.trial)));
    this.picture.addEventListener("pointerleave", () => this.point(-1));
    this.picture.addEventListener("pointerdown", (event) => this.brush(event));
    new ResizeObserver(() => this.draw()).observe(place);
  }

  /** Show these trials: {settings, value, stage, number}, of which those with a figure get a line. */
  show(trials) {
    const pointed = this.trials[this.at];
    this.trials = trials.filter((trial) => trial.value !== null).sort((a, b) => b.value - a.value);
    this.at = pointed ? this.trials.findIndex((trial) => trial.run === pointed.run) : -1; // a new trial may be better than it
    const keys = [...new Set(this.trials.flatMap((trial) => Object.keys(trial.settings)))];
    this.keys = keys.filter((key) => new Set(this.trials.map((trial) => trial.settings[key])).size > 1);
    this.scales = new Map(this.keys.map((key) => [key, scale(this.trials.map((trial) => trial.settings[key]).filter((value) => value !== undefined))]));
    const values = this.trials.map((trial) => trial.value);
    this.low = values.length ? floor(values) : 0;
    this.high = values.length ? values[0] : 1;
    this.fill();
    this.choose();
  }

  /** The share of its axis at which a trial crosses it; the last axis is the figure's. */
  share(trial, key) {
    if (key === null) return this.high > this.low ? (Math.max(trial.value, this.low) - this.low) / (this.high - this.low) : 0.5;
    const value = trial.settings[key];
    return value === undefined ? null : this.scales.get(key).share(value);
  }

  within(trial) {
    return [...this.ranges].every(([key, [low, high]]) => {
      const share = this.share(trial, key);
      return share !== null && share >= low - 1e-9 && share <= high + 1e-9;
    });
  }

  /** Draw all; returns the trials that the ranges leave. */
  draw() {
    const axes = [...this.keys, null];
    const width = Math.max(this.frame.clientWidth || 0, LEFT + RIGHT + AXIS * (axes.length - 1));
    const px = (place) => LEFT + (axes.length > 1 ? (place * (width - LEFT - RIGHT)) / (axes.length - 1) : 0);
    const py = (share) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
    this.px = px;
    const inside = this.trials.filter((trial) => this.within(trial));
    const strong = new Set(inside.slice(0, Math.max(1, Math.ceil(inside.length / 4))));
    const left = new Set(inside);
    this.line = (trial) => axes.map((key, place) => [px(place), this.share(trial, key)]).filter(([, share]) => share !== null)
      .map(([x, share]) => `${x.toFixed(1)},${py(share).toFixed(1)}`).join(" ");
    const lines = this.trials.slice(0, MOST_LINES).map((trial, at) => {
      const look = !left.has(trial) ? "away" : strong.has(trial) ? "strong" : "";
      return [look, svg("polyline", { points: this.line(trial), class: `trial ${look}`, "data-trial": at })];
    });
    const weight = { away: 0, "": 1, strong: 2 };
    lines.sort(([a], [b]) => weight[a] - weight[b]);
    const posts = axes.map((key, place) => this.axis(key, px(place), py));
    const pointed = this.trials[this.at];
    this.mark = svg("polyline", { class: "trial pointed", points: pointed ? this.line(pointed) : "" });
    this.picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.picture.style.width = `${width}px`;
    this.picture.style.height = `${HEIGHT}px`;
    this.picture.replaceChildren(...lines.map(([, line]) => line), ...posts, this.mark);
    const words = this.sentence(inside);
    this.words.textContent = words;
    this.picture.setAttribute("aria-label", `Parallel coordinates of ${this.trials.length} trials over ${this.keys.map(short).join(", ") || "no setting"}. ${words}`);
    this.clearing.hidden = !this.ranges.size;
    for (const [key, own] of this.inputs || []) own(this.ranges.get(key) || [0, 1]);
    return inside;
  }

  /** Draw, and tell which trials the ranges leave. */
  choose() {
    this.chosen(this.draw(), this.ranges.size > 0);
  }

  axis(key, x, py) {
    const group = svg("g", {});
    group.append(svg("line", { x1: x, x2: x, y1: py(1), y2: py(0), class: "axis" }),
      svg("text", { x: x < AXIS / 2 ? 0 : x, y: 13, "text-anchor": x < AXIS / 2 ? "start" : "middle", class: "name" }, key === null ? "figure" : clipped(short(key), 17)));
    const ends = key === null
      ? [[0, `${this.trials.some((trial) => trial.value < this.low) ? "≤ " : ""}${told(this.low)}`], [1, told(this.high)]]
      : this.scales.get(key).ends;
    for (const [share, words] of ends) {
      group.append(svg("text", { x: x + 5, y: py(share) + (share === 1 ? -4 : share === 0 ? 13 : 4), class: "end" }, clipped(words, 13)));
    }
    const range = key !== null && this.ranges.get(key);
    if (range) group.append(svg("rect", { x: x - 7, width: 14, y: py(range[1]) - 1, height: Math.max(py(range[0]) - py(range[1]) + 2, 4), class: "range" }));
    return group;
  }

  /** What the chosen trials have in common and how good they are, in words. */
  sentence(inside) {
    const all = this.trials.length;
    if (!all) return "No trial has a figure yet.";
    if (this.ranges.size) {
      const asked = [...this.ranges].map(([key, range]) => `${short(key)} ${this.told(key, range)}`).join(" and ");
      if (!inside.length) return `None of ${all} trials has ${asked}.`;
      const others = this.trials.filter((trial) => !inside.includes(trial));
      return `${inside.length} of ${all} trials ${inside.length === 1 ? "has" : "have"} ${asked}: their middle figure is ${told(middle(inside.map((trial) => trial.value)))}`
        + (others.length ? `, that of the others ${told(middle(others.map((trial) => trial.value)))}` : "")
        + (inside[0] === this.trials[0] ? "; the best of all is among them." : `; their best, ${told(inside[0].value)}, is not the best of all.`);
    }
    const good = this.trials.slice(0, Math.max(1, Math.ceil(all / 4)));
    if (all < 8 || !this.keys.length) return `${all} trial${all === 1 ? "" : "s"} with a figure; with eight or more it is told what the best have in common.`;
    const spread = this.keys.map((key) => {
      const shares = good.map((trial) => this.share(trial, key)).filter((share) => share !== null).sort((a, b) => a - b);
      return { key, low: shares[0], high: shares[shares.length - 1], width: shares.length > 1 ? shares[shares.length - 1] - shares[0] : 1 };
    }).sort((a, b) => a.width - b.width);
    const near = spread[0], wide = spread[spread.length - 1];
    if (near.width > 0.8) return `The best ${good.length} of ${all} trials (drawn strongly) lie wide apart in every setting: none of them decides alone.`;
    return `The best ${good.length} of ${all} trials (drawn strongly) lie closest together in ${short(near.key)}, ${this.told(near.key, [near.low, near.high])}`
      + (spread.length > 1 && wide.width > near.width ? `, and widest apart in ${short(wide.key)}.` : ".");
  }

  /** A stretch of an axis in words. */
  told(key, [low, high]) {
    const axis = this.scales.get(key);
    if (!axis) return "";
    if (axis.names.length) {
      const names = axis.names.filter((name) => axis.share(name) >= low - 1e-9 && axis.share(name) <= high + 1e-9);
      return names.length === 1 ? `${said(names[0])}` : names.length ? `among ${names.map(said).join(", ")}` : "of none";
    }
    if (low <= 0) return `up to ${told(axis.at(high)) || 0}`;
    return high >= 1 ? `from ${told(axis.at(low)) || 0} on` : `from ${told(axis.at(low)) || 0} to ${told(axis.at(high)) || 0}`;
  }

  set(key, low, high) {
    if (low <= 0 && high >= 1) this.ranges.delete(key);
    else this.ranges.set(key, [Math.min(low, high), Math.max(low, high)]);
    this.choose();
  }

  /** Drag along an axis to choose a stretch of it. */
  brush(event) {
    const box = this.picture.getBoundingClientRect();
    const x = event.clientX - box.left;
    const place = this.keys.findIndex((_, at) => Math.abs(this.px(at) - x) < 22);
    if (place < 0 || event.button !== 0) return;
    const key = this.keys[place];
    const share = (y) => Math.min(Math.max(1 - (y - box.top - TOP) / (HEIGHT - TOP - BOTTOM), 0), 1);
    const from = share(event.clientY);
    this.picture.setPointerCapture(event.pointerId);
    const moved = (next) => Math.abs(next.clientY - event.clientY) > 4 && this.set(key, Math.min(from, share(next.clientY)), Math.max(from, share(next.clientY)));
    const up = (next) => {
      this.picture.removeEventListener("pointermove", moved);
      if (Math.abs(next.clientY - event.clientY) <= 4) this.set(key, 0, 1);
    };
    this.picture.addEventListener("pointermove", moved);
    this.picture.addEventListener("pointerup", up, { once: true });
    event.preventDefault();
  }

  /** Sliders, two to a setting, for those who do not drag. */
  fill() {
    const known = this.keys.join("\n");
    if (this.filled === known) return;
    this.filled = known;
    this.inputs = [];
    this.fields.replaceChildren(...this.keys.map((key) => {
      const axis = this.scales.get(key);
      const most = axis.names.length ? Math.max(axis.names.length - 1, 1) : STEPS;
      const slider = (name) => element("input", { type: "range", min: 0, max: most, step: 1, "aria-label": `${short(key)} ${name}` });
      const [low, high] = [slider("from"), slider("to")];
      const words = element("span", { class: "quiet" });
      const act = () => this.set(key, Math.min(low.value, high.value) / most, Math.max(low.value, high.value) / most);
      low.addEventListener("input", act);
      high.addEventListener("input", act);
      this.inputs.push([key, ([from, to]) => {
        low.value = Math.round(from * most);
        high.value = Math.round(to * most);
        const now = this.scales.get(key);
        for (const [each, share] of [[low, from], [high, to]]) each.setAttribute("aria-valuetext", now.names.length ? said(now.names[Math.round(share * (now.names.length - 1))]) : told(now.at(share)) || "0");
        words.textContent = this.ranges.has(key) ? this.told(key, [from, to]) : "all";
      }]);
      return element("fieldset", {}, element("legend", {}, short(key)), low, high, words);
    }));
  }

  key(event) {
    const move = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    this.point(Math.min(Math.max((this.at < 0 ? -1 : this.at) + move, 0), this.trials.length - 1));
  }

  /** Point at a trial by its place among the best; none below zero. */
  point(at, tell = true) {
    const trial = this.trials[at] ?? null;
    this.at = trial ? at : -1;
    this.mark?.setAttribute("points", trial ? this.line(trial) : "");
    this.readout.replaceChildren(...(trial ? [`${told(trial.value)} with `, Object.entries(trial.settings).map(([key, value]) => `${short(key)} ${said(value)}`).join(", "), " (",
      element("a", { href: `/run/${trial.run}` }, `trial ${trial.number} of stage ${trial.stage}`), ")"] : []));
    if (tell) this.pointed(trial);
  }
}

function clipped(words, most) {
  return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}
