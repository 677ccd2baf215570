"""German contracts of employment: notice, probation, time limits for claims, overtime."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, matching, outcome, without_near
from dealguard_analyzer.engines.rules.checks.kinds import is_employment
from dealguard_analyzer.engines.rules.facts.periods import PeriodHit, find_periods, months
from dealguard_analyzer.engines.rules.text import Sentence
from dealguard_api.report import Period

_NOTICE = re.compile(r"\bkündigungsfrist|\bkündig\w*\b.{0,80}\bfrist\b|\bfrist\b.{0,80}\b(?:kündig|gekündigt)")
_DURING_PROBATION = re.compile(r"\b(?:während|innerhalb|in) der probezeit")
_PROBATION = re.compile(r"\bprobezeit")
_EMPLOYEE_GIVES = re.compile(r"\b(?:durch|des|vom|von|der|die|für|den)(?: den| die| der)? arbeitnehmer\w*")
_EMPLOYER_GIVES = re.compile(r"\b(?:durch|des|vom|von|der|die|für|den)(?: den| die| der)? arbeitgeber\w*")
_FORFEIT = re.compile(r"\bverfall\w*|\bausschlussfrist\w*|\berl(?:ö|i)sch\w*")
_CLAIMS = re.compile(r"\bansprüche\b")
_FORFEIT_EXCEPTION = re.compile(r"\bvorsatz|\bvorsätzlich|\bmindestlohn|\bmilog|\bunabdingbar")
_OVERTIME = re.compile(
    r"\b(?:überstunden|mehrarbeit)\b.{0,120}\b(?:abgegolten|pauschal|mit .{0,30}(?:gehalt|vergütung))"
)
_QUANTIFIED = re.compile(r"\bbis zu\b|\b\d+ (?:über)?stunden|\b(?:fünf|zehn|zwölf|fünfzehn|zwanzig) (?:über)?stunden")
_SHORTEST_NOTICE_DAYS = 28  # § 622 (1) BGB: four weeks
_SHORTEST_PROBATION_NOTICE_DAYS = 14  # § 622 (3) BGB
_LONGEST_PROBATION_MONTHS = 6
_SHORTEST_FORFEIT_MONTHS = 3  # case law of the Federal Labour Court


def _applies(case: Case) -> bool:
    return case.german_law and case.german and is_employment(case)


def _days(period: Period) -> float:
    """For comparing notice periods; a month is 30 days, as 28 days are four weeks."""
    return {"day": 1, "businessDay": 1.4, "week": 7, "month": 30, "quarter": 90, "year": 365}[period.unit] * float(
        period.value
    )


def _notice_hits(sentence: Sentence) -> list[PeriodHit]:
    """The periods of notice that the sentence states; the length of the probation is none."""
    return [
        hit
        for hit in find_periods(sentence.text)
        if re.search(r"\bfrist\b|\bkündigungsfrist", sentence.lower[max(0, hit.start - 60) : hit.end + 30])
        and not re.search(r"\bprobezeit (?:von|beträgt|dauert)\b.{0,12}$", sentence.lower[: hit.start])
        and not re.search(r"\bersten? .{0,6}$|\bnach .{0,20}$", sentence.lower[: hit.start])
    ]


def _short_notice(case: Case) -> Outcome | None:
    if not _applies(case):
        return None
    found = [
        sentence
        for sentence in matching(case, _NOTICE)
        if any(
            _days(hit.period)
            < (_SHORTEST_PROBATION_NOTICE_DAYS if _DURING_PROBATION.search(sentence.lower) else _SHORTEST_NOTICE_DAYS)
            for hit in _notice_hits(sentence)
        )
    ]
    return outcome(found, focus=_NOTICE)


def _long_probation(case: Case) -> Outcome | None:
    if not _applies(case):
        return None
    found = []
    for sentence in matching(case, _PROBATION):
        for hit in find_periods(sentence.text):
            around = sentence.lower[max(0, hit.start - 50) : hit.end + 40]
            if "probezeit" in around and "frist" not in around and months(hit.period) > _LONGEST_PROBATION_MONTHS:
                found.append(sentence)
    return outcome(found, focus=_PROBATION)


def _longer_for_employee(case: Case) -> Outcome | None:
    """§ 622 (6): the employee's notice may not be longer than the employer's."""
    if not _applies(case):
        return None
    given: dict[str, list[tuple[float, Sentence]]] = {"employee": [], "employer": []}
    for sentence in matching(case, _NOTICE, _DURING_PROBATION):
        for hit in _notice_hits(sentence):
            around = sentence.lower[max(0, hit.start - 120) : hit.end + 60]
            employee, employer = _last(_EMPLOYEE_GIVES, around), _last(_EMPLOYER_GIVES, around)
            if employee != employer:
                given["employee" if employee > employer else "employer"].append((_days(hit.period), sentence))
    longer = [s for days, s in given["employee"] if any(days > other for other, _ in given["employer"])]
    return outcome(longer + [s for _, s in given["employer"]]) if longer else None


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((match.start() for match in pattern.finditer(text)), default=-1)


def _forfeit(case: Case) -> Outcome | None:
    if not _applies(case):
        return None
    clauses = [s for s in matching(case, _FORFEIT) if _CLAIMS.search(s.lower)]
    short = [
        s for s in clauses if any(0 < months(hit.period) < _SHORTEST_FORFEIT_MONTHS for hit in find_periods(s.text))
    ]
    total = without_near(case, clauses, _FORFEIT_EXCEPTION, before=2, after=3)
    return outcome(short or total, focus=_FORFEIT)


def _overtime(case: Case) -> Outcome | None:
    return outcome(matching(case, _OVERTIME, _QUANTIFIED), focus=_OVERTIME) if _applies(case) else None


CHECKS = (
    Check(
        id="employment-notice-short",
        category="Termination For Convenience",
        title=Words("Notice period below the statutory minimum", "Kündigungsfrist unter dem gesetzlichen Mindestmaß"),
        explanation=Words(
            "The notice is shorter than four weeks, or than two weeks during probation. Only a collective agreement,"
            " and"
            " few other cases, may shorten it.",
            "Die Frist ist kürzer als vier Wochen, in der Probezeit kürzer als zwei Wochen. Kürzen dürfen sie nur ein"
            " Tarifvertrag und wenige andere Fälle.",
        ),
        recommendation=Words("Agree the statutory periods.", "Die gesetzlichen Fristen vereinbaren."),
        deviation=Words("§ 622 (1), (3) to (5) BGB.", "§ 622 Abs. 1, 3 bis 5 BGB."),
        likelihood=4,
        impact=2,
        find=_short_notice,
        assessment="check",
        statutes=("§ 622 Abs. 1 BGB", "§ 622 Abs. 3 BGB", "§ 622 Abs. 5 BGB"),
    ),
    Check(
        id="employment-probation-long",
        category="Expiration Date",
        title=Words("Probation longer than six months", "Probezeit länger als sechs Monate"),
        explanation=Words(
            "The short notice of two weeks applies for the first six months at most. After that the longer periods"
            " apply, and so does protection against dismissal where the firm is large enough.",
            "Die kurze Frist von zwei Wochen gilt höchstens sechs Monate. Danach gelten die längeren Fristen und, je"
            " nach"
            " Betriebsgröße, der Kündigungsschutz.",
        ),
        recommendation=Words("Shorten it to six months.", "Auf sechs Monate begrenzen."),
        deviation=Words("§ 622 (3) BGB.", "§ 622 Abs. 3 BGB."),
        likelihood=3,
        impact=2,
        find=_long_probation,
        statutes=("§ 622 Abs. 3 BGB", "§ 1 KSchG"),
    ),
    Check(
        id="employment-notice-unequal",
        category="Termination For Convenience",
        title=Words("Longer notice for the employee", "Längere Kündigungsfrist für den Arbeitnehmer"),
        explanation=Words(
            "The employee must give longer notice than the employer. The law forbids that.",
            "Der Arbeitnehmer muss eine längere Frist einhalten als der Arbeitgeber. Das verbietet das Gesetz.",
        ),
        recommendation=Words("Agree the same period for both.", "Für beide dieselbe Frist vereinbaren."),
        deviation=Words("§ 622 (6) BGB.", "§ 622 Abs. 6 BGB."),
        likelihood=4,
        impact=2,
        find=_longer_for_employee,
        statutes=("§ 622 Abs. 6 BGB",),
    ),
    Check(
        id="employment-forfeit",
        category="waiver",
        title=Words("Claims are forfeited after a short time", "Ausschlussfrist für Ansprüche"),
        explanation=Words(
            "Claims lapse if they are not raised in time. In standard terms less than three months is too short, and a"
            " clause that does not except the minimum wage and intent is at least partly void.",
            "Ansprüche verfallen, wenn sie nicht rechtzeitig geltend gemacht werden. In AGB sind weniger als drei"
            " Monate"
            " zu kurz; nimmt die Klausel Mindestlohn und Vorsatz nicht aus, ist sie zumindest teilweise unwirksam.",
        ),
        recommendation=Words(
            "Three months, in text form, with exceptions for the minimum wage and for intent.",
            "Drei Monate, Textform, Ausnahmen für Mindestlohn und Vorsatz.",
        ),
        deviation=Words("§ 3 MiLoG, § 202 (1), § 307 BGB.", "§ 3 MiLoG, § 202 Abs. 1, § 307 BGB."),
        likelihood=3,
        impact=2,
        find=_forfeit,
        assessment="check",
        statutes=("§ 307 BGB", "§ 3 MiLoG", "§ 202 Abs. 1 BGB", "§ 309 Nr. 13 BGB"),
    ),
    Check(
        id="employment-overtime",
        category="payment",
        title=Words("Overtime is paid with the salary", "Überstunden pauschal abgegolten"),
        explanation=Words(
            "The salary covers overtime without saying how much. Such a clause is not transparent in standard terms.",
            "Das Gehalt gilt Überstunden ab, ohne dass ihr Umfang genannt ist. In AGB ist das intransparent.",
        ),
        recommendation=Words("Name the number of hours covered.", "Die Zahl der abgegoltenen Stunden nennen."),
        deviation=Words("§ 307 (1) sentence 2 BGB.", "§ 307 Abs. 1 Satz 2 BGB."),
        likelihood=3,
        impact=2,
        find=_overtime,
        assessment="check",
        statutes=("§ 307 Abs. 1 Satz 2 BGB", "§ 612 BGB"),
    ),
)
