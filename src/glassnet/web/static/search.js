// A search: the figure against each setting, drawn as points, and the table of trials.
import { element, get, told } from "./page.js";
import { sortable } from "./table.js";

const COLOURS = ["blue", "orange", "green", "purple"];
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300, HEIGHT = 190, LEFT = 46, BOTTOM = 34, TOP = 8, RIGHT = 10;
const { trials } = await get(`${location.pathname}/trials.json`);
const keys = [...new Set(trials.flatMap((trial) => Object.keys(trial.settings)))];
const shown = trials.filter((trial) => trial.value !== null);
const stages = [...new Set(shown.map((trial) => trial.stage))].sort((a, b) => a - b);

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function scale(values) {
  if (values.some((value) => typeof value !== "number")) {
    const names = [...new Set(values.map(String))].sort();
    return { at: (value) => (names.indexOf(String(value)) + 0.5) / names.length, ends: names.length <= 4 ? names.map((name) => [(names.indexOf(name) + 0.5) / names.length, name.slice(0, 12)]) : [[0, `${names.length} values`]] };
  }
  const low = Math.min(...values), high = Math.max(...values);
  if (high <= low) return { at: () => 0.5, ends: [[0.5, told(low)]] };
  const log = low > 0 && high / low > 30;
  const at = log ? (value) => Math.log(value / low) / Math.log(high / low) : (value) => (value - low) / (high - low);
  const middle = log ? Math.sqrt(low * high) : (low + high) / 2;
  return { at, ends: [[0, told(low)], [0.5, told(middle)], [1, told(high)]] };
}

function scatter(key) {
  const own = shown.filter((trial) => key in trial.settings);
  if (!own.length) return null;
  const horizontal = scale(own.map((trial) => trial.settings[key]));
  const sorted = own.map((trial) => trial.value).sort((a, b) => a - b);
  const low = sorted[Math.floor(sorted.length * 0.1)], high = sorted[sorted.length - 1];
  const px = (value) => LEFT + horizontal.at(value) * (WIDTH - LEFT - RIGHT);
  const py = (value) => TOP + (1 - (high > low ? (Math.max(value, low) - low) / (high - low) : 0.5)) * (HEIGHT - TOP - BOTTOM);
  const best = own.reduce((a, b) => (b.value > a.value ? b : a));
  const words = `${key}: the best figure, ${told(best.value)}, at ${said(best.settings[key])}.`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  picture.append(svg("path", { d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}`, class: "axis" }));
  for (const value of [low, high]) picture.append(svg("text", { x: LEFT - 5, y: py(value) + 4, "text-anchor": "end" }, told(value)));
  for (const [share, name] of horizontal.ends) {
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    picture.append(svg("text", { x: LEFT + share * (WIDTH - LEFT - RIGHT), y: HEIGHT - BOTTOM + 16, "text-anchor": anchor }, name));
  }
  for (const trial of own) {
    const done = trial.end === "done";
    const colour = COLOURS[stages.indexOf(trial.stage) % COLOURS.length];
    picture.append(svg("circle", { cx: px(trial.settings[key]), cy: py(trial.value), r: 3.6, class: `point ${colour}${done ? "" : " hollow"}` }));
  }
  picture.append(svg("circle", { cx: px(best.settings[key]), cy: py(best.value), r: 8, class: "ring" }));
  return element("figure", { class: "chart" }, element("h3", {}, key), picture, element("figcaption", {}, words));
}

function said(value) {
  return typeof value === "number" ? told(value) : value;
}

document.getElementById("scatter").replaceChildren(...keys.map(scatter).filter(Boolean));
const rows = trials.map((trial) => ({ cells: [trial.stage, trial.number, trial.value, trial.end, ...keys.map((key) => trial.settings[key] ?? null)], run: trial.run }));
sortable(document.getElementById("trials"), {
  heads: ["stage", "number", "figure", "end", ...keys],
  rows,
  cell: (row, column) => (column === 1 ? element("a", { href: `/run/${row.run}` }, String(row.cells[1])) : said(row.cells[column])),
  value: (row, column) => row.cells[column],
  sort: [2, -1],
});
