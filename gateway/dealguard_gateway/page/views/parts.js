/** Small pieces that several views show: levels, states, names, times that run. */

import { serverNow } from "../api.js";
import { h, icon } from "../dom.js";
import { count, duration, exactly, language, moment, t } from "../i18n.js";
import { explain } from "../words/reasons.js";

export const LEVELS = ["Critical", "High", "Medium", "Low"];
export const FINISHED = ["completed", "failed", "cancelled"];

export function isFinished(contract) {
  return FINISHED.includes(contract.status);
}

export function fileName(contract) {
  return contract.fileName || t("list.nameless", { name: contract.name });
}

/** `system:serviceaccount:acme:anna` is anna to people. @param {string} user */
export function shortUser(user) {
  return user.startsWith("system:serviceaccount:") ? user.split(":").slice(3).join(":") : user.replace(/^oidc:/, "");
}

/** A level in its colour, with a mark of its own shape and its word: colour never stands alone. */
export function badge(level, words = t(`level.${level}`)) {
  return h("span", { class: `badge level-${level}` }, h("span", { class: "badge-mark", "aria-hidden": "true" }), words);
}

export function riskBadge(summary) {
  const level = summary.riskLevel;
  return badge(level, level === "NoneFound" ? t("risk.NoneFound") : t("risk.word", { level: t(`level.${level}`).toLowerCase() }));
}

/** How many findings of each level, the worst first; levels without any are left out. */
export function findingCounts(findings) {
  const parts = LEVELS.map((level) => [level, findings[level.toLowerCase()] ?? 0]).filter(([, number]) => number);
  if (!parts.length) return null;
  return h(
    "span",
    { class: "counts", title: count("findings", findings.total) },
    parts.map(([level, number]) =>
      h(
        "span",
        { class: `count level-${level}` },
        h("span", { class: "badge-mark", "aria-hidden": "true" }),
        `${number} `,
        h("span", { class: "count-word" }, t(`level.${level}`).toLowerCase()),
      ),
    ),
  );
}

/** A state in words, with its sign. */
export function statusMark(contract) {
  const kinds = { failed: "alert", cancelled: "stop", completed: "check" };
  const word = isFinished(contract)
    ? t(`status.${contract.status}`)
    : t(contract.suspended ? "status.suspended" : `stage.${contract.stage ?? "queued"}`);
  const sign = kinds[contract.status] ? icon(kinds[contract.status]) : h("span", { class: "pulse", "aria-hidden": "true" });
  return h("span", { class: `state state-${contract.status}` }, sign, word);
}

export function failureWords(contract) {
  return explain(contract.failure ?? { reason: "", message: null }, language());
}

/** A time, in short; all of it when pointed at. */
export function when(iso) {
  return h("time", { datetime: iso, title: exactly(iso) }, moment(iso));
}

/** Time that has passed since, counted on by `startClocks`. @param {string} iso */
export function elapsed(iso, key = null) {
  const element = h("span", { class: "elapsed", dataset: { since: iso, ...(key ? { words: key } : {}) } });
  tick(element);
  return element;
}

function tick(element) {
  const passed = duration((serverNow() - Date.parse(element.dataset.since)) / 1000);
  element.textContent = element.dataset.words ? t(element.dataset.words, { time: passed }) : passed;
}

/** Count on all running times below `root`. @returns {() => void} Stops them. */
export function startClocks(root) {
  const timer = setInterval(() => {
    if (document.hidden) return;
    for (const element of root.querySelectorAll("[data-since]")) tick(element);
  }, 1000);
  return () => clearInterval(timer);
}

/** How long the present run took. */
export function took(contract) {
  const from = contract.queuedAt ?? contract.createdAt;
  if (!from || !contract.finishedAt) return null;
  return t("contract.took", { time: duration((Date.parse(contract.finishedAt) - Date.parse(from)) / 1000) });
}

/** A field with its label. */
export function field(id, words, control) {
  control.id = id;
  return h("div", { class: "field" }, h("label", { for: id }, words), control);
}

/** @param {[string, string][]} options value and words */
export function select(value, options, onchange) {
  return h(
    "select",
    { onchange: (event) => onchange(event.target.value) },
    options.map(([each, words]) => h("option", { value: each, selected: each === value }, words)),
  );
}
