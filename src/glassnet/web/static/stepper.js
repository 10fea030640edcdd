// Backpropagation gate by gate: all gates forward, then all gates backward.

import { element, post, told } from "/static/page.js";
import { latest, pad } from "/static/pad.js";

const place = document.getElementById("stepper");
const list = document.getElementById("steps");
const step_place = document.getElementById("step");
const words = document.getElementById("words");
const problem = document.getElementById("problem");
let walk = null;
let at = 0;

if (place.dataset.facts) network();
else formula();

function formula() {
  const text = document.getElementById("formula");
  const values = document.getElementById("values");
  const ask = latest(() => load("/stepper.json", { formula: text.value, values: values.value }));
  document.getElementById("go").addEventListener("click", ask);
  for (const field of [text, values]) field.addEventListener("keydown", (event) => { if (event.key === "Enter") ask(); });
  for (const button of document.querySelectorAll("button[data-formula]")) {
    button.addEventListener("click", () => {
      text.value = button.dataset.formula;
      values.value = button.dataset.values;
      ask();
    });
  }
  ask();
}

function network() {
  const target = document.getElementById("target");
  let asked = null;
  const ask = latest((question) => load(`${place.dataset.here}/stepper.json`, { ...question, target: target.value }));
  const again = () => { if (asked) ask(asked); };
  pad(document.getElementById("pad"), JSON.parse(place.dataset.facts), (question) => { asked = question; });
  document.getElementById("go").addEventListener("click", () => {
    if (asked) again();
    else problem.textContent = "Draw something first, or give a picture.";
  });
  target.addEventListener("change", again);
}

async function load(address, question) {
  problem.textContent = "";
  const before = walk;
  try {
    walk = await post(address, question);
  } catch (error) {
    problem.textContent = error.message;
    return;
  }
  words.textContent = walk.sentence;
  list.replaceChildren(...walk.steps.map((step, number) => element("li", { class: step.direction },
    element("button", { type: "button", tabindex: -1, onclick: () => go(number) },
      element("span", { class: "name" }, step.name),
      element("span", { class: "arrow" }, step.direction === "forward" ? "forward →" : "← backward")))));
  go(before && before.steps.length === walk.steps.length ? at : 0); // the same gate, with other numbers
  place.dataset.answered = String(Number(place.dataset.answered || 0) + 1);
}

function go(number) {
  at = Math.min(Math.max(number, 0), walk.steps.length - 1);
  for (const [place_of, each] of [...list.querySelectorAll("button")].entries()) {
    if (place_of === at) {
      each.setAttribute("aria-current", "step");
      each.tabIndex = 0;
      each.scrollIntoView({ block: "nearest" });
    } else {
      each.removeAttribute("aria-current");
      each.tabIndex = -1;
    }
  }
  document.getElementById("back").disabled = at === 0;
  document.getElementById("next").disabled = at === walk.steps.length - 1;
  show(walk.steps[at]);
}

function show(step) {
  const forward = step.direction === "forward";
  const number = forward ? at + 1 : at + 1 - walk.gates;
  step_place.replaceChildren(
    element("h2", {}, `${forward ? "Forward" : "Backward"} ${number} of ${walk.gates}: ${step.name}`),
    element("dl", {}, element("dt", {}, "gate"), element("dd", {}, element("code", {}, step.gate)),
      element("dt", {}, "formula"), element("dd", {}, step.formula)),
    element("p", { class: "line" }, step.line),
    ...(step.numbers ? [element("p", { class: "line" }, step.numbers)] : []),
    element("div", { class: "inputs" },
      box(`${step.name}, what comes out`, [["value", step.value], ...(forward ? [] : [["upstream gradient", step.upstream]])]),
      ...step.inputs.map((input) => box(`${input.name}, what goes in`, [
        ["value", input.value],
        [`local gradient, ∂${step.name}/∂${input.name}`, input.local],
        ...(forward ? [] : [["handed back: local × upstream", input.handed], ["collected so far", differs(input) ? input.collected : null]]),
      ], input.local ? "" : input.rule))),
  );
}

function differs(input) {
  return JSON.stringify(input.handed) !== JSON.stringify(input.collected);
}

function box(title, rows, rule = "") {
  const made = element("section", {}, element("h3", {}, title));
  for (const [name, value] of rows) if (value) made.append(element("p", { class: "quiet" }, name), array(value));
  if (rule) made.append(element("p", { class: "quiet" }, `local gradient: too large to print; by rule ${rule}`));
  return made;
}

function array(value) {
  const shape = value.shape.length ? value.shape.join(" × ") : "a number";
  if (value.rows) {
    if (value.shape.length === 0) return element("p", { class: "line" }, exact(value.rows[0][0]));
    return element("div", { class: "matrix" }, element("table", { class: "grid" }, element("caption", {}, shape),
      element("tbody", {}, ...value.rows.map((row) => element("tr", {}, ...row.map((each) => element("td", { class: each < 0 ? "below" : "" }, exact(each))))))));
  }
  const zeros = value.zeros > 0.005 ? `, ${Math.round(100 * value.zeros)} % zeros` : "";
  return element("p", { class: "numbers" }, `${shape}: mean ${told(value.mean) || "0"}, spread ${told(value.std) || "0"}, from ${told(value.min) || "0"} to ${told(value.max) || "0"}${zeros}`);
}

function exact(value) {
  return value === null ? "not finite" : told(value) || "0";
}

document.getElementById("back").addEventListener("click", () => go(at - 1));
document.getElementById("next").addEventListener("click", () => go(at + 1));
document.getElementById("turn").addEventListener("click", () => { if (walk) go(walk.gates); });
document.addEventListener("keydown", (event) => {
  if (!walk || event.target.closest("input, textarea, select, canvas") || event.ctrlKey || event.altKey || event.metaKey) return;
  const moves = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: walk.steps.length - 1 };
  if (moves[event.key] === undefined) return;
  event.preventDefault();
  const inside = list.contains(document.activeElement);
  go(moves[event.key]);
  if (inside) list.querySelector("[aria-current]")?.focus();
});
