/** A contract on its way, as steps; and how it ended where there is no report. */

import { h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { elapsed, failureWords } from "./parts.js";

const STEPS = ["queued", "starting", "extracting", "analyzing", "done"];

/** @param {any} contract */
export function progress(contract) {
  const stage = contract.stage ?? "queued";
  const at = STEPS.indexOf(stage);
  const since = contract.queuedAt ?? contract.createdAt;
  const waiting = contract.suspended ? t("contract.suspendedText") : t(`contract.${stage}Text`);
  return h(
    "section",
    { class: "card progress-card", "aria-labelledby": "progress-title" },
    h(
      "div",
      { class: "progress-head" },
      h("h2", { id: "progress-title" }, t(contract.suspended ? "status.suspended" : "contract.processing")),
      h("p", { class: "muted" }, elapsed(since, "contract.elapsed"), contract.attempts > 1 && ` · ${t("contract.attempt", { count: contract.attempts })}`),
    ),
    h("ol", { class: "steps" }, STEPS.map((step, index) => stepOf(step, index, at, contract))),
    h("p", { class: "progress-text" }, waiting),
    // What exactly it waits for, in the server's own language.
    stage === "queued" && contract.message && h("p", { class: "muted", lang: "en", dir: "auto" }, contract.message),
    h("p", { class: "muted" }, t("contract.stay")),
  );
}

function stepOf(step, index, at, contract) {
  const state = index < at ? "done" : index === at ? "now" : "next";
  return h(
    "li",
    { class: `step ${state}`, "aria-current": state === "now" ? "step" : null },
    h("span", { class: "step-mark" }, state === "done" ? icon("check") : state === "now" && !contract.suspended ? h("span", { class: "pulse" }) : null),
    h("span", { class: "step-name" }, t(`stage.${step}`)),
  );
}

/** @param {any} contract @param {() => void} rerun */
export function ended(contract, rerun) {
  const retry = (style) =>
    h("button", { type: "button", id: "retry", class: style, onclick: rerun }, icon("again"), h("span", {}, t("contract.rerun")));
  if (contract.status === "cancelled") {
    return h(
      "section",
      { class: "card ended" },
      h("div", { class: "ended-sign" }, icon("stop")),
      h("div", {}, h("h2", {}, t("contract.cancelled")), h("p", {}, t("contract.cancelledText")), retry("primary")),
    );
  }
  const { meaning, next, said, anotherUpload } = failureWords(contract);
  const upload = h("a", { class: "button primary", href: "#/" }, icon("upload"), h("span", {}, t("contract.another")));
  return h(
    "section",
    { class: "card ended failed" },
    h("div", { class: "ended-sign" }, icon("alert")),
    h(
      "div",
      {},
      h("h2", {}, t("contract.failed")),
      h("p", { class: "ended-why" }, meaning),
      said && h("p", { lang: "en", dir: "auto" }, said),
      next && [h("h3", {}, t("contract.nextStep")), h("p", {}, next)],
      h("div", { class: "ended-actions" }, anotherUpload ? [upload, retry("")] : retry("primary")),
      contract.failure && h("p", { class: "muted reason" }, t("contract.reason"), " ", h("code", {}, contract.failure.reason)),
    ),
  );
}
