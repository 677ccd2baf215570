/**
 * Pages of a PDF, drawn by PDF.js when they come into view. Text lies over each page, invisible, for selection and
 * screen readers; highlights lie between.
 */

import * as pdfjs from "/pdfjs/build/pdf.min.mjs";
import { h, replace } from "../dom.js";
import { t } from "../i18n.js";

pdfjs.GlobalWorkerOptions.workerSrc = "/pdfjs/build/pdf.worker.min.mjs";

// Above this a canvas costs more memory than phones have.
const MAX_CANVAS_PIXELS = 16_000_000;
// Pages kept drawn on either side of what is seen.
const MARGIN = "150% 0%";

/** @typedef {{page: number, x0: number, y0: number, x1: number, y1: number}} Rectangle In PDF points, from the lower left. */

export class Viewer {
  /**
   * @param {HTMLElement} scroller
   * @param {(page: number) => void} onPage The page that is read now.
   * @param {(error: any) => void} onProblem A page cannot be fetched any more.
   */
  constructor(scroller, onPage, onProblem) {
    this.scroller = scroller;
    this.onPage = onPage;
    this.onProblem = onProblem;
    /** @type {{element: HTMLElement, page: any, viewport: any, drawn: string, task: any}[]} */
    this.pages = [];
    this.scale = 1;
    /** @type {Rectangle[]} */
    this.rectangles = [];
    this.seen = new IntersectionObserver((entries) => this.#saw(entries), { root: scroller, rootMargin: MARGIN });
    this.current = 1;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** @param {string} url @returns {Promise<number>} How many pages it has. */
  async open(url) {
    this.task = pdfjs.getDocument({
      url,
      cMapUrl: "/pdfjs/cmaps/",
      standardFontDataUrl: "/pdfjs/standard_fonts/",
      wasmUrl: "/pdfjs/wasm/",
      iccUrl: "/pdfjs/iccs/",
      // Pieces of 64 KB as they are needed, so that a long contract opens at once; both settings, or all of it comes.
      disableAutoFetch: true,
      disableStream: true,
      // The letters of this machine would have other widths than those that the document counts on.
      useSystemFonts: false,
      enableXfa: false,
    });
    this.pdf = await this.task.promise;
    const first = await this.pdf.getPage(1);
    const usual = first.getViewport({ scale: 1 });
    for (let number = 1; number <= this.pdf.numPages; number += 1) {
      const element = h("div", { class: "pdf-page", dataset: { page: number }, role: "region", "aria-label": `${t("document.page")} ${number}` });
      // Until a page is there it is taken to be like the first.
      this.pages.push({ element, page: number === 1 ? first : null, viewport: usual, drawn: "", task: null });
    }
    replace(this.scroller, this.pages.map(({ element }) => element));
    for (const { element } of this.pages) this.seen.observe(element);
    return this.pdf.numPages;
  }

  close() {
    this.seen.disconnect();
    this.task?.destroy();
  }

  /** The scale at which a page is as wide as the place for it. */
  fitting() {
    const width = this.pages[0]?.viewport.viewBox ? this.pages[0].viewport.width / this.pages[0].viewport.scale : 600;
    const style = getComputedStyle(this.scroller);
    const room = this.scroller.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return Math.max(0.25, room / width);
  }

  /** @param {number} scale */
  zoom(scale) {
    const height = this.scroller.scrollHeight || 1;
    const middle = (this.scroller.scrollTop + this.scroller.clientHeight / 2) / height;
    this.scale = scale;
    for (const each of this.pages) this.#size(each);
    this.scroller.scrollTop = middle * this.scroller.scrollHeight - this.scroller.clientHeight / 2;
    for (const each of this.pages) if (each.drawn) this.#drawOrTell(each);
  }

  #size(each) {
    const base = each.page ?? this.pages[0].page;
    each.viewport = base.getViewport({ scale: this.scale });
    each.element.style.width = `${Math.floor(each.viewport.width)}px`;
    each.element.style.height = `${Math.floor(each.viewport.height)}px`;
    each.element.style.setProperty("--total-scale-factor", String(this.scale));
    each.element.style.setProperty("--scale-factor", String(this.scale));
  }

  #saw(entries) {
    for (const entry of entries) {
      const each = this.pages[Number(/** @type {HTMLElement} */ (entry.target).dataset.page) - 1];
      if (entry.isIntersecting) this.#drawOrTell(each);
      else this.#clear(each);
    }
  }

