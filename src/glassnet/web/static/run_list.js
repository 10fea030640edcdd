// The list of runs: columns from the recipes, sorting, filtering, choosing runs to compare. The state of the list stands in the address.
import { ago, element, get, told } from "./page.js";
import { renew } from "./renew.js";
import { sortable } from "./table.js";

const place = (id) => document.getElementById(id);
const USUAL = ["net.name", "optimizer.name", "optimizer.lr", "train.batch_size", "train.epochs", "train.seed"];
const REFRESH = 5000;
const FIXED = [
  ["run", (run) => run.name],
  ["state", (run) => run.state],
  ["changed", (run) => run.changed],
  ["data", (run) => run.data ?? null],
  ["result", (run) => run.figure ?? null],
  ["validation", (run) => run.val_accuracy ?? run.val_r2 ?? null],
  ["epochs", (run) => run.epochs ?? null],
];
const chosen = new Set();
let runs = [], same = {}, columns = [], extra = null, show = null, sort = [2, -1];

const setting = (run, key) => (key in run.settings ? run.settings[key] : key in same ? same[key] : null);
const figure = (run, value) => (value === null ? "" : run.metric === "r2" || run.metric === "nats" || run.val_r2 !== undefined ? told(value) : `${(100 * value).toFixed(2)} %`);

function value(run, column) {
  return column < FIXED.length ? FIXED[column][1](run) : setting(run, columns[column - FIXED.length]);
}

function cell(run, column) {
  const held = value(run, column);
  switch (column) {
    case 0: return element("span", {}, element("a", { href: `/run/${run.id}` }, run.name), run.report ? element("a", { href: `/run/${run.id}/report`, class: "quiet beside", "aria-label": `Report of ${run.name}` }, "report") : null);
    case 1: return element("span", { class: "state", "data-state": run.state }, run.state);
    case 2: return ago(run.changed);
    case 4: case 5: return figure(run, held);
    default: return typeof held === "number" ? told(held) : held === null ? "" : String(held);
  }
}

/** "adam lr<0.01 state=running": all words must be found; a comparison is about a column or a recipe key. */
export function matcher(text) {
  const tests = text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const parts = word.match(/^([a-z0-9_.]+)(<=|>=|<|>|=)(.+)$/);
    if (!parts) return (run) => run.words.includes(word);
    const [, name, sign, wanted] = parts;
    const number = Number(wanted.endsWith("%") ? wanted.slice(0, -1) / 100 : wanted);
    const fixed = FIXED.find(([head]) => head === name);
    const find = fixed ? fixed[1] : (run) => {
      const keys = Object.keys(run.settings).concat(Object.keys(same));
      const key = keys.find((each) => each === name) || keys.find((each) => each.endsWith(`.${name}`));
      return key ? setting(run, key) : null;
    };
    return (run) => {
      const held = find(run);
      if (held === null || held === undefined) return false;
      if (sign === "=") return typeof held === "number" && !Number.isNaN(number) ? held === number : String(held).toLowerCase() === wanted;
      if (typeof held !== "number" || Number.isNaN(number)) return false;
      return { "<": held < number, ">": held > number, "<=": held <= number, ">=": held >= number }[sign];
    };
  });
  return (run) => tests.every((test) => test(run));
}

function filter(stay = false) {
  const matches = matcher(place("filter").value);
  const found = runs.filter(matches);
  show(found, stay);
  const states = new Map();
  for (const run of found) states.set(run.state, (states.get(run.state) || 0) + 1);
  const count = found.length === runs.length ? `${runs.length.toLocaleString("en-US")} runs` : `${found.length.toLocaleString("en-US")} of ${runs.length.toLocaleString("en-US")} runs`;
  place("summary").textContent = `${runs.length === 1 ? "1 run" : count}${states.size ? `: ${[...states].map(([state, number]) => `${number.toLocaleString("en-US")} ${state}`).join(", ")}` : ""}.`;
  remember();
}

function remember() {
  const parts = new URLSearchParams();
  if (place("filter").value) parts.set("filter", place("filter").value);
  if (sort[0] !== 2 || sort[1] !== -1) parts.set("sort", `${sort[1] < 0 ? "-" : ""}${sort[0]}`);
  if (extra) parts.set("columns", extra.join(","));
  history.replaceState(null, "", parts.size ? `/?${parts}` : "/");
}

function choose(run) {
  const box = element("input", { type: "checkbox", "aria-label": `Choose ${run.name} to compare` });
  box.checked = chosen.has(run.id);
  box.addEventListener("change", () => {
    if (box.checked) chosen.add(run.id); else chosen.delete(run.id);
    compareButton();
  });
  return box;
}

function compareButton() {
  place("compare").disabled = chosen.size < 2;
  place("compare").textContent = chosen.size ? `Compare ${chosen.size} chosen` : "Compare chosen runs";
}

/** The columns of settings: those asked for, else the usual ones among those that differ, then others that differ, at most six. */
function build() {
  const differing = [...new Set(runs.flatMap((run) => Object.keys(run.settings)))].filter((key) => !key.startsWith("data.path"));
  const all = [...new Set([...differing, ...Object.keys(same)])].sort();
  const usual = USUAL.filter((key) => differing.includes(key));
  columns = extra ?? [...usual, ...differing.filter((key) => !usual.includes(key)).sort()].slice(0, 6);
  const now = JSON.stringify([columns, all]);
  if (now === build.last) return;
  build.last = now;
  show = sortable(place("table"), {
    heads: [...FIXED.map(([name]) => name), ...columns], rows: [], key: (run) => run.id, cell, value, lead: choose, sort,
    sorted: (...now) => { sort = now; remember(); },
  });
  renew(place("columns"), all.map((key) => {
    const box = element("input", { type: "checkbox" });
    box.checked = columns.includes(key);
    box.addEventListener("change", () => {
      extra = box.checked ? [...columns, key] : columns.filter((each) => each !== key);
      build();
      filter();
    });
    return [key, element("label", {}, box, ` ${key}`)];
  }));
}

async function load(first) {
  const answer = await get("/runs.json");
  const text = JSON.stringify(answer);
  if (text === load.last) { filter(true); return; } // how long ago something changed goes on
  load.last = text;
  ({ runs, same } = answer);
  for (const run of runs) run.words = [run.name, run.state, run.data, run.ended, ...Object.values(run.settings), ...Object.values(same)].join(" ").toLowerCase();
  place("none").hidden = runs.length > 0;
  place("list").hidden = runs.length === 0;
  if (first || !(document.activeElement && place("list").contains(document.activeElement) && document.activeElement.id !== "filter")) {
    const open = place("columns").contains(document.activeElement);
    if (!open) build();
  }
  filter(!first);
}

const asked = new URLSearchParams(location.search);
place("filter").value = asked.get("filter") || "";
if (asked.get("columns")) extra = asked.get("columns").split(",").slice(0, 30);
if (asked.get("sort")) sort = [Math.abs(Number(asked.get("sort"))) || 0, asked.get("sort").startsWith("-") ? -1 : 1];
place("filter").addEventListener("input", () => filter());
place("compare").addEventListener("click", () => { location.href = `/compare?runs=${[...chosen].slice(0, 12).join(",")}`; });
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { event.preventDefault(); place("filter").focus(); }
});
compareButton();
await load(true);
document.documentElement.dataset.ready = "1";
setInterval(() => { if (document.visibilityState === "visible") load(false).catch(() => { place("summary").textContent = "The connection to the page's process is lost; the trainings go on. Start 'glassnet web' again."; }); }, REFRESH);
