// Look inside: every layer answers to what is drawn.

import { bar, heat, layers as layer_rows, range } from "/static/layers.js";
import { element, post, told } from "/static/page.js";
import { bytes, latest, pad } from "/static/pad.js";

const main = document.getElementById("inside");
const facts = JSON.parse(main.dataset.facts);
const here = main.dataset.here;
const top_place = document.getElementById("top");
const layers_place = document.getElementById("layers");
const words = document.getElementById("words");
const seen = document.getElementById("seen");
const show_saliency = document.getElementById("saliency");
const saliency_place = document.getElementById("saliency-place");
const taken = document.getElementById("taken");
const speed = document.getElementById("speed");
let asked = null;
let shown = null;

const board = pad(document.getElementById("pad"), facts, (question) => {
  asked = question;
  if (question) ask(question);
  else clear();
});

const ask = latest(async (question) => {
  words.textContent ||= "Opening the network…";
  const begun = performance.now();
  try {
    shown = await post(`${here}/inside.json`, question);
  } catch (error) {
    board.problem(error.message);
    clear();
    return;
  }
  if (asked === null) return; // wiped meanwhile
  draw(shown);
  speed.textContent = `answered in ${Math.round(performance.now() - begun)} ms`;
  main.dataset.answered = String(Number(main.dataset.answered || 0) + 1);
  if (show_saliency.getAttribute("aria-pressed") === "true") await look(question);
});

function clear() {
  shown = null;
  words.textContent = "";
  speed.textContent = "";
  for (const place of [top_place, layers_place, seen, saliency_place, taken]) place.replaceChildren();
}

function draw(answer) {
  words.textContent = answer.sentence;
  seen.replaceChildren(picture(answer.input), element("span", { class: "quiet" }, `what the network is given: ${answer.input.width} × ${answer.input.height} pixels`));
  top_place.replaceChildren(...answer.top.map(bar));
  layer_rows(layers_place, answer.layers, tile);
}

/** A map of a layer; under a convolution a button that takes the pixel one points at apart. */
function tile(layer, map) {
  const words = () => `map ${map.channel} of ${layer.name}, ${range(map)}`;
  const canvas = heat(map, words());
  const paint = (...now) => { [layer, map] = now; heat(map, words(), canvas); };
  if (!layer.kind.startsWith("Conv")) return { node: canvas, show: paint };
  const button = element("button", { type: "button", class: "tile" }, canvas);
  const name = () => button.setAttribute("aria-label", `${words()}: take a pixel apart`);
  name();
  const middle = () => ({ row: Math.floor(map.height / 2) * map.step, column: Math.floor(map.width / 2) * map.step });
  const pixel = (event) => {
    const box = canvas.getBoundingClientRect();
    const inside = (place, length, count) => Math.min(Math.max(Math.floor((place / length) * count), 0), count - 1);
    return {
      row: inside(event.clientY - box.top, box.height, map.height) * map.step,
      column: inside(event.clientX - box.left, box.width, map.width) * map.step,
    };
  };
  button.addEventListener("pointermove", (event) => apart(layer, map, pixel(event)));
  button.addEventListener("click", (event) => apart(layer, map, event.detail ? pixel(event) : { ...middle(), ...place_of.get(canvas) }));
  button.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!moves) return;
    event.preventDefault();
    const at = place_of.get(canvas) || middle();
    apart(layer, map, {
      row: Math.min(Math.max(at.row + moves[0] * map.step, 0), layer.shape[1] - 1),
      column: Math.min(Math.max(at.column + moves[1] * map.step, 0), layer.shape[2] - 1),
    }, canvas);
  });
  return { node: button, show: (...now) => { paint(...now); name(); } };
}

const place_of = new WeakMap();

function apart(layer, map, place, canvas = null) {
  if (canvas) place_of.set(canvas, place);
  if (asked) take_apart({ ...asked, layer: layer.name, channel: map.channel, ...place });
}

const take_apart = latest(async (question) => {
  let found;
  try {
    found = await post(`${here}/window.json`, question);
  } catch (error) {
    taken.replaceChildren(element("p", { class: "bad" }, error.message));
    return;
  }
  const rows = found.channels.map((each) => element("div", { class: "products" },
    element("span", { class: "quiet" }, `from map ${each.input}`),
    grid(each.window, "what it sees"), element("span", { class: "sign", "aria-hidden": "true" }, "×"),
    grid(each.weights, "weights"), element("span", { class: "sign", "aria-hidden": "true" }, "="),
    grid(each.products, "products"), element("span", { class: "sign" }, `Σ ${told(each.sum)}`)));
  const others = found.count - found.channels.length;
  taken.replaceChildren(
    element("h3", {}, `${found.layer}, map ${found.channel}, row ${found.row}, column ${found.column}`),
    element("p", {}, `${told(found.value)} = ${found.channels.map((each) => told(each.sum)).join(" + ")}`
      + (others > 0 ? ` + ${told(found.rest) || "0"} from ${others} other maps` : "") + ` + bias ${told(found.bias) || "0"}.`),
    ...rows,
  );
});

function grid(values, name) {
  return element("table", { class: "grid", "aria-label": name },
    element("caption", {}, name),
    element("tbody", {}, ...values.map((row) => element("tr", {}, ...row.map((value) => element("td", { class: value < 0 ? "below" : "" }, told(value) || "0"))))));
}

function picture(input) {
  const canvas = element("canvas", { class: "given", width: input.width, height: input.height, role: "img", "aria-label": "the picture as the network is given it" });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(input.width, input.height);
  const pixels = bytes(input.pixels);
  const count = input.width * input.height;
  for (let at = 0; at < count; at += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * at + c] = pixels[(input.channels === 3 ? c : 0) * count + at];
    image.data[4 * at + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

async function look(question) {
  try {
    const found = await post(`${here}/saliency.json`, question);
    saliency_place.replaceChildren(heat(found.map, found.sentence), element("p", {}, found.sentence));
  } catch (error) {
    saliency_place.replaceChildren(element("p", { class: "bad" }, error.message));
  }
}

show_saliency.addEventListener("click", async () => {
  const on = show_saliency.getAttribute("aria-pressed") !== "true";
  show_saliency.setAttribute("aria-pressed", String(on));
  if (!on) saliency_place.replaceChildren();
  else if (asked) await look(asked);
});
