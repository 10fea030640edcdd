// A search as it goes on: settings side by side, the figure against each of them, what mattered, how the trials learned, and the trials in a table.
import { Chart } from "./chart.js";
import { element, get, told } from "./page.js";
import { Parallel, svg } from "./parallel.js";
import { floor, middle, said, scale, short } from "./scale.js";
import { sortable } from "./table.js";

const COLOURS = ["blue", "orange", "green", "purple"];
const WIDTH = 300, HEIGHT = 190, LEFT = 46, BOTTOM = 34, TOP = 10, RIGHT = 10;
const PAUSE = 2000; // milliseconds between two questions while trials are running
const REST = 10000; // and while none is
const MARKED = 1000; // trials up to which the points follow whom somebody points at
const SHOWN = 60; // trials whose lines are drawn, the best ones
const place = (id) => document.getElementById(id);
const ends = { done: "done", pruned: "ended early", exploded: "loss exploded", failed: "failed", running: "running", stopped: "stopped" };
let found = { trials: [], stages: [], finalists: [] };
let left = null; // the trials that the ranges leave, or null for all
let marked = null; // whom somebody points at
let table = null;
let headed = "";

const parallel = new Parallel(place("parallel"), (inside, some) => {
  left = some ? new Set(inside) : null;
  scatters();
  rows();
}, (trial) => mark(trial));
const curves = new Chart(place("curves"), { x: "epoch", thin: "the best trial", rest: "the other trials" });

