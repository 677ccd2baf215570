/** One contract in the list. */

import { h, name } from "../dom.js";
import { count, t } from "../i18n.js";
import { address } from "../router.js";
import { elapsed, failureWords, fileName, findingCounts, isFinished, riskBadge, shortUser, statusMark, when } from "./parts.js";

/** @param {object} contract @param {boolean} withOrganization */
export function contractRow(contract, withOrganization) {
  const about = [
    contract.summary?.contractType,
    contract.document?.pages && count("pages", contract.document.pages),
    withOrganization && contract.organization,
  ].filter(Boolean);
  return [
    h(
      "div",
      { class: "row-what" },
      h("a", { class: "row-link", href: address(contract.id) }, name(fileName(contract))),
      h("p", { class: "muted row-about" }, about.map((each, index) => [index ? " · " : "", name(each)])),
    ),
    h("div", { class: "row-state" }, state(contract)),
    h(
      "p",
      { class: "muted row-when" },
      when(contract.createdAt),
      contract.submittedBy && [h("span", { class: "row-by" }, " ", t("list.by", { user: shortUser(contract.submittedBy) }))],
    ),
  ];
}

function state(contract) {
  if (contract.status === "completed" && contract.summary) {
    return [riskBadge(contract.summary), findingCounts(contract.summary.findings)];
  }
  if (contract.status === "failed") return [statusMark(contract), h("span", { class: "muted row-why" }, failureWords(contract).meaning)];
  if (isFinished(contract)) return statusMark(contract);
  return [statusMark(contract), elapsed(contract.queuedAt ?? contract.createdAt), h("span", { class: "running-line", "aria-hidden": "true" })];
}
