// The page of one run: curves, findings and progress as they come, and the buttons.
import { Chart } from "./chart.js";
import { answer, duration, element, get, post, told } from "./page.js";
import { renew } from "./renew.js";

const run = document.getElementById("run").dataset.run;
const place = (id) => document.getElementById(id);
const OPTIONS = {
  figure: { percent: true },
  ratio: { log: true, line: 0.001, thin: "median" },
  norm: { log: true },
  reach: { points: true, line: 0.5 },
  silent: { percent: true },
};
const charts = new Map();
for (const figure of document.querySelectorAll("figure.chart")) {
  const name = figure.dataset.chart;
  const finer = figure.dataset.x === "step"
    ? (low, high) => get(`/run/${run}/series.json?chart=${name}&low=${low}&high=${high}`)
    : undefined;
  charts.set(name, new Chart(figure, { x: figure.dataset.x, finer, ...OPTIONS[name] }));
}

let state = place("state").dataset.state;
const began = state;

function take(piece) {
  if (piece.anew) for (const chart of charts.values()) chart.clear();
  if (piece.figure) {
    const figure = charts.get("figure");
    figure.options.percent = false;
    figure.figure.querySelector("h3").textContent = piece.figure;
  }
  for (const [name, series] of Object.entries(piece.charts)) {
    for (const [key, [x, y]] of Object.entries(series)) charts.get(name).append(key, x, y);
    place("no-curves").hidden = true;
  }
  for (const [name, words] of Object.entries(piece.words)) charts.get(name).say(words);
  if (piece.findings) showFindings(piece.findings);
  showState(piece.state, piece.facts);
  document.documentElement.dataset.step = piece.facts.step || 0;
}

function showState(now, facts) {
  if (now !== state && now === "finished" && began !== "finished") location.reload(); // the result is there
  state = now;
  const label = place("state");
  label.textContent = label.dataset.state = now;
  const step = facts.step || 0;
  const total = (facts.steps_per_epoch || 0) * (facts.epochs || 0);
  const progress = place("progress");
  progress.hidden = now !== "running" || !total;
  if (total) progress.value = Math.min(step / total, 1);
  const words = [];
  if (facts.epochs) words.push(now === "running" ? `epoch ${Math.min((facts.epoch || 0) + 1, facts.epochs)} of ${facts.epochs}` : `${facts.epoch || 0} of ${facts.epochs} epochs`);
  if (step) words.push(`step ${step.toLocaleString("en-US")}${total ? ` of ${total.toLocaleString("en-US")}` : ""}`);
  if (facts.parameters) words.push(`${facts.parameters.toLocaleString("en-US")} parameters`);
  if (facts.speed) words.push(`${told(facts.speed)} samples a second`);
  if (facts.seconds) words.push(`${duration(facts.seconds)} of training`);
  if (facts.ended) words.push(`ended: ${facts.ended}`);
  if (place("told").textContent !== words.join(" · ")) place("told").textContent = words.join(" · ");
  place("stop").hidden = now !== "running";
  place("resume").hidden = now !== "stopped";
}

function showFindings(findings) {
  place("findings-section").hidden = findings.length === 0;
  const kinds = { stop: "stopped", warning: "warning", info: "note" };
  const rank = ["stop", "warning", "info"];
  const sorted = [...findings].sort((a, b) => rank.indexOf(a.severity) - rank.indexOf(b.severity));
  renew(place("findings"), sorted.map((found) => [`${found.rule} ${found.step}`, element("div", { class: `finding ${found.severity in kinds ? found.severity : "info"}` },
    element("p", {}, element("b", { class: "kind" }, kinds[found.severity] || "note"), ` ${capital(found.what)}`,
      found.step ? element("span", { class: "quiet" }, ` (step ${found.step.toLocaleString("en-US")})`) : null),
    element("p", { class: "quiet" }, capital(found.why)),
    element("p", {}, capital(found.advice)),
    ...found.tried.map((words) => element("p", { class: "quiet" }, `Tried: ${words}`)),
    element("details", {}, element("summary", {}, "The figures and the rule"),
      found.evidence.length ? element("dl", {}, ...found.evidence.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])) : null,
      element("p", {}, element("a", { href: `/rules#${encodeURIComponent(found.rule)}` }, `How the rule “${found.rule}” works`))),
  )]));
}

function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}

async function act(button, address, words) {
  button.disabled = true;
  try {
    await post(address);
    answer(place("answer"), words);
  } catch (error) {
    answer(place("answer"), capital(error.message) + ".", false);
  } finally {
    button.disabled = false;
  }
}
place("stop").addEventListener("click", (event) => act(event.currentTarget, `/run/${run}/stop`, "Asked to save and stop."));
place("resume").addEventListener("click", (event) => act(event.currentTarget, `/run/${run}/resume`, "Starting; this takes some seconds."));

let source = null;
function listen() {
  source = new EventSource(`/run/${run}/events`);
  let first = true;
  source.onmessage = (event) => {
    if (first) for (const chart of charts.values()) chart.clear(); // after a pause everything is sent again
    first = false;
    place("lost").hidden = true;
    take(JSON.parse(event.data));
  };
  source.onopen = () => { first = true; };
  source.onerror = () => { place("lost").hidden = document.visibilityState === "hidden"; };
  source.addEventListener("full", () => {
    source.close();
    place("lost").textContent = "Too many pages watch runs; this one, the oldest, was let go. Reload it to watch on.";
    place("lost").hidden = false;
  });
}
addEventListener("pagehide", () => source.close());
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
listen();