/** The figure against one setting: a point a trial. */
function scatter(key, stages) {
  const own = found.trials.filter((trial) => trial.value !== null && key in trial.settings);
  if (!own.length) return null;
  const axis = scale(own.map((trial) => trial.settings[key]));
  const values = own.map((trial) => trial.value);
  const low = floor(values), high = Math.max(...values);
  const inner = WIDTH - LEFT - RIGHT;
  const px = (value) => LEFT + (axis.names.length ? (axis.names.indexOf(value) + 0.5) / axis.names.length : axis.share(value)) * inner;
  const py = (value) => TOP + (1 - (high > low ? (Math.max(value, low) - low) / (high - low) : 0.5)) * (HEIGHT - TOP - BOTTOM);
  const best = own.reduce((a, b) => (b.value > a.value ? b : a));
  const words = `${short(key)}: ${thirds(own, key, axis)}The best figure, ${told(best.value)}, is at ${said(best.settings[key])}.`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  picture.append(svg("path", { d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}`, class: "axis" }));
  for (const value of high > low ? [low, high] : [high]) picture.append(svg("text", { x: LEFT - 5, y: py(value) + 4, "text-anchor": "end" }, told(value)));
  const few = axis.names.length && axis.names.length <= 5;
  for (const [share, name] of axis.names.length ? (few ? axis.names.map((name, at) => [(at + 0.5) / axis.names.length, said(name)]) : [[0.5, `${axis.names.length} values`]]) : axis.ends) {
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    picture.append(svg("text", { x: LEFT + share * inner, y: HEIGHT - BOTTOM + 16, "text-anchor": anchor }, few ? name.slice(0, Math.floor(34 / axis.names.length)) : name));
  }
  if (axis.log) picture.append(svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 3, "text-anchor": "end" }, "in decades"));
  for (const trial of own) {
    const colour = COLOURS[stages.indexOf(trial.stage) % COLOURS.length];
    const look = `point ${colour}${trial.end === "done" ? "" : " hollow"}${left && !left.has(trial) ? " away" : ""}`;
    picture.append(svg("circle", { cx: px(trial.settings[key]), cy: py(trial.value), r: 3.6, class: look }));
  }
  picture.append(svg("circle", { cx: px(best.settings[key]), cy: py(best.value), r: 8, class: "ring" }));
  if (marked && marked.value !== null && key in marked.settings) picture.append(svg("circle", { cx: px(marked.settings[key]), cy: py(marked.value), r: 6, class: "marked" }));
  return element("figure", { class: "chart" }, element("h3", {}, key), picture, element("figcaption", {}, words));
}

/** How good the lower, middle and upper third of a range are, or each of few choices. */
function thirds(own, key, axis) {
  if (axis.names.length > 5) return "";
  const groups = axis.names.length
    ? axis.names.map((name) => [said(name), own.filter((trial) => trial.settings[key] === name)])
    : [0, 1, 2].map((part) => [["the lower third", "the middle one", "the upper one"][part], own.filter((trial) => Math.min(Math.floor(3 * axis.share(trial.settings[key])), 2) === part)]);
  const told_groups = groups.filter(([, group]) => group.length).map(([name, group]) => `${told(middle(group.map((trial) => trial.value)))} ${axis.names.length ? "with" : "in"} ${name}`);
  return told_groups.length > 1 ? `middle figure ${told_groups.join(", ")}. ` : "";
}

function scatters() {
  const shown = found.trials.filter((trial) => trial.value !== null);
  const stages = [...new Set(shown.map((trial) => trial.stage))].sort((a, b) => a - b);
  const keys = [...new Set(shown.flatMap((trial) => Object.keys(trial.settings)))];
  place("scatter").replaceChildren(...keys.map((key) => scatter(key, stages)).filter(Boolean));
  place("legend").replaceChildren(...stages.map((stage, at) => element("li", {},
    svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, svg("circle", { cx: 6, cy: 6, r: 4, class: `point ${COLOURS[at % COLOURS.length]}` })), `stage ${stage}`)));
}

function importances() {
  const told_stages = found.stages.filter((stage) => stage.importances.length);
  place("importances").replaceChildren(...(told_stages.length ? told_stages.map((stage) => {
    const [first, second] = stage.importances;
    const words = `In stage ${stage.stage} ${short(first[0])} explains ${percent(first[1])} of how much the trials differ`
      + (second ? `, ${short(second[0])} ${percent(second[1])}` : "") + ".";
    return element("div", {}, element("p", {}, words), element("table", { class: "answers" },
      element("caption", { class: "unseen" }, `What mattered in stage ${stage.stage}`),
      element("tbody", {}, ...stage.importances.map(([key, share]) => {
        const fill = element("div", { class: "fill" });
        fill.style.width = `${100 * share}%`;
        return element("tr", {}, element("th", { scope: "row" }, short(key)), element("td", { class: "share" }, fill), element("td", { class: "number" }, percent(share)));
      }))));
  }) : [element("p", { class: "quiet" }, "Shares of the figure's variation (fANOVA) are told when a stage has ended with enough trials.")]));
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

/** The validation figure of the trials over their epochs. */
function lines() {
  const own = found.trials.filter((trial) => trial.curve?.some((value) => value !== null))
    .sort((a, b) => (b.value ?? Math.max(...b.curve)) - (a.value ?? Math.max(...a.curve))).slice(0, SHOWN);
  curves.clear();
  if (!own.length) return;
  const name = (trial) => `${trial.stage}-${trial.number}`;
  for (const trial of own.slice(1).reverse()) curves.append(name(trial), trial.curve.map((_, at) => at + 1), trial.curve);
  curves.append("the best trial", own[0].curve.map((_, at) => at + 1), own[0].curve);
  const rivals = own.filter((trial) => trial.stage === own[0].stage && trial.curve[0] !== null);
  const rank = 1 + rivals.filter((trial) => trial.curve[0] > own[0].curve[0]).length;
  curves.say(`The best trial went from ${told(own[0].curve[0])} after its first epoch to ${told(Math.max(...own[0].curve))} at best`
    + (rivals.length > 2 ? `; after the first epoch it was number ${rank} of the ${rivals.length} of its stage that are drawn.` : "."));
}

function finalists() {
  place("finalists-section").hidden = !found.finalists.length;
  const [best] = found.finalists;
  if (!best) return;
  const base = found.finalists.find((each) => !each.settings);
  const beside = base && base !== best ? `; the recipe as it was has ${told(base.mean)}` : base === best ? ": nothing that was found is better than it" : "";
  place("finalists-words").textContent = `Trained again with fresh seeds, ${best.name} is best: ${told(best.mean)} on average${beside}.`;
  place("finalists").replaceChildren(...found.finalists.map((each) => element("tr", {}, element("th", { scope: "row" }, each.name), element("td", { class: "number" }, told(each.mean)),
    element("td", { class: "number" }, each.std === null || !(each.seeds > 1) ? "" : `± ${told(each.std)}`), element("td", { class: "number" }, String(each.seeds ?? "")), element("td", {}, each.settings || "nothing changed"))));
}

function rows() {
  const keys = [...new Set(found.trials.flatMap((trial) => Object.keys(trial.settings)))];
  const own = (left ? found.trials.filter((trial) => left.has(trial)) : found.trials)
    .map((trial) => ({ trial, cells: [trial.stage, trial.number, trial.value, trial.epochs, ends[trial.end] || trial.end, ...keys.map((key) => trial.settings[key] ?? null)] }));
  place("count").textContent = left ? `${own.length} of ${found.trials.length} trials, as chosen above.` : `${found.trials.length} trials.`;
  if (headed === keys.join("\n") && table) { table(own, true); return; }
  headed = keys.join("\n");
  document.querySelector("#trials-place > button")?.remove();
  table = sortable(place("trials"), {
    heads: ["stage", "number", "figure", "epochs", "end", ...keys],
    rows: own,
    key: (row) => `${row.trial.stage} ${row.trial.number}`,
    cell: (row, column) => (column === 1 ? element("a", { href: `/run/${row.trial.run}` }, String(row.cells[1]))
      : column === 2 && row.trial.end === "running" ? `${told(row.trial.curve?.at(-1))} so far`
      : column === 4 && row.trial.why ? element("span", { title: row.trial.why }, row.cells[4]) : said(row.cells[column])),
    value: (row, column) => row.cells[column],
    sort: [2, -1],
    pointed: (row) => { parallel.point(row ? parallel.trials.indexOf(row.trial) : -1, false); mark(row?.trial ?? null); },
  });
}

function mark(trial) {
  if (marked === trial || found.trials.length > MARKED) return;
  marked = trial;
  scatters();
}

async function look() {
  const answer = await get(`${location.pathname}/trials.json?seen=${found.seen || ""}`);
  place("lost").hidden = true;
  if (answer.seen === found.seen) return;
  const stages = found.stages.length;
  found = answer;
  marked = null;
  if (place("sentence").textContent !== found.sentence) place("sentence").textContent = found.sentence;
  parallel.show(found.trials); // calls for the scatters and the table
  importances();
  lines();
  finalists();
  if (stages && found.stages.length !== stages) place("anew").hidden = false;
  document.documentElement.dataset.trials = String(found.trials.length);
}

async function watch() {
  try {
    if (document.visibilityState !== "hidden") await look();
  } catch {
    place("lost").hidden = false;
  }
  setTimeout(watch, !place("lost").hidden || found.trials.some((trial) => trial.end === "running") ? PAUSE : REST);
}
await watch();
