// The answers of a network as a page shows them: the most probable classes as bars, and every layer as maps or units.

import { bytes } from "/static/pad.js";
import { element, told } from "/static/page.js";

// Cividis, which looks the same to colour-blind eyes (Nunez, Anderton and Renslow 2018), at nine places.
const SHADES = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#fee838"].map(
  (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)),
);
/** Every layer as a section that opens and closes; sections that somebody closed stay closed. */
export function layers(place, told_layers, tile = (layer, map) => heat(map, `map ${map.channel} of ${layer.name}, from ${told(map.low) || "0"} to ${told(map.high) || "0"}`)) {
  const closed = new Set([...place.querySelectorAll("details:not([open])")].map((each) => each.dataset.name));
  const wide = told_layers.some((layer) => layer.wide);
  place.replaceChildren(...(wide ? [element("p", { class: "quiet" }, "What came first stands on the left; a row is a unit, and bright is large.")] : []),
    ...told_layers.map((layer) => section(layer, !closed.has(layer.name), tile)));
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
  const about = `${layer.kind}, ${layer.shape.join(" × ")}, from ${told(layer.low)} to ${told(layer.high)}`;
  const box = element("details", { class: "layer", open, "data-name": layer.name },
    element("summary", {}, element("b", {}, layer.name), element("span", { class: "quiet" }, ` ${about}`)));
  if (layer.maps) {
    box.append(element("div", { class: "maps" }, ...layer.maps.map((map) => tile(layer, map))));
    if (layer.shape[0] > layer.maps.length) box.append(element("p", { class: "quiet" }, `The ${layer.maps.length} most excited of ${layer.shape[0]} maps, each from its own smallest to its largest value.`));
  } else if (layer.wide) {
    const canvas = heat(layer.wide, `${layer.name}, ${layer.shape.join(" × ")}, from ${told(layer.low) || "0"} to ${told(layer.high) || "0"}`);
    canvas.className = "wide";
    box.append(canvas);
  } else {
    box.append(units(layer));
  }
  return box;
}

function units(layer) {
  const values = layer.units.map((value) => value ?? 0);
  const largest = Math.max(...values.map(Math.abs), 1e-12);
  const canvas = element("canvas", { class: "units", width: values.length, height: 24, role: "img",
    "aria-label": `${values.length} units of ${layer.name}, from ${told(layer.low)} to ${told(layer.high)}` });
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  values.forEach((value, at) => {
    pen.fillStyle = style.getPropertyValue(value < 0 ? "--orange" : "--blue");
    const height = Math.max((12 * Math.abs(value)) / largest, value === 0 ? 0 : 0.5);
    pen.fillRect(at, value < 0 ? 12 : 12 - height, 1, height);
  });
  return element("div", {}, canvas, element("p", { class: "quiet" }, `${values.length < layer.shape.reduce((a, b) => a * b, 1) ? `The first ${values.length} units` : "All units"}, blue above zero, orange below.`));
}

/** A map as a picture; its words are for those who do not see it. */
export function heat(map, label) {
  const canvas = element("canvas", { class: "map", width: map.width, height: map.height, role: "img", "aria-label": label, title: label });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(map.width, map.height);
  bytes(map.pixels).forEach((value, at) => {
    const place = (value / 255) * (SHADES.length - 1);
    const low = Math.floor(place);
    const high = Math.min(low + 1, SHADES.length - 1);
    for (let c = 0; c < 3; c += 1) image.data[4 * at + c] = SHADES[low][c] + (SHADES[high][c] - SHADES[low][c]) * (place - low);
    image.data[4 * at + 3] = 255;
  });
  pen.putImageData(image, 0, 0);
  return canvas;
}
