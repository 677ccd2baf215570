/** The report and the document beside it: what is open, and where, is in the address. */

import { contractPath, read } from "../api.js";
import { PdfPane } from "../document/pane.js";
import { h, icon, replace } from "../dom.js";
import { t } from "../i18n.js";
import { address, go, place, remember } from "../router.js";
import { words } from "../session.js";
import { Citations } from "./citation.js";
import { facts } from "./facts.js";
import { Findings } from "./findings.js";
import { about, categories, clauses, unreadable, verdict } from "./sections.js";
import { timeline } from "./timeline.js";

const WIDE = matchMedia("(min-width: 1100px)");
const STORED = "dealguard.document";

// Long, and read once: also over a slow connection.
const REPORT_SECONDS = 120;

export class ReportPane {
  /** @param {any} contract @param {{session: object}} context */
  constructor(contract, context) {
    this.contract = contract;
    this.context = context;
    this.report = h("div", { class: "report" }, h("p", { class: "muted loading" }, t("app.loading")));
    this.side = h("aside", { class: "side", "aria-label": t("document.title"), hidden: true });
    this.element = h("div", { class: "split" }, this.report, this.side);
    /** @type {PdfPane|null} */
    this.document = null;
    this.fold = () => this.#unfold();
    this.widthChanged = () => this.show(place().query);
  }

  /** @param {URLSearchParams} query */
  async start(query) {
    WIDE.addEventListener("change", this.widthChanged);
    window.addEventListener("beforeprint", this.fold);
    try {
      this.data = await read(contractPath(this.contract.id, "/report?format=json"), { seconds: REPORT_SECONDS });
    } catch (problem) {
      if (this.stopped) return;
      const again = h("button", { type: "button", onclick: () => this.start(place().query) }, t("app.retry"));
      replace(this.report, h("div", { class: "card empty", role: "alert" }, icon("alert"), h("h2", {}, t("contract.noReport")), h("p", {}, words(problem)), again));
      return;
    }
    if (this.stopped) return;
    this.data.findings ??= [];
    this.data.clauses ??= [];
    this.citations = new Citations(this.data, (key) => this.#cite(key));
    this.findings = new Findings(this.data, this.citations, query);
    replace(this.report, this.#sections());
    this.show(place().query);
  }

  stop() {
    this.stopped = true;
    WIDE.removeEventListener("change", this.widthChanged);
    window.removeEventListener("beforeprint", this.fold);
    this.document?.stop();
    document.body.classList.remove("reading");
  }

  #sections() {
    const { data, citations } = this;
    const all = [
      ["overview", verdict(data, this.contract)],
      ["risks", this.findings?.element],
      ["facts", facts(data, citations)],
      ["dates", timeline(data, citations)],
      ["clauses", clauses(data, citations)],
      ["absent", categories(data.absent ?? [], "absent")],
      ["notDetermined", categories(data.notDetermined ?? [], "notDetermined")],
      ...(data.unreadablePages?.length ? [["unreadable", unreadable(data)]] : []),
      ["about", about(data)],
    ];
    const link = (key) => h("li", {}, h("a", { href: address(this.contract.id, { section: key }), onclick: (event) => this.#jump(event, key) }, t(`report.${key}`)));
    return [
      h("nav", { class: "contents", "aria-label": t("report.contents") }, h("ul", {}, all.map(([key]) => link(key)))),
      all.map(([key, content]) =>
        h("section", { class: `section ${key}`, id: `section-${key}`, "aria-labelledby": `title-${key}` }, h("h2", { id: `title-${key}`, tabindex: "-1" }, t(`report.${key}`)), content),
      ),
    ];
  }

  #jump(event, key) {
    event.preventDefault();
    remember({ section: key });
    this.#scroll(key);
  }

  #scroll(key) {
    const title = document.getElementById(`title-${key}`);
    title?.scrollIntoView({ block: "start" });
    title?.focus({ preventScroll: true });
  }

  #cite(key) {
    const { id, query } = place();
    this.asked = key;
    query.set("cite", key);
    const to = address(id, query);
    // On a phone the way back is the browser's own.
    this.pushed = !WIDE.matches && this.side.hidden;
    if (location.hash === to) this.show(query);
    else go(to);
  }

  /** What the address says. @param {URLSearchParams} query */
  show(query) {
    if (!this.citations) return;
    const key = query.get("cite");
    const citation = this.citations.get(key);
    const wished = WIDE.matches ? localStorage.getItem(STORED) !== "hidden" : query.has("document");
    this.#mark(key);
    if (citation || wished) this.#open(citation);
    else this.#close();
    const section = query.get("section");
    if (section && section !== this.section && !citation) this.#scroll(section);
    this.section = section;
  }

  #mark(key) {
    for (const each of this.report.querySelectorAll("[data-cite]")) {
      if (each.dataset.cite === key) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
  }

  #open(citation) {
    const opened = this.side.hidden;
    this.side.hidden = false;
    this.element.classList.add("with-document");
    document.body.classList.toggle("reading", !WIDE.matches);
    this.nameToggle();
    if (!this.document) {
      this.document = new PdfPane(contractPath(this.contract.id, "/document"), () => this.toggleDocument());
      replace(this.side, this.document.element);
    }
    this.document.show(citation);
    // On a phone the document covers the report: the keyboard follows.
    if (opened && !WIDE.matches) this.document.focus();
  }

  #close() {
    const inside = this.side.contains(document.activeElement);
    const was = !this.side.hidden;
    this.side.hidden = true;
    this.element.classList.remove("with-document");
    document.body.classList.remove("reading");
    this.nameToggle();
    if (!was) return;
    // Back to the passage it was opened from.
    const from = this.asked && this.report.querySelector(`[data-cite="${CSS.escape(this.asked)}"]`);
    if (from instanceof HTMLElement) from.scrollIntoView({ block: "center" });
    if (inside && from instanceof HTMLElement) from.focus({ preventScroll: true });
    else if (inside) document.getElementById("toggle-document")?.focus();
  }

  /** The button that shows or hides the document says which. */
  nameToggle() {
    const open = !this.side.hidden;
    const button = document.querySelector("#toggle-document span");
    if (button) button.textContent = t(open ? "contract.hideDocument" : "contract.showDocument");
    document.getElementById("toggle-document")?.setAttribute("aria-expanded", String(open));
  }

  /** Show the document or put it away; on a desktop that is remembered for the next report. */
  toggleDocument() {
    const open = this.side.hidden;
    if (WIDE.matches) localStorage.setItem(STORED, open ? "shown" : "hidden");
    if (open) {
      const { id, query } = place();
      query.set("document", "1");
      if (WIDE.matches) remember({ document: "1" });
      else {
        this.pushed = true;
        go(address(id, query));
        return undefined;
      }
    } else if (this.pushed) {
      this.pushed = false;
      history.back();
      return undefined;
    } else remember({ cite: null, document: null });
    return this.show(place().query);
  }

  print() {
    window.print();
  }

  #unfold() {
    const closed = [...this.report.querySelectorAll("details:not([open])")];
    for (const each of closed) each.setAttribute("open", "");
    window.addEventListener("afterprint", () => closed.forEach((each) => each.removeAttribute("open")), { once: true });
  }
}
