/** Passages of the document, each a button that opens its page. */

import { h, icon } from "../dom.js";
import { language, t } from "../i18n.js";

const SINGLE = [
  "contractType",
  "agreementDate",
  "effectiveDate",
  "expirationDate",
  "initialTerm",
  "renewal",
  "noticePeriod",
  "priceAdjustment",
  "governingLaw",
  "venue",
];

/** Every citation of a report by a short name that an address can hold: `venue`, `party.0`, `clause.3`, `finding.2.0`. */
export class Citations {
  /** @param {any} report @param {(key: string) => void} open */
  constructor(report, open) {
    this.open = open;
    /** @type {Map<string, any>} */
    this.byKey = new Map();
    for (const name of SINGLE) if (report[name]) this.byKey.set(name, report[name].citation);
    (report.parties ?? []).forEach((party, index) => this.byKey.set(`party.${index}`, party.citation));
    (report.prices ?? []).forEach((price, index) => this.byKey.set(`price.${index}`, price.citation));
    (report.clauses ?? []).forEach((clause, index) => this.byKey.set(`clause.${index}`, clause.citation));
    (report.findings ?? []).forEach((finding, index) =>
      (finding.citations ?? []).forEach((citation, place) => this.byKey.set(`finding.${index}.${place}`, citation)),
    );
  }

  /** @param {string|null} key */
  get(key) {
    return key ? (this.byKey.get(key) ?? null) : null;
  }
}

export function pages(citation) {
  return citation.endPage ? `${citation.page}–${citation.endPage}` : String(citation.page);
}

function unverified(citation) {
  if (citation.verified) return null;
  return h("span", { class: "unverified", title: t("report.unverifiedText") }, icon("alert"), t("report.unverified"));
}

function opener(citations, key, properties, ...children) {
  return h(
    "button",
    { type: "button", dataset: { cite: key }, onclick: () => citations.open(key), ...properties },
    ...children,
  );
}

/** `p. 3`, as a button. @param {Citations} citations @param {string} key */
export function pageChip(citations, key) {
  const citation = citations.get(key);
  if (!citation) return null;
  const page = pages(citation);
  const words = t("report.page", { page });
  return [
    opener(citations, key, { class: "chip", "aria-label": `${words} – ${t("report.openPage", { page })}` }, words),
    unverified(citation),
  ];
}

/** The words themselves with their page. @param {Citations} citations @param {string} key */
export function quotation(citations, key) {
  const citation = citations.get(key);
  const [before, after] = language() === "de" ? ["„", "“"] : ["“", "”"];
  const quote = citation.quote.replace(/\s+/g, " ").trim();
  return h(
    "div",
    { class: "quotation" },
    opener(
      citations,
      key,
      { class: "quote" },
      h("span", { class: "quote-text", dir: "auto" }, before + quote + after),
      h("span", { class: "quote-page" }, t("report.page", { page: pages(citation) }), icon("next")),
    ),
    unverified(citation),
  );
}
