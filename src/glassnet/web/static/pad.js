// A place to draw on: with mouse, finger or pen, or with the keyboard (arrow keys move the pen, space lowers and lifts it).

import { element } from "/static/page.js";

const SIDE = 280;
const BRUSH = 20;
const STEP = 8;

/**
 * Puts a pad and its buttons into a place.
 * @param {HTMLElement} place
 * @param {{image: boolean, channels: number, height: number, width: number}} facts
 * @param {(question: object | null) => void} changed called with what is to be asked, or null where all was wiped out
 * @returns {{question: () => object | null, problem: (words: string) => void}}
 */
export function pad(place, facts, changed) {
  const canvas = element("canvas", {
    class: "pad", width: SIDE, height: SIDE, tabindex: 0, role: "application",
    "aria-label": "Drawing pad. Arrow keys move the pen, space lowers and lifts it, delete wipes.",
    "aria-describedby": "pad-help",
  });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const dark = element("input", { type: "checkbox", id: "dark" });
  const centre = element("input", { type: "checkbox", id: "centre" });
  dark.checked = facts.dark;
  centre.checked = facts.channels === 1;
  const file = element("input", { type: "file", id: "file", accept: "image/*" });
  const problem = element("p", { class: "bad", role: "alert" });
  let given = null;
  let drawn = false;
  let keys = { x: SIDE / 2, y: SIDE / 2, down: false };
  let last = null;

  function wipe() {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, SIDE, SIDE);
    drawn = false;
    given = null;
    file.value = "";
    problem.textContent = "";
  }

  function stroke(from, to) {
    pen.strokeStyle = "#fff";
    pen.lineWidth = BRUSH;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x + 0.01, to.y);
    pen.stroke();
    drawn = true;
    given = null;
    problem.textContent = "";
    changed(question());
  }

  function question() {
    if (given) return { file: given };
    if (!drawn) return null;
    const content = pen.getImageData(0, 0, SIDE, SIDE).data;
    const ink = new Uint8Array(SIDE * SIDE);
    for (let i = 0; i < ink.length; i += 1) ink[i] = content[4 * i];
    return { pixels: base64(ink), width: SIDE, height: SIDE, dark: dark.checked, centre: centre.checked };
  }

  function at(event) {
    const box = canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) * SIDE) / box.width, y: ((event.clientY - box.top) * SIDE) / box.height };
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last === null) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const next = at(each);
      stroke(last, next);
      last = next;
    }
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") {
      keys.down = !keys.down;
      if (keys.down) stroke(keys, keys);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      wipe();
      changed(null);
    } else if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      const next = { ...keys, x: clamp(keys.x + dx * STEP), y: clamp(keys.y + dy * STEP) };
      if (keys.down) stroke(keys, next);
      keys = next;
    } else {
      return;
    }
    place_of_pen.textContent = `pen ${keys.down ? "down" : "up"}, column ${Math.round(keys.x / STEP)}, row ${Math.round(keys.y / STEP)}`;
    event.preventDefault();
  });
  const place_of_pen = element("span", { class: "unseen", role: "status", "aria-live": "polite" });
  const clear = element("button", { type: "button", onclick: () => { wipe(); changed(null); } }, "Wipe");
  for (const box of [dark, centre]) box.addEventListener("change", () => changed(question()));
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    if (chosen.size > 12 * 1024 * 1024) {
      problem.textContent = "This file is larger than 12 MB.";
      return;
    }
    const content = new Uint8Array(await chosen.arrayBuffer());
    wipe();
    given = base64(content);
    changed(question());
  });
  wipe();
  place.append(
    canvas,
    element("p", { class: "quiet", id: "pad-help" }, "Draw with mouse, finger or pen; or with the arrow keys, where space lowers and lifts the pen."),
    element("div", { class: "bar" }, clear, element("label", { for: "file" }, "or a picture: ", file)),
    element("div", { class: "bar" },
      element("label", {}, centre, " bring it to the middle and to the size of MNIST’s digits"),
      element("label", {}, dark, " the network knows dark on light")),
    problem, place_of_pen,
  );
  return { question, problem: (words) => { problem.textContent = words; } };
}

/** Bytes in base64. */
export function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/** Bytes from base64. */
export function bytes(text) {
  const letters = atob(text), made = new Uint8Array(letters.length);
  for (let i = 0; i < made.length; i += 1) made[i] = letters.charCodeAt(i);
  return made;
}

/** Calls one question at a time; of those that come meanwhile only the last is asked. */
export function latest(ask) {
  let busy = false;
  let waiting = null;
  return async function next(question) {
    if (busy) {
      waiting = { question };
      return;
    }
    busy = true;
    try {
      await ask(question);
    } finally {
      busy = false;
      if (waiting) {
        const { question: later } = waiting;
        waiting = null;
        next(later);
      }
    }
  };
}

function clamp(value) {
  return Math.min(Math.max(value, 0), SIDE);
}
