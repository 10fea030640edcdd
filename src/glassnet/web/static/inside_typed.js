// Look inside for what is typed or given: a text, a sound, or a row of a table. Each word, moment or column tells what it counts for.

import { bar, heat, layers } from "/static/layers.js";
import { element, post, told } from "/static/page.js";
import { base64, latest } from "/static/pad.js";

const main = document.getElementById("inside");
const facts = JSON.parse(main.dataset.facts);
const place = (id) => document.getElementById(id);
const PAUSE = 250; // milliseconds after the last key
const LARGEST = 12 * 1024 * 1024;
let question = null;
let timer = 0;
const fields = new Map();

const problem = element("p", { class: "bad", role: "alert" });
const target = element("select", { id: "target" }, element("option", { value: "" }, "what the network says"), ...facts.classes.map((name) => element("option", {}, name)));
const input = { text: text_field, sound: sound_field, table: row_fields }[facts.kind]();
place("given").append(...input, problem);
if (facts.classes.length) place("chosen").append(element("label", {}, "What counts for ", target));
target.addEventListener("change", () => question && ask(question));

function later(next) {
  clearTimeout(timer);
  question = next;
  timer = setTimeout(() => (next ? ask(next) : clear()), PAUSE);
}

const ask = latest(async (now) => {
  place("words").textContent ||= "Opening the network…";
  const begun = performance.now();
  try {
    const answer = await post(`${main.dataset.here}/inside.json`, now);
    if (question === null) return;
    problem.textContent = "";
    place("words").textContent = answer.sentence;
    place("top").replaceChildren(...answer.top.map(bar));
    layers(place("layers"), answer.layers);
    place("speed").textContent = `answered in ${Math.round(performance.now() - begun)} ms`;
    await count(now);
    main.dataset.answered = String(Number(main.dataset.answered || 0) + 1);
  } catch (error) {
    clear();
    problem.textContent = error.message;
  }
});

async function count(now) {
  let found;
  try {
    found = await post(`${main.dataset.here}/shares.json`, { ...now, target: target.value });
  } catch (error) {
    place("shares").replaceChildren(element("p", { class: "bad" }, error.message)); // the layers have answered all the same
    return;
  }
  place("shares").replaceChildren(...{ text: words_shown, sound: moments_shown, table: columns_shown }[facts.kind](found));
}

function clear() {
  question = null;
  problem.textContent = "";
  place("words").textContent = "";
  place("speed").textContent = "";
  for (const name of ["top", "layers", "shares"]) place(name).replaceChildren();
}

function text_field() {
  const area = element("textarea", { id: "text", rows: 5, maxlength: 20000, "aria-describedby": "text-help", spellcheck: "false" });
  area.addEventListener("input", () => later(area.value.trim() ? { text: area.value } : null));
  return [element("label", { for: "text" }, "Type or paste a text"), area,
    element("p", { class: "quiet", id: "text-help" }, `The network reads it by its ${facts.unit}.`)];
}

function sound_field() {
  const file = element("input", { type: "file", id: "file", accept: ".wav,audio/wav" });
  file.addEventListener("change", async () => {
    const [given] = file.files;
    if (!given) return;
    if (given.size > LARGEST) { problem.textContent = "This file is larger than 12 MB."; return; }
    const content = base64(new Uint8Array(await given.arrayBuffer()));
    later({ file: content });
  });
  return [element("label", { for: "file" }, "A sound (WAV): "), file, element("p", { class: "quiet" }, `The network hears ${facts.rate.toLocaleString("en-US")} samples a second; other rates are brought to that.`)];
}

function row_fields() {
  const made = facts.columns.map((column, at) => {
    const id = `column-${at}`;
    const field = column.kind === "category" || column.kind === "bool"
      ? element("select", { id }, element("option", { value: "" }, "missing"), ...(column.kind === "bool" ? ["yes", "no"] : column.levels).map((level) => element("option", {}, level)))
      : element("input", { id, inputmode: column.kind === "text" ? "text" : "decimal", autocomplete: "off", placeholder: "missing" });
    field.addEventListener("input", () => later(row()));
    fields.set(column.name, field);
    return element("label", { for: id }, element("span", {}, column.name), field);
  });
  setTimeout(() => later(row()));
  return [element("p", { class: "quiet" }, "Fill in what is known; what is left empty counts as missing."), element("div", { class: "row" }, ...made),
    facts.more > 0 ? element("p", { class: "quiet" }, `The other ${facts.more} columns are left missing.`) : ""];
}

