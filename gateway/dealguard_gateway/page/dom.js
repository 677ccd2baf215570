/**
 * Elements from data. Everything that a contract, a model or a person wrote reaches the document here, as text:
 * no module of the page writes markup.
 */

const SVG = "http://www.w3.org/2000/svg";

// Controls and marks of direction change what a reader sees, or hide words: a name must not read backwards.
const DECEIVING = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** @param {unknown} text @returns {string} The text without characters that only deceive. */
export function plain(text) {
  return String(text).replace(DECEIVING, "");
}

/**
 * @param {Element} element
 * @param {Record<string, unknown>} properties `class`, `dataset`, `on…` listeners, else attributes; false and null: none.
 * @param {unknown[]} children Elements and texts, nested lists too; null and false: none.
 */
function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name === "dataset") Object.assign(/** @type {HTMLElement} */ (element).dataset, value);
    else if (name === "value") /** @type {HTMLInputElement} */ (element).value = String(value);
    else element.setAttribute(name, value === true ? "" : plain(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : plain(child));
  }
}

/** An HTML element. @returns {HTMLElement} */
export function h(tag, properties = {}, ...children) {
  return /** @type {HTMLElement} */ (fill(document.createElement(tag), properties, children));
}

/** An SVG element. @returns {SVGElement} */
export function svg(tag, properties = {}, ...children) {
  return /** @type {SVGElement} */ (fill(document.createElementNS(SVG, tag), properties, children));
}

/** Put other children into an element. */
export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** A text in the direction of its own first letter. */
export function name(text, properties = {}) {
  return h("bdi", properties, text);
}

const ICONS = {
  upload: "M12 16V5m0 0-4 4m4-4 4 4M5 16v3h14v-3",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18",
  alert: "M12 4 2.8 19.5h18.4zM12 10v4m0 2.6v.2",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  file: "M7 3h7l5 5v13H7zM14 3v5h5",
  search: "M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L20 20",
  again: "M19 12a7 7 0 11-2-4.9M19 4v4h-4",
  trash: "M5 7h14M10 7V4h4v3m-7 0l1 13h8l1-13",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  width: "M4 12h16M4 12l3-3m-3 3l3 3M20 12l-3-3m3 3l-3 3",
  dots: "M5 12h.01M12 12h.01M19 12h.01",
  down: "M12 4v11m0 0l-4-4m4 4l4-4M5 19h14",
  clock: "M12 4a8 8 0 100 16 8 8 0 000-16zm0 4v4.5l3 2",
  stop: "M12 4a8 8 0 100 16 8 8 0 000-16zM6.5 6.5l11 11",
  cloud: "M7 18a4 4 0 01-.5-8A6 6 0 0118 9.500a4.300 4.300 0 01-.5 8.500z",
};

/** A small drawing that says nothing by itself: words stand beside it. */
export function icon(kind) {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: ICONS[kind] }),
  );
}

/** Say something to those who do not see the page. */
export function announce(text) {
  const place = document.getElementById("status");
  if (place) place.textContent = plain(text);
}
