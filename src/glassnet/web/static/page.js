// Small helpers of all pages. Texts enter the page by textContent only, so what a run's files say is never taken for HTML.

/** An element with attributes and children; a child that is text becomes a text node. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** JSON from this server; throws an Error with its words. */
export async function get(address) {
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  return unpacked(answer);
}

/** Sends JSON in the way that the guard asks for. */
export async function post(address, body = {}) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", "x-glassnet": "1" },
    body: JSON.stringify(body),
  });
  return unpacked(answer);
}

async function unpacked(answer) {
  let content = {};
  try {
    content = await answer.json();
  } catch {
    content = {};
  }
  if (!answer.ok) {
    const words = content.error || `the page's process answered ${answer.status}`;
    throw new Error(content.fix ? `${words} (${content.fix})` : words);
  }
  return content;
}

/** A number for people: three significant digits, an exponent only where it is very small or very large. */
export function told(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(2).replace("e+", "e").replace(/\.?0+e/, "e");
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** How long ago, in words. */
export function ago(seconds) {
  const past = Date.now() / 1000 - seconds;
  if (past < 60) return "just now";
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** A few words behind a button that just acted. */
export function answer(place, words, good = true) {
  place.textContent = words;
  place.className = good ? "quiet" : "bad";
}
