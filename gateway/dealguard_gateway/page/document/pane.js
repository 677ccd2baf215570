/** The document with its tools: pages, zoom, keys. PDF.js is fetched when the first document is opened. */

import { logInAgain } from "../api.js";
import { announce, h, icon, replace } from "../dom.js";
import { numeral, t } from "../i18n.js";

const ZOOM_STEP = 1.2;
const MOST_ZOOM = 6;
const RESIZE_MS = 120;

export class PdfPane {
  /** @param {string} url @param {() => void} close */
  constructor(url, close) {
    this.url = url;
    this.close = close;
    this.fits = true;
    this.scroller = h("div", { class: "pdf-pages", tabindex: "0", role: "document", "aria-label": t("document.title"), onkeydown: (event) => this.#key(event) });
    this.note = h("p", { class: "pdf-note", hidden: true });
    this.field = h("input", {
      type: "text",
      inputmode: "numeric",
      value: "1",
      size: "3",
      "aria-label": t("document.page"),
      onchange: () => this.viewer?.go(Number.parseInt(this.field.value, 10) || this.viewer.current),
      onfocus: () => this.field.select(),
    });
    this.total = h("span", { class: "muted" });
    this.percent = h("span", { class: "pdf-percent" });
    this.element = h("div", { class: "pdf" }, this.#tools(), this.note, this.scroller);
    this.resized = new ResizeObserver(() => {
      clearTimeout(this.resizing);
      this.resizing = setTimeout(() => this.fits && this.#fit(), RESIZE_MS);
    });
    this.opening = this.#open();
  }

  #tools() {
    const tool = (key, kind, act) =>
      h("button", { type: "button", class: "icon-button", title: t(key), "aria-label": t(key), onclick: act }, icon(kind));
    return h(
      "div",
      { class: "pdf-tools", role: "toolbar", "aria-label": t("document.title") },
      h("button", { type: "button", class: "pdf-close", onclick: this.close }, icon("back"), h("span", {}, t("document.close"))),
      h(
        "div",
        { class: "pdf-paging" },
        tool("document.previous", "back", () => this.#turn(-1)),
        this.field,
        this.total,
        tool("document.next", "next", () => this.#turn(1)),
      ),
      h(
        "div",
        { class: "pdf-zoom" },
        tool("document.zoomOut", "minus", () => this.#zoom(1 / ZOOM_STEP)),
        this.percent,
        tool("document.zoomIn", "plus", () => this.#zoom(ZOOM_STEP)),
        tool("document.fit", "width", () => this.#fit()),
      ),
    );
  }

  async #open() {
    replace(this.scroller, h("p", { class: "muted loading" }, t("document.loading")));
    try {
      const { Viewer } = await import("./viewer.js");
      this.viewer = new Viewer(this.scroller, (page) => this.#at(page), (error) => this.#failed(error));
      const pages = await this.viewer.open(this.url);
      this.total.textContent = t("document.of", { pages: numeral(pages) });
      this.#fit();
      this.resized.observe(this.scroller);
    } catch (error) {
      await this.#failed(error);
    }
  }

  /** A session that has ended is renewed by the person; what else is wrong, they may try again. */
  async #failed(error) {
    const page = this.viewer?.current;
    this.viewer?.close();
    this.viewer = null;
    console.warn("the document cannot be shown:", error?.name);
    const again = h("button", { type: "button", onclick: () => this.#again(page) }, t("app.retry"));
    replace(this.scroller, h("div", { class: "empty", role: "alert" }, icon("alert"), h("p", {}, t("document.failed")), again));
    if (error?.status !== 401) return;
    try {
      await logInAgain();
    } catch {
      // Somebody else did: the page begins anew.
      return;
    }
    if (again.isConnected) this.#again(page);
  }

  async #again(page) {
    this.opening = this.#open();
    await this.show(this.citation ?? null);
    if (page > 1) this.viewer?.go(page);
  }

  stop() {
    this.resized.disconnect();
    clearTimeout(this.resizing);
    this.viewer?.close();
  }

  focus() {
    this.scroller.focus({ preventScroll: true });
  }

  /** @param {any} citation What to highlight; null: nothing in particular. */
  async show(citation) {
    if (citation && this.citation === citation && this.viewer?.pages.length) {
      this.#bring(citation);
      return;
    }
    const first = this.citation === undefined;
    this.citation = citation;
    await this.opening;
    if (!this.viewer || this.citation !== citation) return;
    const unverified = citation && !citation.verified;
    this.note.hidden = !unverified;
    replace(this.note, unverified && [icon("alert"), h("span", {}, t("document.notFound"))]);
    this.viewer.highlight(citation?.rectangles ?? []);
    if (citation) this.#bring(citation);
    else if (first) this.viewer.go(1);
  }

  #bring(citation) {
    const rectangles = citation.rectangles ?? [];
    this.viewer.go(citation.page, rectangles.find(({ page }) => page === citation.page));
    announce(t(rectangles.length ? "document.highlighted" : "document.shown", { page: citation.page }));
  }

  #at(page) {
    if (document.activeElement !== this.field) this.field.value = String(page);
  }

  #turn(step) {
    if (!this.viewer) return;
    this.viewer.go(this.viewer.current + step);
    this.field.value = String(this.viewer.current);
  }

  #fit() {
    if (!this.viewer?.pages.length || !this.scroller.clientWidth) return;
    this.fits = true;
    this.#scale(this.viewer.fitting());
  }

  #zoom(factor) {
    if (!this.viewer) return;
    this.fits = false;
    this.#scale(Math.min(MOST_ZOOM, Math.max(0.25, this.viewer.scale * factor)));
  }

  #scale(scale) {
    if (Math.abs(scale - this.viewer.scale) > 0.001 || !this.percent.textContent) this.viewer.zoom(scale);
    this.percent.textContent = numeral(scale, { style: "percent" });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      PageDown: () => this.#turn(1),
      PageUp: () => this.#turn(-1),
      Home: () => this.viewer?.go(1),
      End: () => this.viewer?.go(this.viewer.pages.length),
      "+": () => this.#zoom(ZOOM_STEP),
      "-": () => this.#zoom(1 / ZOOM_STEP),
      0: () => this.#fit(),
      Escape: () => this.close(),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
