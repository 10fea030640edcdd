// Renews what is shown and keeps every element that stays. An element that is replaced between the press and the release of a mouse button
// loses the click, its focus, the text chosen in it and whatever was opened below it; a page that changes by itself must not do that.
const shown = new WeakMap(); // a place -> its elements by key

/**
 * Fills a place with one element a key.
 * @param place an element that nothing else fills
 * @param wanted [key, element] in the order to show; an element whose key is shown already becomes like the new one and keeps its own listeners
 * @returns the elements that are shown now, in this order
 */
export function renew(place, wanted) {
  const before = shown.get(place) || new Map(), now = new Map();
  for (const [key, fresh] of wanted) {
    let own = String(key);
    while (now.has(own)) own += "'"; // what is told twice is shown twice
    const held = before.get(own);
    if (held) become(held, fresh);
    now.set(own, held || fresh);
  }
  shown.set(place, now);
  const staying = new Set(now.values());
  for (const child of [...place.childNodes]) if (!staying.has(child)) child.remove();
  let next = place.firstChild;
  for (const each of staying) {
    if (each === next) next = next.nextSibling;
    else place.insertBefore(each, next);
  }
  return [...staying];
}

/** Makes an element look like a new one of the same name, changing only what differs; what somebody opened stays open. */
export function become(held, fresh) {
  if (held.isEqualNode(fresh)) return;
  for (const { name } of [...held.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) held.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (held.getAttribute(name) !== value) held.setAttribute(name, value);
  const before = [...held.childNodes], after = [...fresh.childNodes];
  after.forEach((child, at) => {
    const old = before[at];
    if (!old) held.append(child);
    else if (old.nodeName !== child.nodeName) old.replaceWith(child);
    else if (old.nodeType === Node.TEXT_NODE) { if (old.data !== child.data) old.data = child.data; }
    else become(old, child);
  });
  for (const old of before.slice(after.length)) old.remove();
}
