// Where the values of a setting lie on an axis: numbers, in decades where they span many; or choices side by side.
import { told } from "./page.js";

const FEW = 6; // numbers that come again and again are choices, such as batch sizes
const DECADES = 30; // largest over smallest value from which an axis counts in decades

/**
 * The scale of some values.
 * @returns share(value): place from 0 to 1; at(share): value there, of numbers; names: the choices in their order, empty for numbers;
 *   ends: [place, words] to write beside the axis; log: whether it counts in decades
 */
export function scale(values) {
  const listed = [...new Set(values)];
  const numbers = values.every((value) => typeof value === "number") && !(listed.length > 1 && listed.length <= FEW && 2 * listed.length <= values.length);
  if (!numbers || listed.length < 2) {
    const names = listed.sort(order);
    const share = (value) => (names.length > 1 ? names.indexOf(value) / (names.length - 1) : 0.5);
    return { names, log: false, share, at: () => null, ends: names.length <= 8 ? names.map((name) => [share(name), said(name)]) : [[0, said(names[0])], [1, said(names[names.length - 1])]] };
  }
  const low = Math.min(...listed), high = Math.max(...listed);
  const log = low > 0 && high / low > DECADES;
  const share = log ? (value) => Math.log(value / low) / Math.log(high / low) : (value) => (value - low) / (high - low);
  const at = log ? (place) => low * (high / low) ** place : (place) => low + place * (high - low);
  return { names: [], log, share, at, ends: [[0, told(low)], [0.5, told(at(0.5))], [1, told(high)]] };
}

/** A setting's value in words. */
export function said(value) {
  return typeof value === "number" ? told(value) || "0" : String(value ?? "");
}

/** `optimizer.lr` -> `lr`, `optimizer.name` -> `optimizer`. */
export function short(key) {
  const parts = key.split(".");
  return parts[parts.length - 1] === "name" && parts.length > 1 ? parts[0] : parts[parts.length - 1];
}

/** The middle one of some numbers. */
export function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** A lower end that the worst few do not press the others flat with. */
export function floor(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[sorted.length - 1];
  return Math.max(sorted[0], high - 3 * (high - sorted[sorted.length >> 1]));
}

/** Numbers and lists of numbers by their size, then names by the alphabet. */
function order(a, b) {
  const size = (value) => (typeof value === "number" ? value : (String(value).match(/-?[\d.]+/g) || []).reduce((sum, part) => sum + Number(part), 0));
  const listed = (value) => typeof value === "number" || String(value).startsWith("[");
  if (listed(a) && listed(b)) return size(a) - size(b) || String(a).length - String(b).length;
  return listed(a) ? -1 : listed(b) ? 1 : String(a).localeCompare(String(b));
}
