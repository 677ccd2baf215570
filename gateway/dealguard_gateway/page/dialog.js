/** Questions in front of the page: the browser's own modal dialog, so that focus and Escape behave as people know it. */

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

// Long enough to read a line.
const NOTE_MS = 8000;

/**
 * @param {{title: string, content: unknown, actions?: unknown, dismissable?: boolean, onclose?: () => void}} of
 * @returns {HTMLDialogElement} Open; its `close()` removes it and gives the focus back.
 */
export function openDialog({ title, content, actions = null, dismissable = true, onclose = () => {} }) {
  const before = document.activeElement;
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog",
      { class: "dialog", "aria-labelledby": "dialog-title" },
      h("h2", { id: "dialog-title", tabindex: "-1" }, title),
      content,
      actions && h("div", { class: "dialog-actions" }, actions),
    )
  );
  dialog.addEventListener("cancel", (event) => {
    if (!dismissable) event.preventDefault();
  });
  // Chromium lets a second Escape through even where the first was refused.
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !dismissable) event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
    onclose();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * @param {{title: string, content: unknown, yes: string, no: string}} of
 * @returns {Promise<boolean>} Whether the person said yes.
 */
export function confirm({ title, content, yes, no }) {
  return new Promise((resolve) => {
    let answer = false;
    const dialog = openDialog({
      title,
      content,
      actions: [
        h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, no),
        h(
          "button",
          {
            type: "button",
            class: "danger",
            onclick: () => {
              answer = true;
              dialog.close();
            },
          },
          yes,
        ),
      ],
      onclose: () => resolve(answer),
    });
  });
}

/**
 * A line that goes by itself; one of a problem stays until it is closed, because it says what to do.
 * @param {unknown} text @param {{problem?: boolean}} [options]
 */
export function tell(text, { problem = false } = {}) {
  let place = document.getElementById("notes");
  if (!place) {
    place = h("div", { id: "notes", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  const words = h("p", {}, text);
  const close = () => note.remove();
  const note = h(
    "div",
    { class: problem ? "note problem" : "note" },
    words,
    problem && h("button", { type: "button", class: "icon-button", "aria-label": t("app.close"), onclick: close }, icon("cross")),
  );
  // The same again is said once.
  for (const other of [...place.children]) if (other.firstElementChild?.textContent === words.textContent) other.remove();
  place.append(note);
  if (!problem) setTimeout(close, NOTE_MS);
}
