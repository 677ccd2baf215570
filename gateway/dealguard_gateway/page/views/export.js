/** The report in other forms: a small menu of links, which browsers and keyboards know. */

import { contractPath } from "../api.js";
import { h, icon } from "../dom.js";
import { language, t } from "../i18n.js";
import { fileName } from "./parts.js";

/** @param {any} contract @param {() => void} print */
export function exportMenu(contract, print) {
  const stem = fileName(contract).replace(/\.pdf$/i, "");
  const report = (format, ending, key) =>
    h(
      "a",
      {
        href: contractPath(contract.id, `/report?${new URLSearchParams({ format, language: language() })}`),
        download: `${stem}.${ending}`,
      },
      t(key),
    );
  const menu = h(
    "details",
    { class: "menu" },
    h("summary", { id: "export", class: "button" }, icon("down"), h("span", {}, t("contract.export"))),
    h(
      "ul",
      {},
      h("li", {}, h("button", { type: "button", onclick: () => { close(); print(); } }, t("contract.print"))),
      h("li", {}, report("markdown", "md", "contract.markdown")),
      h("li", {}, report("html", "html", "contract.html")),
      h("li", {}, report("json", "json", "contract.json")),
      h("li", {}, h("a", { href: contractPath(contract.id, "/document"), download: fileName(contract) }, t("contract.original"))),
    ),
  );
  const close = () => menu.removeAttribute("open");
  menu.addEventListener("keydown", (event) => {
    if (/** @type {KeyboardEvent} */ (event).key !== "Escape" || !menu.hasAttribute("open")) return;
    close();
    menu.querySelector("summary")?.focus();
  });
  menu.addEventListener("focusout", (event) => {
    const to = /** @type {FocusEvent} */ (event).relatedTarget;
    if (to && !menu.contains(/** @type {Node} */ (to))) close();
  });
  const outside = (event) => {
    if (!menu.contains(/** @type {Node} */ (event.target))) close();
  };
  menu.addEventListener("toggle", () => {
    if (menu.hasAttribute("open")) document.addEventListener("pointerdown", outside);
    else document.removeEventListener("pointerdown", outside);
  });
  menu.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest("a")) close();
  });
  return menu;
}
