// A line chart on a canvas: grows with its data, zooms by drag, buttons and keys, and is told in numbers for those who cannot see it.
import { element, told } from "./page.js";
import { become } from "./renew.js";

const COLOURS = ["--blue", "--orange", "--green", "--purple", "--sky", "--grey"];
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [1, 2]];
const MOST = 4000; // points of a series from which it is thinned out
const HEIGHT = 240;
const ROOM = { left: 58, right: 12, top: 10, bottom: 34 };

/** Half of the points: of each stretch the lowest and the highest, so that no spike is lost. The server does the same. */
export function decimate(x, y, limit) {
  if (x.length <= limit) return [x, y];
  const stretches = Math.floor((limit - 2) / 3);
  const kept = new Set([0, x.length - 1]);
  for (let stretch = 0; stretch < stretches; stretch++) {
    const end = Math.floor(((stretch + 1) * x.length) / stretches);
    let low = -1, high = -1, gap = -1;
    for (let place = Math.floor((stretch * x.length) / stretches); place < end; place++) {
      if (y[place] === null) gap = place;
      else {
        if (low < 0 || y[place] < y[low]) low = place;
        if (high < 0 || y[place] > y[high]) high = place;
      }
    }
    for (const place of [low, high, gap]) if (place >= 0) kept.add(place);
  }
  const order = [...kept].sort((a, b) => a - b);
  return [order.map((place) => x[place]), order.map((place) => y[place])];
}

