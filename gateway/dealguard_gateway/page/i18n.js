/** Words, numbers, dates and durations in the reader's language. */

import { LABELS } from "./labels.js";
import { WORDS as DE } from "./words/de.js";
import { WORDS as EN } from "./words/en.js";

const STORED = "dealguard.language";
const LANGUAGES = { de: DE, en: EN };

/** @returns {"de"|"en"} What the person chose, else the first of the browser's languages that the page speaks. */
function preferred() {
  const asked = [localStorage.getItem(STORED), ...navigator.languages];
  const known = asked.map((each) => (each ?? "").slice(0, 2).toLowerCase()).find((each) => each in LANGUAGES);
  return /** @type {"de"|"en"} */ (known ?? "en");
}

let current = preferred();

export function language() {
  return current;
}

/** @param {"de"|"en"} chosen */
export function choose(chosen) {
  current = chosen;
  localStorage.setItem(STORED, chosen);
}

/**
 * Words by their name, with `{places}` filled.
 * @param {string} key @param {Record<string, unknown>} [values]
 */
export function t(key, values = {}) {
  const words = LANGUAGES[current][key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, place) => String(values[place] ?? ""));
}

/** Whether there are words of this name. @param {string} key */
export function has(key) {
  return key in LANGUAGES[current];
}

/** `t(key.one)` or `t(key.many)`, with `{count}`. */
export function count(key, number) {
  return t(`${key}.${number === 1 ? "one" : "many"}`, { count: numeral(number) });
}

/** Words that the server's reports use too. */
export function label(group, key) {
  return LABELS[current][group]?.[key] ?? key;
}

export function numeral(value, options = {}) {
  return new Intl.NumberFormat(locale(), options).format(value);
}

export function locale() {
  return current === "de" ? "de-DE" : "en-GB";
}

/** An hour today, else a date. @param {string} iso */
export function moment(iso) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  const clock = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" }).format(date);
  if (today) return t("todayAt", { time: clock });
  return new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", year: "numeric" }).format(date);
}

/** All of it, for a title. @param {string} iso */
export function exactly(iso) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "long", timeStyle: "medium" }).format(new Date(iso));
}

/** A date of a contract with the precision it has: 2026, 2026-03 or 2026-03-31. @param {string} iso */
export function day(iso) {
  const [year, month, date] = iso.split("-").map(Number);
  if (!month) return String(year);
  const options = { timeZone: "UTC", year: "numeric", month: "long", ...(date ? { day: "numeric" } : {}) };
  return new Intl.DateTimeFormat(locale(), options).format(Date.UTC(year, month - 1, date || 1));
}

/** `7 s`, `1:05 min`, `2:10 h`. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (part) => String(part).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}:${pad(whole % 60)} min`;
  return `${Math.floor(whole / 3600)}:${pad(Math.floor((whole % 3600) / 60))} h`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024 * 1024) return `${numeral(Math.max(1, Math.round(bytes / 1024)))} KB`;
  return `${numeral(bytes / 1024 / 1024, { maximumFractionDigits: 1 })} MB`;
}

/** @param {{amount: string, currency: string}} money */
export function amount(money) {
  return numeral(Number(money.amount), { style: "currency", currency: money.currency, currencyDisplay: "code" });
}

/** @param {{value: string, unit: string, referencePoint?: string}} period */
export function period(of) {
  const units = LABELS[current].units[of.unit] ?? [of.unit, of.unit];
  return `${numeral(Number(of.value))} ${units[Number(of.value) === 1 ? 0 : 1]}`;
}
