/** The risks: what may hurt whom, how much, and what to do about it; filtered and in the reader's order. */

import { h, name, replace } from "../dom.js";
import { count, label, t } from "../i18n.js";
import { remember } from "../router.js";
import { badge, field, LEVELS, select } from "../views/parts.js";
import { quotation } from "./citation.js";

const ORDERS = ["score", "page", "category"];
const OPEN_LEVELS = ["Critical", "High"];

/** The text of a select's option for findings that hurt nobody in particular. */
const EVERYBODY = "*";

export class Findings {
  /** @param {any} report @param {import("./citation.js").Citations} citations @param {URLSearchParams} query */
  constructor(report, citations, query) {
    this.report = report;
    this.citations = citations;
    const levels = (query.get("levels") ?? "").split(",").filter((level) => LEVELS.includes(level));
    this.levels = new Set(levels);
    this.hurts = query.get("hurts") ?? "";
    this.order = ORDERS.includes(query.get("sort")) ? query.get("sort") : "score";
    this.cards = report.findings.map((finding, index) => this.#card(finding, index));
    this.list = h("ol", { class: "findings" });
    this.note = h("p", { class: "muted findings-note", role: "status" });
    this.element = report.findings.length
      ? h("div", {}, this.#controls(), this.list, this.note)
      : h("p", {}, label("words", "noFindings"));
    this.#arrange();
  }

  #controls() {
    const counts = LEVELS.map((level) => [level, this.report.findings.filter((each) => each.severity.level === level).length]);
    const toggles = counts
      .filter(([, number]) => number)
      .map(([level, number]) => {
        const button = h(
          "button",
          {
            type: "button",
            class: `level-toggle level-${level}`,
            "aria-pressed": String(this.levels.has(level)),
            onclick: () => {
              if (!this.levels.delete(level)) this.levels.add(level);
              button.setAttribute("aria-pressed", String(this.levels.has(level)));
              this.#changed({ levels: [...this.levels].join(",") });
            },
          },
          h("span", { class: "badge-mark", "aria-hidden": "true" }),
          `${t(`level.${level}`)} `,
          h("span", { class: "number" }, String(number)),
        );
        return button;
      });
    const parties = [...new Set(this.report.findings.map((each) => each.perspective).filter(Boolean))].sort();
    const hurt = [["", t("list.any")], ...parties.map((each) => [each, each])];
    if (this.report.findings.some((each) => !each.perspective)) hurt.push([EVERYBODY, t("report.hurtsAny")]);
    const set = (key, of) => (value) => {
      this[of] = value;
      this.#changed({ [key]: value });
    };
    this.expand = h("button", { type: "button", class: "quiet", onclick: () => this.#expand() }, t("report.expand"));
    return h(
      "div",
      { class: "finding-controls" },
      h("div", { class: "level-toggles", role: "group", "aria-label": t("report.levels") }, toggles),
      parties.length > 0 && field("finding-hurts", t("report.hurts"), select(this.hurts, hurt, set("hurts", "hurts"))),
      field("finding-sort", t("report.sort"), select(this.order, ORDERS.map((each) => [each, t(`report.sort.${each}`)]), set("sort", "order"))),
      this.expand,
    );
  }

  #changed(query) {
    remember(query);
    this.#arrange();
  }

  #expand() {
    const open = this.cards.some((card) => !card.element.open);
    for (const card of this.cards) card.element.open = open;
    this.expand.textContent = t(open ? "report.collapse" : "report.expand");
  }

  #arrange() {
    const shown = this.cards.filter(
      ({ finding }) =>
        (!this.levels.size || this.levels.has(finding.severity.level)) &&
        (!this.hurts || (this.hurts === EVERYBODY ? !finding.perspective : finding.perspective === this.hurts)),
    );
    const byScore = (one, other) => other.finding.severity.score - one.finding.severity.score || one.index - other.index;
    const page = ({ finding }) => finding.citations?.[0]?.page ?? Infinity;
    const orders = {
      score: byScore,
      page: (one, other) => (page(one) === page(other) ? byScore(one, other) : page(one) - page(other)),
      category: (one, other) => one.category.localeCompare(other.category) || byScore(one, other),
    };
    shown.sort(orders[this.order]);
    replace(this.list, shown.map(({ element }) => h("li", {}, element)));
    const all = count("findings", this.cards.length);
    this.note.textContent = shown.length === this.cards.length ? "" : shown.length ? `${shown.length} / ${all}` : t("report.noneMatch", { all });
  }

  #card(finding, index) {
    const { severity } = finding;
    const category = label("categories", finding.category);
    const keys = (finding.citations ?? []).map((_, place) => `finding.${index}.${place}`);
    const detail = (key, text) => text && h("div", { class: `detail ${key}` }, h("h4", {}, t(`report.${key}`)), h("p", { dir: "auto" }, text));
    const element = h(
      "details",
      { class: `finding level-${severity.level}`, open: OPEN_LEVELS.includes(severity.level), id: `finding-${index}` },
      h(
        "summary",
        {},
        h("span", { class: "finding-line" }, badge(severity.level), finding.assessment === "check" && h("span", { class: "tag" }, t("report.check"))),
        h("h3", { class: "finding-title", dir: "auto" }, finding.title),
        h(
          "span",
          { class: "finding-about muted" },
          name(category),
          " · ",
          t("report.hurts"),
          ": ",
          finding.perspective ? name(finding.perspective) : t("report.everyParty"),
        ),
      ),
      h(
        "div",
        { class: "finding-body" },
        h("p", { dir: "auto" }, finding.explanation),
        keys.length ? keys.map((key) => quotation(this.citations, key)) : h("p", { class: "muted" }, t("report.noQuote")),
        detail("recommendation", finding.recommendation),
        detail("deviation", finding.deviation),
        detail("statutes", (finding.statutes ?? []).join(", ")),
        h("p", { class: "muted severity" }, t("report.severity", severity)),
      ),
    );
    return { element: /** @type {HTMLDetailsElement} */ (element), finding, index, category };
  }
}
