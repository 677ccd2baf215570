/** The report's other parts: its verdict, the clauses, and what it does not say. */

import { h, icon, name } from "../dom.js";
import { count, label, numeral, t } from "../i18n.js";
import { LEVELS, riskBadge } from "../views/parts.js";
import { quotation } from "./citation.js";

/** What limits the whole report, said before anything else. */
function notices(report) {
  const found = [];
  if (report.isContract === false) found.push(label("words", "noContract"));
  if (report.unreadablePages?.length) {
    const pages = report.unreadablePages.slice(0, 20).map(({ page }) => page).join(", ");
    found.push(`${label("words", "unreadableNotice")}: ${pages}${report.unreadablePages.length > 20 ? ", …" : ""}`);
  }
  if (report.unverifiedCitations) found.push(`${label("words", "unverifiedNotice")}: ${report.unverifiedCitations}`);
  return found.map((text) => h("p", { class: "warning" }, icon("alert"), h("span", {}, text)));
}

/** @param {any} report @param {any} contract */
export function verdict(report, contract) {
  const { level, score } = report.risk;
  const numbers = LEVELS.map((each) => [each, report.findings.filter((one) => one.severity.level === each).length]);
  const examined = report.isContract !== false || report.findings.length;
  return h(
    "div",
    { class: "verdict" },
    h(
      "div",
      { class: "verdict-head" },
      examined ? riskBadge({ riskLevel: level }) : h("span", { class: "badge level-NoneFound" }, t("risk.notExamined")),
      h("p", { class: "verdict-words" }, examined ? t(`report.verdict.${level}`) : ""),
    ),
    report.findings.length > 0 && bar(numbers, report.findings.length),
    report.findings.length > 0 && h("p", { class: "muted" }, t("report.score", { score })),
    notices(report),
    h("p", { class: "summary", dir: "auto" }, report.summary),
    report.perspective && h("p", { class: "muted" }, `${label("words", "perspective")}: `, name(report.perspective)),
    contract.reused && h("p", { class: "muted" }, t("contract.reused")),
  );
}

/** How the findings divide, as a bar and in words. */
function bar(numbers, total) {
  const some = numbers.filter(([, number]) => number);
  return h(
    "div",
    { class: "share" },
    h(
      "div",
      { class: "share-bar", "aria-hidden": "true" },
      some.map(([level, number]) => {
        const part = h("span", { class: `share-part level-${level}` });
        part.style.flexGrow = String(number / total);
        return part;
      }),
    ),
    h(
      "ul",
      { class: "share-words" },
      some.map(([level, number]) =>
        h("li", { class: `level-${level}` }, h("span", { class: "badge-mark", "aria-hidden": "true" }), h("strong", {}, numeral(number)), ` ${t(`level.${level}`).toLowerCase()}`),
      ),
    ),
  );
}

/** By label, because two names may read alike; each passage once. @param {any} report */
export function clauses(report, citations) {
  const groups = new Map();
  report.clauses.forEach((clause, index) => {
    const title = label("categories", clause.category);
    if (!groups.has(title)) groups.set(title, new Map());
    const { page, quote } = clause.citation;
    const passage = `${page} ${quote}`;
    const seen = groups.get(title).get(passage);
    if (!seen || (!seen.summary && clause.summary)) groups.get(title).set(passage, { index, summary: clause.summary });
  });
  if (!groups.size) return h("p", { class: "muted" }, t("report.nothing"));
  return h(
    "div",
    { class: "clauses" },
    [...groups].map(([title, passages]) =>
      h(
        "details",
        { class: "clause" },
        h("summary", {}, h("span", {}, name(title)), h("span", { class: "muted" }, count("report.passages", passages.size))),
        [...passages.values()].map(({ index, summary }) => [summary && h("p", { dir: "auto" }, summary), quotation(citations, `clause.${index}`)]),
      ),
    ),
  );
}

/** @param {string[]} categories @param {"absent"|"notDetermined"} kind */
export function categories(categories, kind) {
  const labels = [...new Set(categories.map((each) => label("categories", each)))];
  return [
    h("p", { class: "muted" }, label("notes", kind)),
    labels.length ? h("ul", { class: "tags" }, labels.map((each) => h("li", { class: "tag" }, each))) : h("p", {}, t("report.nothing")),
  ];
}

/** @param {any} report */
export function unreadable(report) {
  return h(
    "ul",
    {},
    report.unreadablePages.map(({ page, reason }) => h("li", {}, `${t("document.page")} ${page}: `, name(reason))),
  );
}

/** @param {any} report */
export function about(report) {
  const { engine, usage, document } = report;
  const cost = usage?.costUSD;
  const rows = [
    [t("report.analysis"), engine.name === "rules" ? t("report.engine.rules", engine) : t("report.engine.claude", { model: engine.model ?? engine.version })],
    [t("report.cost"), cost === undefined || cost === null ? t("report.costUnknown") : Number(cost) ? `${numeral(Number(cost), { maximumFractionDigits: 4 })} USD` : t("report.free")],
    [t("document.title"), count("pages", document.pages)],
    [t("report.digest"), document.sha256],
    [t("report.scale"), t("report.scaleText")],
  ];
  return h("dl", { class: "facts about-facts" }, rows.map(([words, value]) => h("div", { class: "fact" }, h("dt", {}, words), h("dd", {}, value))));
}
