/** The dates of a contract: those it states, and those that follow from them, which are marked as calculated. */

const MS_PER_DAY = 86_400_000;
// A period that counts to the end of the term, not to the end of a month or a quarter, gives a day.
const TO_THE_END = /\bterm\b|laufzeit|vertragsende|expir|renew|verläng|vertragslaufzeit/i;
const CALENDAR = /quart|kalender|calendar|monatsende|end of (a|the|any) (month|year)|jahresende/i;

/** @typedef {{kind: string, date: string, derived: boolean, cite: string|null, past: boolean}} ContractDate */

/**
 * @param {any} report @param {string} today ISO date.
 * @returns {ContractDate[]} In their order; those without a day are placed at its beginning.
 */
export function contractDates(report, today) {
  const stated = ["agreementDate", "effectiveDate", "expirationDate"]
    .filter((kind) => report[kind])
    .map((kind) => ({ kind, date: report[kind].value, derived: false, cite: kind }));
  const dates = [...stated, ...derived(report, today)];
  return dates
    .map((each) => ({ ...each, past: each.date.length === 10 && each.date < today }))
    .sort((one, other) => one.date.localeCompare(other.date));
}

function derived(report, today) {
  const found = [];
  let end = exact(report.expirationDate?.value);
  const start = exact(report.effectiveDate?.value);
  const term = report.initialTerm?.value;
  if (!report.expirationDate && start && term) {
    const after = shift(start, term, 1);
    // A term that begins on the first of a day ends with the day before: § 188 (2) BGB, and usage elsewhere.
    end = after && addDays(after, -1);
    if (end) found.push({ kind: "end", date: end, derived: true, cite: "initialTerm" });
  }
  const notice = report.noticePeriod?.value;
  if (!end || !notice || !countsToTheEnd(notice)) return found;
  const renewal = report.renewal?.value;
  let last = shift(end, notice, -1);
  // Once notice is too late the term is longer: the next chance counts.
  for (let step = 0; last && last < today && renewal?.automatic && renewal.period && step < 200; step += 1) {
    end = shift(end, renewal.period, 1);
    last = end && shift(end, notice, -1);
  }
  if (last) found.push({ kind: "notice", date: last, derived: true, cite: "noticePeriod" });
  return found;
}

function exact(iso) {
  return iso && /^\d{4}-\d{2}-\d{2}$/.test(iso) ? iso : null;
}

function countsToTheEnd(notice) {
  const to = notice.referencePoint;
  return !to || (TO_THE_END.test(to) && !CALENDAR.test(to));
}

/**
 * @param {string} iso @param {{value: string, unit: string}} period @param {1|-1} direction
 * @returns {string|null} null where the period gives no day: business days, parts of a month.
 */
export function shift(iso, period, direction) {
  const number = Number(period.value);
  if (!Number.isInteger(number)) return null;
  const days = { day: 1, week: 7 }[period.unit];
  if (days) return addDays(iso, direction * number * days);
  const months = { month: 1, quarter: 3, year: 12 }[period.unit];
  return months ? addMonths(iso, direction * number * months) : null;
}

function addDays(iso, days) {
  return formatted(new Date(Date.parse(iso) + days * MS_PER_DAY));
}

/** The same day of another month; its last day where it is shorter, or where this one is a last day. */
function addMonths(iso, months) {
  const [year, month, day] = iso.split("-").map(Number);
  const lastHere = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const lastThere = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  const target = day === lastHere ? lastThere : Math.min(day, lastThere);
  return formatted(new Date(Date.UTC(year, month - 1 + months, target)));
}

function formatted(date) {
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 ? null : date.toISOString().slice(0, 10);
}
