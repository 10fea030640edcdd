// The form that starts a training, and what was started from here.
import { answer, element, get, post } from "./page.js";

const place = (id) => document.getElementById(id);

function settings() {
  const found = {};
  for (const line of place("settings").value.split("\n").map((each) => each.trim()).filter(Boolean)) {
    const [, key, text] = line.match(/^([^=\s]+)\s*=\s*(.*)$/) || [];
    if (!key) throw new Error(`“${line}” is no line of the form key = value`);
    let value = text;
    try {
      const read = JSON.parse(text);
      if (["number", "boolean"].includes(typeof read)) value = read;
    } catch {
      value = text; // a word, such as adam
    }
    found[key] = value;
  }
  return found;
}

place("start").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [kind, ...rest] = place("source").value.split(":");
  try {
    await post("/start", { [kind]: rest.join(":"), name: place("name").value.trim(), settings: settings() });
    answer(place("answer"), "Started. It appears in the list of runs in some seconds.");
    await show();
  } catch (error) {
    answer(place("answer"), error.message[0].toUpperCase() + error.message.slice(1) + ".", false);
  }
});

let last = "";
async function show() {
  const { processes } = await get("/processes.json");
  const text = JSON.stringify(processes);
  if (text === last) return;
  last = text;
  place("processes").replaceChildren(...(processes.length ? processes.map((each) => element("section", { class: "process" },
    element("p", {}, element("code", {}, each.command)),
    element("p", { class: each.code ? "bad" : "quiet" }, each.code === null ? "running" : each.code === 0 ? "came to its end" : `ended with code ${each.code}`),
    each.words ? element("pre", { tabindex: "0", "aria-label": "What it said" }, each.words) : null)) : [element("p", { class: "quiet" }, "Nothing yet.")]));
}
await show();
setInterval(() => { if (document.visibilityState === "visible") show().catch(() => {}); }, 2000);