function row() {
  return { row: Object.fromEntries([...fields].map(([name, field]) => [name, field.value]).filter(([, value]) => value.trim())) };
}

/** The text again, each word on the colour of what it counts for; the numbers in a table. */
function words_shown(found) {
  const top = Math.max(...found.parts.map((part) => Math.abs(part.share ?? 0)), 1e-12);
  const text = element("p", { class: "text" }, ...found.parts.flatMap((part) => {
    const word = element("span", { class: `word ${part.share < 0 ? "against" : "for"}${part.known ? "" : " unknown"}`, title: `${told(part.share) || "0"}${part.known ? "" : ", not in the vocabulary"}` }, part.name);
    word.style.setProperty("--strength", `${Math.round((46 * Math.abs(part.share ?? 0)) / top)}%`);
    return [word, facts.unit === "characters" ? "" : " "];
  }));
  const strangers = new Set(found.parts.filter((part) => !part.known).map((part) => part.name)).size;
  return [element("h2", {}, "Word by word"), element("p", {}, found.sentence), text,
    element("p", { class: "quiet" }, `Orange and underlined: speaks for ${found.target}; blue and dashed: against it.`
      + (strangers ? ` ${strangers === 1 ? "One word is" : `${strangers} words are`} struck through: not in the network’s vocabulary.` : "")),
    element("details", { class: "numbers" }, element("summary", {}, "Numbers"), shares_table(found, "word"))];
}

function columns_shown(found) {
  for (const part of found.parts) {
    const field = fields.get(part.name);
    if (field) field.closest("label").title = `${part.name}: ${told(part.share) || "0"}`;
  }
  return [element("h2", {}, "Column by column"), element("p", {}, found.sentence), shares_table(found, "column")];
}

function moments_shown(found) {
  const words = `What counts over ${told(found.seconds)} seconds: ${found.sentence}`;
  const shown = [element("h2", {}, "Moment by moment"), element("p", {}, found.sentence)];
  if (found.heard) shown.push(wide(found.heard, "What the network hears, low tones below", "What the network hears: time from left to right, low tones below."));
  shown.push(wide(found.map, words, "What moves its answer: bright moves it most."));
  return shown;
}

function wide(map, label, caption) {
  const canvas = heat(map, label);
  canvas.className = "wide tall";
  return element("figure", { class: "sound" }, canvas, element("figcaption", {}, caption));
}

/** Name, value and share, with a bar that goes right for the class and left against it. */
function shares_table(found, what) {
  const top = Math.max(...found.parts.map((part) => Math.abs(part.share ?? 0)), 1e-12);
  const ordered = found.parts.map((part, at) => [part, at]).sort(([a], [b]) => Math.abs(b.share ?? 0) - Math.abs(a.share ?? 0)).slice(0, 200);
  const with_values = found.parts.some((part) => part.value !== undefined);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `What each ${what} counts for` }, element("table", { class: "shares" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, what), with_values ? element("th", { scope: "col" }, "value") : null,
      element("th", { scope: "col" }, `against ${found.target} | for it`), element("th", { scope: "col", class: "number" }, "share"))),
    element("tbody", {}, ...ordered.map(([part]) => {
      const fill = element("div", { class: `fill ${part.share < 0 ? "against" : "for"}` });
      const width = (50 * Math.abs(part.share ?? 0)) / top;
      fill.style.width = `${width}%`;
      fill.style.marginLeft = part.share < 0 ? `${50 - width}%` : "50%";
      return element("tr", {}, element("th", { scope: "row" }, part.name), with_values ? element("td", {}, part.value || "missing") : null,
        element("td", { class: "share" }, fill), element("td", { class: "number" }, told(part.share) || "0"));
    }))));
}