export class Chart {
  /**
   * @param figure element with a .plot and a figcaption
   * @param options x: what the x axis counts; log: begin with a logarithmic y axis; percent: y is a share;
   *   line: a value to draw a thin line at; finer(low, high): promise of points of a stretch, or nothing; points: draw points, no lines
   */
  constructor(figure, options = {}) {
    this.figure = figure;
    this.options = options;
    this.series = new Map();
    this.detail = null;
    this.range = null;
    this.log = Boolean(options.log);
    this.waiting = false;
    this.painted = false;
    this.inSight = true;
    this.cursor = null;
    const plot = figure.querySelector(".plot");
    this.canvas = element("canvas", { role: "img", tabindex: "0", "aria-label": "" });
    this.readout = element("span", { class: "readout", "aria-live": "off" });
    this.legend = element("ul", { class: "legend" });
    const button = (name, title, act) => element("button", { type: "button", class: "small", "aria-label": title, title, onclick: act }, name);
    this.logButton = button("log", "log: logarithmic scale", () => { this.log = !this.log; this.draw(); });
    this.tools = element("div", { class: "tools", role: "group", "aria-label": "Zoom" },
      button("+", "Zoom in", () => this.zoom(0.5)),
      button("−", "Zoom out", () => this.zoom(2)),
      button("all", "all: show everything", () => this.show(null)),
      this.logButton,
    );
    this.table = element("details", { class: "numbers" }, element("summary", {}, "Numbers"));
    plot.append(this.tools, this.legend, this.canvas, this.readout);
    figure.append(this.table);
    this.table.addEventListener("toggle", () => this.fillTable());
    this.canvas.addEventListener("pointermove", (event) => this.moved(event));
    this.canvas.addEventListener("pointerleave", () => { this.cursor = null; if (!this.drag) this.draw(); });
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.drag = { from: event.offsetX, to: event.offsetX };
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointerup", () => this.dropped());
    this.canvas.addEventListener("dblclick", () => this.show(null));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(plot);
    new IntersectionObserver((seen) => {
      this.inSight = seen[seen.length - 1].isIntersecting;
      if (this.inSight) this.draw();
    }, { rootMargin: "50%" }).observe(plot);
    addEventListener("beforeprint", () => this.paint());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Add points to a series. */
  append(name, x, y) {
    const own = this.series.get(name) || { x: [], y: [] };
    own.x.push(...x);
    own.y.push(...y);
    if (own.x.length > MOST) [own.x, own.y] = decimate(own.x, own.y, MOST / 2);
    this.series.set(name, own);
    this.figure.hidden = false;
    this.draw();
  }

  clear() {
    this.series.clear();
    this.detail = null;
    this.range = null;
  }

  say(sentence) {
    const caption = this.figure.querySelector("figcaption");
    if (caption.textContent === sentence) return;
    caption.textContent = sentence;
    this.canvas.setAttribute("aria-label", sentence);
  }

  /** Draw soon; several wishes within a frame are one drawing. What has been drawn once and is out of sight is left as it is until it comes into sight. */
  draw() {
    if (this.waiting || (this.painted && !this.inSight)) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.paint(); });
  }

  whole() {
    let low = Infinity, high = -Infinity;
    for (const { x } of this.series.values()) {
      if (x.length) { low = Math.min(low, x[0]); high = Math.max(high, x[x.length - 1]); }
    }
    if (!(high >= low)) return [0, 1];
    return high > low ? [low, high] : [low - 0.5, high + 0.5];
  }

  zoom(factor) {
    const [low, high] = this.range || this.whole();
    const middle = this.cursor ?? (low + high) / 2;
    this.show([middle - (middle - low) * factor, middle + (high - middle) * factor]);
  }

  show(range) {
    const [low, high] = this.whole();
    if (range) {
      range = [Math.max(range[0], low), Math.min(range[1], high)];
      if (range[1] - range[0] >= (high - low) * 0.999) range = null;
      else if (range[1] - range[0] < (high - low) * 1e-6) return;
    }
    this.range = range;
    this.detail = null;
    this.draw();
    if (!range || !this.options.finer) return;
    clearTimeout(this.asking);
    this.asking = setTimeout(async () => {
      try {
        const found = await this.options.finer(...range);
        if (found && this.range === range) {
          this.detail = new Map(Object.entries(found).map(([name, [x, y]]) => [name, { x, y }]));
          this.draw();
        }
      } catch {
        this.detail = null; // the coarse points stay
      }
    }, 150);
  }

  key(event) {
    const [low, high] = this.range || this.whole();
    const step = (high - low) * 0.1;
    const acts = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.show(null),
      ArrowLeft: () => this.range && this.show([low - step, high - step]),
      ArrowRight: () => this.range && this.show([low + step, high + step]),
    };
    const act = acts[event.key];
    if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); act(); }
  }

  moved(event) {
    if (this.drag) this.drag.to = event.offsetX;
    this.cursor = this.at(event.offsetX);
    this.draw();
  }

  dropped() {
    const drag = this.drag;
    this.drag = null;
    if (drag && Math.abs(drag.to - drag.from) > 6) {
      this.show([this.at(Math.min(drag.from, drag.to)), this.at(Math.max(drag.from, drag.to))]);
    } else this.draw();
  }

  /** The x value below a pixel. */
  at(pixel) {
    const [low, high] = this.range || this.whole();
    const width = this.canvas.clientWidth - ROOM.left - ROOM.right;
    return low + (Math.min(Math.max(pixel - ROOM.left, 0), width) / width) * (high - low);
  }

  said(value) {
    return this.options.percent ? `${Number((100 * value).toPrecision(4))} %` : told(value);
  }

  paint() {
    const width = this.canvas.parentElement.clientWidth;
    if (!width || this.figure.hidden) return;
    this.painted = true;
    const scale = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(HEIGHT * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(HEIGHT * scale);
    }
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, HEIGHT);
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const [low, high] = this.range || this.whole();
    const shown = this.detail || this.series;
    let bottom = Infinity, top = -Infinity, positive = Infinity;
    for (const { x, y } of shown.values()) {
      for (let place = 0; place < x.length; place++) {
        const value = y[place];
        if (value === null || x[place] < low || x[place] > high) continue;
        if (value < bottom) bottom = value;
        if (value > top) top = value;
        if (value > 0 && value < positive) positive = value;
      }
    }
    const log = this.log && positive < Infinity;
    this.logButton.setAttribute("aria-pressed", String(log));
    if (log) bottom = positive;
    if (!(top >= bottom)) { bottom = 0; top = 1; }
    if (log) { if (top / bottom < 1.2) { bottom /= 1.1; top *= 1.1; } }
    else { const air = (top - bottom) * 0.06 || Math.abs(top) * 0.1 || 0.5; bottom = bottom >= 0 && bottom - air < 0 ? 0 : bottom - air; top += air; }
    const inner = { width: width - ROOM.left - ROOM.right, height: HEIGHT - ROOM.top - ROOM.bottom };
    const px = (x) => ROOM.left + ((x - low) / (high - low)) * inner.width;
    const share = log ? (y) => Math.log(y / bottom) / Math.log(top / bottom) : (y) => (y - bottom) / (top - bottom);
    const py = (y) => ROOM.top + inner.height * (1 - share(y));

    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const tick of log ? decades(bottom, top) : ticks(bottom, top, 5)) {
      const y = Math.round(py(tick)) + 0.5;
      pen.strokeStyle = colour("--grid");
      pen.beginPath(); pen.moveTo(ROOM.left, y); pen.lineTo(width - ROOM.right, y); pen.stroke();
      pen.fillStyle = colour("--muted");
      pen.fillText(this.said(tick), ROOM.left - 7, y);
    }
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (const tick of ticks(low, high, Math.max(2, Math.floor(inner.width / 90)), this.options.whole !== false)) {
      pen.fillStyle = colour("--muted");
      pen.fillText(told(tick), px(tick), HEIGHT - ROOM.bottom + 6);
    }
    pen.textAlign = "right";
    pen.fillText(this.options.x || "", width - ROOM.right, HEIGHT - 13);
    pen.save();
    pen.beginPath(); pen.rect(ROOM.left, ROOM.top - 3, inner.width + 3, inner.height + 6); pen.clip();
    if (this.options.line !== undefined && (!log || this.options.line > 0)) {
      pen.strokeStyle = colour("--muted"); pen.setLineDash([4, 3]);
      pen.beginPath(); pen.moveTo(ROOM.left, py(this.options.line)); pen.lineTo(width, py(this.options.line)); pen.stroke();
    }
    let order = 0;
    for (const [name, { x, y }] of shown) {
      const place = order++;
      const look = this.look(name, place);
      pen.strokeStyle = pen.fillStyle = colour(look.colour);
      pen.globalAlpha = look.alpha;
      pen.lineWidth = look.width;
      pen.setLineDash(look.dash);
      if (this.options.points || x.length === 1) {
        for (let at = 0; at < x.length; at++) {
          if (y[at] === null || (log && y[at] <= 0)) continue;
          pen.beginPath(); pen.arc(px(x[at]), py(y[at]), 2.6, 0, 7); pen.fill();
        }
      } else {
        pen.beginPath();
        let down = false;
        for (let at = 0; at < x.length; at++) {
          if (y[at] === null || (log && y[at] <= 0)) { down = false; continue; }
          if (down) pen.lineTo(px(x[at]), py(y[at])); else pen.moveTo(px(x[at]), py(y[at]));
          down = true;
        }
        pen.stroke();
      }
    }
    pen.restore();
    pen.globalAlpha = 1;
    pen.setLineDash([]);
    if (this.drag && Math.abs(this.drag.to - this.drag.from) > 6) {
      pen.fillStyle = colour("--accent"); pen.globalAlpha = 0.15;
      pen.fillRect(Math.min(this.drag.from, this.drag.to), ROOM.top, Math.abs(this.drag.to - this.drag.from), inner.height);
      pen.globalAlpha = 1;
    }
    this.paintCursor(pen, px, colour, inner, shown);
    this.fillLegend(shown);
    this.fillTable();
  }

  look(name, place) {
    if (this.options.thin && name !== this.options.thin) return { colour: "--blue", dash: [], width: 1, alpha: 0.35 };
    if (this.options.thin) return { colour: "--blue", dash: [], width: 2.4, alpha: 1 };
    const quiet = name === "while training";
    return { colour: quiet ? "--grey" : COLOURS[place % COLOURS.length], dash: DASHES[place % DASHES.length], width: quiet ? 1.3 : 2, alpha: 1 };
  }

  paintCursor(pen, px, colour, inner, shown) {
    if (this.cursor === null || this.drag) { this.readout.textContent = ""; return; }
    let near = null;
    for (const { x } of shown.values()) {
      for (const value of x) if (near === null || Math.abs(value - this.cursor) < Math.abs(near - this.cursor)) near = value;
    }
    if (near === null) return;
    pen.strokeStyle = colour("--muted");
    pen.beginPath(); pen.moveTo(Math.round(px(near)) + 0.5, ROOM.top); pen.lineTo(Math.round(px(near)) + 0.5, ROOM.top + inner.height); pen.stroke();
    const words = [];
    for (const [name, { x, y }] of shown) {
      const at = x.indexOf(near);
      if (at >= 0 && y[at] !== null && words.length < 5) words.push(`${name} ${this.said(y[at])}`);
    }
    this.readout.textContent = `${this.options.x || "x"} ${told(near)}: ${words.join(", ")}`;
  }

  fillLegend(shown) {
    let names = [...shown.keys()];
    if (this.options.thin) names = [this.options.thin];
    const key = names.join("\n");
    if (this.legendKey === key) return;
    this.legendKey = key;
    this.legend.hidden = names.length < 2 && !this.options.thin;
    this.legend.replaceChildren(...names.map((name, place) => {
      const look = this.look(name, place);
      const swatch = element("canvas", { width: 26, height: 6, "aria-hidden": "true", class: "swatch" });
      const pen = swatch.getContext("2d");
      pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue(look.colour).trim();
      pen.lineWidth = 2.4; pen.setLineDash(look.dash);
      pen.beginPath(); pen.moveTo(0, 3); pen.lineTo(26, 3); pen.stroke();
      return element("li", {}, swatch, this.options.thin ? `${name}; thin lines: ${this.options.rest || "single weights"}` : name);
    }));
  }

  fillTable() {
    if (!this.table.open) return;
    const rows = [...this.series].slice(0, 20).map(([name, { x, y }]) => {
      const real = y.filter((value) => value !== null);
      const least = Math.min(...real), most = Math.max(...real);
      return element("tr", {}, element("th", { scope: "row" }, name),
        ...[real[real.length - 1], least, most].map((value) => element("td", { class: "number" }, real.length ? this.said(value) : "")),
        element("td", { class: "number" }, x.length ? told(x[y.indexOf(least)]) : ""), element("td", { class: "number" }, x.length ? told(x[y.indexOf(most)]) : ""));
    });
    const unit = this.options.x || "place";
    const heads = ["series", "last", "lowest", "highest", `${unit} of the lowest`, `${unit} of the highest`];
    const body = element("div", { class: "scroll" }, element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...rows)));
    if (this.table.children.length > 1) become(this.table.lastElementChild, body);
    else this.table.append(body);
  }
}

/** Round numbers between low and high. */
export function ticks(low, high, count, whole = false) {
  let step = 10 ** Math.floor(Math.log10((high - low) / count));
  for (const factor of [1, 2, 5, 10]) if ((high - low) / (step * factor) <= count) { step *= factor; break; }
  if (whole) step = Math.max(1, Math.round(step));
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9 && found.length < 50; tick += step) found.push(Number(tick.toPrecision(12)));
  return found;
}

/** Powers of ten within the bounds; where there are few, 2 and 5 times them too. */
export function decades(low, high) {
  const factors = high / low < 6 ? [1, 1.5, 2, 3, 4, 5, 7] : high / low < 100 ? [1, 2, 5] : [1];
  const found = [];
  const jump = Math.max(1, Math.ceil(Math.log10(high / low) / 6));
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += factors.length > 1 ? 1 : jump) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= low * 0.9999 && value <= high * 1.0001) found.push(value);
    }
  }
  return found;
}
