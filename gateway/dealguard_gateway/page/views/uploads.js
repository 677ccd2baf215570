/** Where files are dropped, and what becomes of them. */

import { h, icon, name, replace } from "../dom.js";
import { size, t } from "../i18n.js";
import { address, go } from "../router.js";
import { UNDER_WAY } from "../uploads.js";
import { field, select } from "./parts.js";

const SIGNS = { accepted: "check", existed: "check", failed: "alert", cancelled: "stop" };

export class UploadArea {
  /** @param {{session: import("../session.js").Session, uploads: import("../uploads.js").Uploads}} context */
  constructor({ session, uploads }) {
    this.session = session;
    this.uploads = uploads;
    this.options = { engine: "auto", language: "auto", perspective: "" };
    this.places = session.organizations.filter((each) => each.mayUpload).map((each) => each.name);
    this.organization = this.places[0] ?? "";
    this.rows = new Map();
    this.list = h("ul", { class: "uploads", "aria-label": t("upload.files") });
    this.input = h("input", {
      type: "file",
      accept: "application/pdf,.pdf",
      multiple: true,
      hidden: true,
      onchange: () => {
        this.take([...this.input.files]);
        this.input.value = "";
      },
    });
    this.element = h("section", { class: "upload", "aria-labelledby": "upload-title" }, this.#zone(), this.list);
    this.changed = (event) => this.#show(event.detail);
    this.drag = (event) => this.#dragged(event);
    this.veil = h("div", { class: "veil", "aria-hidden": "true" }, h("p", {}, icon("upload"), t("upload.release")));
  }

  start() {
    this.uploads.addEventListener("change", this.changed);
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(type, this.drag);
    for (const item of [...this.uploads.items].reverse()) this.#show(item);
  }

  stop() {
    this.uploads.removeEventListener("change", this.changed);
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) document.removeEventListener(type, this.drag);
    this.veil.remove();
  }

  #zone() {
    return h(
      "div",
      { class: "zone" },
      h("div", { class: "zone-icon" }, icon("upload")),
      h(
        "div",
        { class: "zone-text" },
        h("h2", { id: "upload-title" }, t("upload.drop")),
        h("p", {}, t("upload.dropText", { size: size(this.session.maxPdfBytes) })),
      ),
      h("button", { type: "button", class: "primary", onclick: () => this.input.click() }, t("upload.choose")),
      this.input,
      this.#options(),
    );
  }

  #options() {
    const choice = (key, values) =>
      field(
        `upload-${key}`,
        t(`upload.${key}`),
        select(this.options[key], values.map((value) => [value, t(`upload.${key}.${value}`)]), (value) => {
          this.options[key] = value;
        }),
      );
    const perspective = h("input", {
      type: "text",
      maxlength: "120",
      autocomplete: "off",
      "aria-describedby": "perspective-help",
      oninput: () => {
        this.options.perspective = perspective.value.trim();
      },
    });
    return h(
      "details",
      { class: "zone-options" },
      h("summary", {}, t("upload.options")),
      h(
        "div",
        { class: "fields" },
        this.places.length > 1 &&
          field(
            "upload-organization",
            t("upload.organization"),
            select(this.organization, this.places.map((place) => [place, place]), (value) => {
              this.organization = value;
            }),
          ),
        choice("engine", ["auto", "claude", "rules"]),
        choice("language", ["auto", "de", "en"]),
        h(
          "div",
          { class: "field" },
          h("label", { for: "upload-perspective" }, t("upload.perspective")),
          Object.assign(perspective, { id: "upload-perspective" }),
          h("p", { id: "perspective-help", class: "help" }, t("upload.perspectiveHelp")),
        ),
      ),
    );
  }

  /** @param {DragEvent} event */
  #dragged(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    if (event.type === "drop") {
      this.veil.remove();
      this.take([...event.dataTransfer.files]);
    } else if (event.type === "dragleave" && event.relatedTarget === null) this.veil.remove();
    else if (event.type !== "dragleave" && !this.veil.isConnected) document.body.append(this.veil);
  }

  /** @param {File[]} files */
  async take(files) {
    if (!files.length) return;
    const alone = files.length === 1 && !this.uploads.busy;
    const options = { organization: this.organization, ...this.options };
    const [first] = await this.uploads.add(files, options, this.session.maxPdfBytes);
    if (alone) this.#follow(first);
  }

  /** Who uploads one contract wants to see that one. */
  #follow(item) {
    const open = () => {
      if (item.contract && this.element.isConnected) go(address(item.contract.id));
      if (item.contract || item.state === "failed" || item.state === "cancelled") {
        this.uploads.removeEventListener("change", open);
      }
    };
    this.uploads.addEventListener("change", open);
    open();
  }

  #show(item) {
    const there = this.rows.get(item.id);
    if (!this.uploads.items.includes(item)) {
      there?.remove();
      this.rows.delete(item.id);
      return;
    }
    const row = there ?? h("li", { class: "upload-row" });
    row.dataset.state = item.state;
    // Progress changes often: a button under the pointer or the focus must stay what it is.
    const shape = `${item.state} ${item.words}`;
    if (row.dataset.shape === shape) {
      const bar = row.querySelector("progress");
      if (bar) bar.value = item.percent;
      const words = row.querySelector(".upload-words");
      if (words) words.textContent = this.#words(item);
      return;
    }
    const focused = row.contains(document.activeElement);
    row.dataset.shape = shape;
    replace(row, this.#row(item));
    if (focused) row.querySelector("a, button")?.focus();
    if (!there) {
      const { items } = this.uploads;
      const next = items.slice(items.indexOf(item) + 1).find((each) => this.rows.has(each.id));
      this.rows.set(item.id, row);
      this.list.insertBefore(row, next ? this.rows.get(next.id) : null);
    }
  }

  #row(item) {
    const sending = UNDER_WAY.includes(item.state);
    const label = `${t("upload.files")}: ${item.file.name}`;
    const bar = item.state === "checking" ? { max: "100" } : { max: "100", value: String(item.percent) };
    return [
      h("span", { class: "upload-sign" }, icon(SIGNS[item.state] ?? "file")),
      h(
        "div",
        { class: "upload-what" },
        h("p", { class: "upload-name" }, name(item.file.name), h("span", { class: "muted" }, size(item.file.size))),
        h("p", { class: "upload-words", role: "status" }, this.#words(item)),
        sending && h("progress", { "aria-label": label, ...bar }),
      ),
      h("div", { class: "upload-actions" }, this.#actions(item, sending)),
    ];
  }

  #words(item) {
    if (item.words) return item.words;
    return t(`upload.${item.state}`, { percent: item.percent });
  }

  #actions(item, sending) {
    const button = (key, kind, act) => {
      const words = `${t(key)}: ${item.file.name}`;
      return h("button", { type: "button", class: "icon-button", "aria-label": words, title: t(key), onclick: act }, icon(kind));
    };
    if (sending) return button("upload.cancel", "cross", () => this.uploads.cancel(item));
    return [
      item.contract && h("a", { class: "button", href: address(item.contract.id), "aria-label": `${t("upload.open")}: ${item.file.name}` }, t("upload.open")),
      item.retryable && h("button", { type: "button", onclick: () => this.uploads.retry(item) }, t("upload.retry")),
      button("upload.remove", "cross", () => this.uploads.remove(item)),
    ];
  }
}
