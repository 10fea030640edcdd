// A table whose heads sort it, and which shows the first rows first, so that thousands of rows cost no more than a hundred.
import { element } from "./page.js";
import { renew } from "./renew.js";

const FIRST = 100;

/**
 * @param table an empty table element
 * @param options heads: names; rows: any values; key(row): its name, under which it stays the same row; cell(row, column): text or element;
 *   value(row, column): what to sort by; sort: [column, 1 or -1];
 *   lead(row): a cell before all others, or nothing; pointed(row): called for the row under the mouse or with the focus, and with null when it is left
 * @returns show(rows, stay): shows these rows instead, as many as were shown where ``stay``
 */
export function sortable(table, options) {
  let rows = options.rows;
  let [column, direction] = options.sort || [0, 1];
  let most = FIRST;
  const told_by = new WeakMap(); // a line of the table -> the row it tells of now
  const to = (event) => options.pointed(told_by.get(event.currentTarget) ?? null), away = () => options.pointed(null);
  const pointing = options.pointed ? { onpointerenter: to, onpointerleave: away, onfocusin: to, onfocusout: away } : {};
  const body = element("tbody");
  const more = element("button", { type: "button", onclick: () => { most += 10 * FIRST; fill(); } });
  const heads = options.heads.map((name, place) => element("th", { scope: "col" },
    element("button", { type: "button", class: "sort", onclick: () => { direction = place === column ? -direction : 1; column = place; fill(); options.sorted?.(column, direction); } }, name)));
  table.replaceChildren(element("thead", {}, element("tr", {}, ...(options.lead ? [element("th", { scope: "col" }, element("span", { class: "unseen" }, "choose"))] : []), ...heads)), body);
  (table.closest(".scroll") || table).after(more);

  function fill() {
    const sorted = [...rows].sort((a, b) => direction * compared(options.value(a, column), options.value(b, column), direction));
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    const numeric = options.heads.map((_, place) => rows.some((row) => typeof options.value(row, place) === "number"));
    const held = body.contains(document.activeElement) ? document.activeElement : null;
    const told = sorted.slice(0, most);
    renew(body, told.map((row) => [options.key(row), element("tr", pointing,
      options.lead ? element("td", {}, options.lead(row)) : null,
      ...options.heads.map((_, place) => element("td", numeric[place] ? { class: "number" } : {}, options.cell(row, place) ?? "")))]))
      .forEach((line, place) => told_by.set(line, told[place]));
    if (held !== document.activeElement && held?.isConnected) held.focus(); // a row that moved up or down takes the focus with it
    more.hidden = sorted.length <= most;
    more.textContent = `Show more (${(sorted.length - most).toLocaleString("en-US")} are left)`;
  }
  fill();
  return (shown, stay = false) => { rows = shown; if (!stay) most = FIRST; fill(); };
}

/** Numbers before words, empty cells last whichever way it is sorted. */
function compared(a, b, direction) {
  const emptyA = a === null || a === undefined || a === "", emptyB = b === null || b === undefined || b === "";
  if (emptyA || emptyB) return direction * (emptyA - emptyB);
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b, undefined, { numeric: true });
}
