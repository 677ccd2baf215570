/** Questions in front of the page: the browser's own modal dialog, so that focus and Escape behave as people know it. */

import { h } from "./dom.js";

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

/** A line that goes by itself. @param {string} text @param {{problem?: boolean}} [options] */
export function tell(text, { problem = false } = {}) {
  let place = document.getElementById("notes");
  if (!place) {
    place = h("div", { id: "notes", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  const note = h("p", { class: problem ? "note problem" : "note" }, text);
  place.append(note);
  setTimeout(() => note.remove(), 8000);
}
