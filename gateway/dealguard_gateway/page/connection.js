/** Whether the gateway answers: one small line tells when it does not, and goes by itself. */

import { onAnswer } from "./api.js";
import { h, icon, replace } from "./dom.js";
import { t } from "./i18n.js";

/** How long to wait after the n-th failure in a row, in seconds. */
export function backOffSeconds(failures) {
  return Math.min(30, 3 * 2 ** Math.max(0, failures - 1));
}

export class Connection {
  constructor() {
    this.element = h("div", { class: "connection", role: "status" });
    this.failures = 0;
    /** @type {Set<() => void>} */
    this.returned = new Set();
    onAnswer((answered) => this.#heard(answered));
    window.addEventListener("offline", () => this.show());
    window.addEventListener("online", () => {
      this.show();
      for (const listener of this.returned) listener();
    });
  }

  #heard(answered) {
    const before = this.failures;
    this.failures = answered ? 0 : this.failures + 1;
    if ((before === 0) !== (this.failures === 0)) this.show();
  }

  show() {
    const words = !navigator.onLine ? t("offline") : this.failures ? t("disconnected") : null;
    this.element.classList.toggle("shown", words !== null);
    replace(this.element, words && [icon("cloud"), h("span", {}, words)]);
  }
}
