// The answers of a network as a page shows them: the most probable classes as bars, and every layer as maps or units.

import { bytes } from "/static/pad.js";
import { element, told } from "/static/page.js";

// Cividis, which looks the same to colour-blind eyes (Nunez, Anderton and Renslow 2018), at nine places.
const SHADES = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#fee838"].map(
  (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)),
);
const SHADE = new Uint32Array(256); // the colour of each brightness, as a canvas holds it
{
  const parts = new Uint8ClampedArray(SHADE.buffer);
  for (let value = 0; value < 256; value += 1) {
    const at = (value / 255) * (SHADES.length - 1);
    const low = Math.floor(at), high = Math.min(low + 1, SHADES.length - 1);
    for (let c = 0; c < 3; c += 1) parts[4 * value + c] = SHADES[low][c] + (SHADES[high][c] - SHADES[low][c]) * (at - low);
    parts[4 * value + 3] = 255;
  }
}
const drawn = new WeakMap(); // a place -> what is shown there, and a function a layer that shows other values in it

/**
 * Every layer as a section that opens and closes. The same layers told again are painted into what is there: a hundred new canvases a stroke
 * would cost more than the network itself, and a click or the focus on one of them would be lost.
 * @param tile makes {node, show(layer, map)} of a layer and one of its maps
 */
export function layers(place, told_layers, tile = plain) {
  const kinds = told_layers.map((layer) => `${layer.name} ${layer.shape} ${layer.maps ? layer.maps.length : Boolean(layer.wide)}`).join("\n");
  const held = drawn.get(place);
  if (held?.kinds === kinds && place.childElementCount) {
    told_layers.forEach((layer, at) => held.show[at](layer));
    return;
  }
  const closed = new Set([...place.querySelectorAll("details:not([open])")].map((each) => each.dataset.name));
  const wide = told_layers.some((layer) => layer.wide);
  const sections = told_layers.map((layer) => section(layer, !closed.has(layer.name), tile));
  place.replaceChildren(...(wide ? [element("p", { class: "quiet" }, "What came first stands on the left; a row is a unit, and bright is large.")] : []),
    ...sections.map(({ node }) => node));
  drawn.set(place, { kinds, show: sections.map(({ show }) => show) });
}

/** From where to where values go, in words. */
export function range(each) {
  return `from ${told(each.low) || "0"} to ${told(each.high) || "0"}`;
}

function plain(layer, map) {
  const words = (layer, map) => `map ${map.channel} of ${layer.name}, ${range(map)}`;
  const node = heat(map, words(layer, map));
  return { node, show: (layer, map) => heat(map, words(layer, map), node) };
}

/** A class with its probability, or a value by its name: a row of a table. */
export function bar(each) {
  if (each.share === undefined) return element("tr", {}, element("th", { scope: "row" }, each.name), element("td", { class: "number" }, told(each.value)));
  const fill = element("div", { class: "fill" });
  fill.style.width = `${100 * each.share}%`;
  return element("tr", {},
    element("th", { scope: "row" }, each.name),
    element("td", { class: "share" }, fill),
    element("td", { class: "number" }, `${(100 * each.share).toFixed(1)} %`));
}

function section(layer, open, tile) {
  const about = element("span", { class: "quiet" });
  const node = element("details", { class: "layer", open, "data-name": layer.name },
    element("summary", {}, element("b", {}, layer.name), about));
  const parts = layer.maps ? maps(layer, tile) : layer.wide ? wide_map() : units();
  node.append(...parts.nodes);
  const show = (layer) => {
    about.textContent = ` ${layer.kind}, ${layer.shape.join(" × ")}, from ${told(layer.low)} to ${told(layer.high)}`;
    parts.show(layer);
  };
  show(layer);
  return { node, show };
}

function maps(layer, tile) {
  const tiles = layer.maps.map((map) => tile(layer, map));
  const nodes = [element("div", { class: "maps" }, ...tiles.map(({ node }) => node))];
  if (layer.shape[0] > layer.maps.length) nodes.push(element("p", { class: "quiet" }, `The ${layer.maps.length} most excited of ${layer.shape[0]} maps, each from its own smallest to its largest value.`));
  return { nodes, show: (layer) => layer.maps.forEach((map, at) => tiles[at].show(layer, map)) };
}

function wide_map() {
  const canvas = element("canvas", { role: "img" });
  return { nodes: [canvas], show: (layer) => { heat(layer.wide, `${layer.name}, ${layer.shape.join(" × ")}, ${range(layer)}`, canvas).className = "wide"; } };
}

function units() {
  const canvas = element("canvas", { class: "units", height: 24, role: "img" });
  const words = element("p", { class: "quiet" });
  return { nodes: [element("div", {}, canvas, words)], show: (layer) => {
    const values = layer.units.map((value) => value ?? 0);
    const largest = Math.max(...values.map(Math.abs), 1e-12);
    canvas.width = values.length; // wipes it too
    canvas.setAttribute("aria-label", `${values.length} units of ${layer.name}, from ${told(layer.low)} to ${told(layer.high)}`);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const style = getComputedStyle(document.documentElement);
    const [above, below] = ["--blue", "--orange"].map((name) => style.getPropertyValue(name));
    values.forEach((value, at) => {
      pen.fillStyle = value < 0 ? below : above;
      const height = Math.max((12 * Math.abs(value)) / largest, value === 0 ? 0 : 0.5);
      pen.fillRect(at, value < 0 ? 12 : 12 - height, 1, height);
    });
    words.textContent = `${values.length < layer.shape.reduce((a, b) => a * b, 1) ? `The first ${values.length} units` : "All units"}, blue above zero, orange below.`;
  } };
}

/** A map as a picture, in a canvas of its own or painted anew into one; its words are for those who do not see it. */
export function heat(map, label, canvas = element("canvas", { class: "map", role: "img" })) {
  if (canvas.width !== map.width || canvas.height !== map.height) [canvas.width, canvas.height] = [map.width, map.height];
  canvas.setAttribute("aria-label", label);
  canvas.title = label;
  const pen = canvas.getContext("2d", { willReadFrequently: true }); // kept beside the processor, which fills it
  const image = pen.createImageData(map.width, map.height);
  const shades = new Uint32Array(image.data.buffer);
  bytes(map.pixels).forEach((value, at) => { shades[at] = SHADE[value]; });
  pen.putImageData(image, 0, 0);
  return canvas;
}
