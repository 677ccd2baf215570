/** The key facts: who, what, how long, how much, under which law. */

import { h, name } from "../dom.js";
import { amount, label, period, t } from "../i18n.js";
import { pageChip } from "./citation.js";

/** Facts in the order of a contract: name in the report, how its value reads. @type {[string, (value: any) => string][]} */
const ROWS = [
  ["contractType", String],
  ["initialTerm", withPoint],
  ["renewal", renewal],
  ["noticePeriod", withPoint],
  ["priceAdjustment", String],
  ["governingLaw", (law) => law.split("; ").map((each) => label("jurisdictions", each)).join("; ")],
  ["venue", venue],
];

function withPoint(value) {
  return period(value) + (value.referencePoint ? ` (${value.referencePoint})` : "");
}

function renewal(value) {
  const words = label("words", value.automatic ? "automatic" : "notAutomatic");
  return value.period ? `${words}, ${period(value.period)}` : words;
}

function venue(value) {
  return [label("words", value.kind), value.institution, value.place].filter(Boolean).join(", ");
}

/** @param {any} report @param {import("./citation.js").Citations} citations */
export function facts(report, citations) {
  const row = (words, value, key) =>
    h("div", { class: "fact" }, h("dt", {}, words), h("dd", {}, name(value), " ", pageChip(citations, key)));
  const parties = (report.parties ?? []).map((party, index) =>
    row(party.role || label("words", "party"), party.name, `party.${index}`),
  );
  const prices = (report.prices ?? []).map((price, index) => row(label("words", "price"), amount(price.value), `price.${index}`));
  const single = ROWS.filter(([key]) => report[key]).map(([key, words]) => [key, row(label("words", key), words(report[key].value), key)]);
  const at = single.findIndex(([key]) => key === "priceAdjustment" || key === "governingLaw" || key === "venue");
  const rows = single.map(([, element]) => element);
  const split = at < 0 ? rows.length : at;
  const [type, ...rest] = rows.slice(0, split);
  const all = report.contractType ? [type, ...parties, ...rest] : [...parties, ...rows.slice(0, split)];
  all.push(...prices, ...rows.slice(split));
  return all.length ? h("dl", { class: "facts" }, all) : h("p", { class: "muted" }, t("report.nothing"));
}
