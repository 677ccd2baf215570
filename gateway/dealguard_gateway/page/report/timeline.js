/** The contract's dates on a line, drawn to scale; the list below it says the same in words. */

import { h, svg } from "../dom.js";
import { day, label, t } from "../i18n.js";
import { contractDates } from "./dates.js";
import { pageChip } from "./citation.js";

const WIDTH = 640;
const HEIGHT = 76;
const EDGE = 16;
const LINE_Y = 40;
// A point's width, with the gap to the next.
const POINT = 24;

const WORDS = { end: "report.end", notice: "report.notice" };

function words(kind) {
  return WORDS[kind] ? t(WORDS[kind]) : label("words", kind);
}

/** @param {any} report @param {import("./citation.js").Citations} citations @param {string} [today] ISO date. */
export function timeline(report, citations, today = new Date().toISOString().slice(0, 10)) {
  const dates = contractDates(report, today);
  if (!dates.length) return h("p", { class: "muted" }, t("report.noDates"));
  return h("div", { class: "dates" }, dates.length > 1 && drawing(dates, today), list(dates, citations));
}

function time(iso) {
  const [year, month = 1, date = 1] = iso.split("-").map(Number);
  return Date.UTC(year, month - 1, date);
}

function drawing(dates, today) {
  const times = [...dates.map(({ date }) => time(date)), time(today)];
  const first = Math.min(...times);
  const span = Math.max(...times) - first || 1;
  const x = (iso) => EDGE + ((time(iso) - first) / span) * (WIDTH - 2 * EDGE);
  const effective = dates.find(({ kind }) => kind === "effectiveDate");
  const end = dates.find(({ kind }) => kind === "end" || kind === "expirationDate");
  const said = dates.map(({ kind, date }) => `${words(kind)} ${day(date)}`).join("; ");
  const now = x(today);
  return svg(
    "svg",
    { class: "timeline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("report.timeline", { list: said }) },
    svg("line", { class: "axis", x1: EDGE, x2: WIDTH - EDGE, y1: LINE_Y, y2: LINE_Y }),
    effective && end && svg("line", { class: "term", x1: x(effective.date), x2: x(end.date), y1: LINE_Y, y2: LINE_Y }),
    svg("line", { class: "today", x1: now, x2: now, y1: LINE_Y - 18, y2: LINE_Y + 18 }),
    svg("text", { class: "today-word", x: clamp(now), y: 14, "text-anchor": anchor(now) }, t("report.today")),
    apart(dates.map(({ date }) => x(date))).map((at, index) => point(dates[index], index + 1, at)),
    svg("text", { class: "year", x: EDGE, y: HEIGHT - 2 }, String(new Date(first).getUTCFullYear())),
    svg("text", { class: "year", x: WIDTH - EDGE, y: HEIGHT - 2, "text-anchor": "end" }, String(new Date(first + span).getUTCFullYear())),
  );
}

/** The places, moved as little as it takes to keep the points from covering each other. @param {number[]} places */
function apart(places) {
  const moved = [...places];
  for (let index = 1; index < moved.length; index += 1) moved[index] = Math.max(moved[index], moved[index - 1] + POINT);
  let limit = WIDTH - EDGE;
  for (let index = moved.length - 1; index >= 0; index -= 1) {
    moved[index] = Math.min(moved[index], limit);
    limit = moved[index] - POINT;
  }
  return moved;
}

function clamp(x) {
  return Math.max(EDGE, Math.min(WIDTH - EDGE, x));
}

function anchor(x) {
  if (x < 60) return "start";
  return x > WIDTH - 60 ? "end" : "middle";
}

function point({ kind, derived }, number, x) {
  return svg(
    "g",
    { class: `point ${kind}${derived ? " derived" : ""}` },
    svg("circle", { cx: x, cy: LINE_Y, r: 10 }),
    svg("text", { x, y: LINE_Y + 4, "text-anchor": "middle" }, String(number)),
  );
}

function list(dates, citations) {
  return h(
    "ol",
    { class: "date-list" },
    dates.map(({ kind, date, derived, past, cite }, index) =>
      h(
        "li",
        { class: `date ${kind}${past ? " past" : ""}` },
        h("span", { class: "date-number", "aria-hidden": "true" }, String(index + 1)),
        h("span", { class: "date-name" }, words(kind)),
        h("strong", {}, h("time", { datetime: date }, day(date))),
        derived && h("span", { class: "tag" }, t("report.derived")),
        past && kind === "notice" && h("span", { class: "tag" }, t("report.earlier")),
        cite && pageChip(citations, cite),
      ),
    ),
  );
}