  #clear(each) {
    each.task?.cancel();
    each.task = null;
    each.drawn = "";
    each.element.replaceChildren();
  }

  async #drawOrTell(each) {
    try {
      await this.#draw(each);
    } catch (error) {
      if (!this.task?.destroyed) this.onProblem(error);
    }
  }

  async #draw(each) {
    const wanted = `${this.scale}`;
    if (each.drawn === wanted) return;
    each.drawn = wanted;
    each.page ??= await this.pdf.getPage(Number(each.element.dataset.page));
    if (each.drawn !== wanted) return;
    this.#size(each);
    const { viewport } = each;
    const density = Math.min(window.devicePixelRatio || 1, Math.sqrt(MAX_CANVAS_PIXELS / (viewport.width * viewport.height)));
    const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
    canvas.width = Math.floor(viewport.width * density);
    canvas.height = Math.floor(viewport.height * density);
    each.task?.cancel();
    each.task = each.page.render({ canvas, viewport, transform: density === 1 ? null : [density, 0, 0, density, 0, 0] });
    try {
      await each.task.promise;
    } catch (error) {
      if (error?.name === "RenderingCancelledException") return;
      throw error;
    }
    if (each.drawn !== wanted) return;
    const text = h("div", { class: "textLayer" });
    const layer = new pdfjs.TextLayer({ textContentSource: each.page.streamTextContent(), container: text, viewport });
    replace(each.element, canvas, this.#marks(each), text);
    await layer.render().catch(() => null);
    each.element.dataset.drawn = "true";
  }

  #marks(each) {
    const number = Number(each.element.dataset.page);
    const layer = h("div", { class: "marks", "aria-hidden": "true" });
    for (const rectangle of this.rectangles.filter(({ page }) => page === number)) {
      const box = boxOf(rectangle, each.viewport);
      const mark = h("div", { class: "highlight" });
      for (const [side, value] of Object.entries(box)) mark.style.setProperty(side, `${value}px`);
      layer.append(mark);
    }
    return layer;
  }

  /** @param {Rectangle[]} rectangles */
  highlight(rectangles) {
    this.rectangles = rectangles;
    for (const each of this.pages) {
      each.element.querySelector(".marks")?.replaceWith(this.#marks(each));
    }
  }

  /**
   * Bring a page into view, or a place on it.
   * @param {number} number @param {Rectangle} [rectangle]
   */
  async go(number, rectangle) {
    const each = this.pages[Math.min(this.pages.length, Math.max(1, number)) - 1];
    if (!each) return;
    each.page ??= await this.pdf.getPage(Number(each.element.dataset.page));
    this.#size(each);
    const above = rectangle ? boxOf(rectangle, each.viewport).top - this.scroller.clientHeight / 3 : -8;
    const left = rectangle ? boxOf(rectangle, each.viewport).left - 16 : 0;
    this.scroller.scrollTop = each.element.offsetTop + above;
    if (this.scroller.scrollWidth > this.scroller.clientWidth) this.scroller.scrollLeft = each.element.offsetLeft + left;
    this.#scrolled();
  }

  #scrolled() {
    const line = this.scroller.scrollTop + this.scroller.clientHeight / 3;
    const at = this.pages.findIndex(({ element }) => element.offsetTop + element.offsetHeight > line);
    const number = at < 0 ? this.pages.length : at + 1;
    if (number === this.current) return;
    this.current = number;
    this.onPage(number);
  }
}

/** Where a rectangle of the PDF lies on the drawn page, in CSS pixels. @param {Rectangle} rectangle */
function boxOf({ x0, y0, x1, y1 }, viewport) {
  const [ax, ay] = viewport.convertToViewportPoint(x0, y0);
  const [bx, by] = viewport.convertToViewportPoint(x1, y1);
  return { left: Math.min(ax, bx), top: Math.min(ay, by), width: Math.abs(bx - ax), height: Math.abs(by - ay) };
}
