"""Restraints of trade: what a party may no longer do."""

import re
from decimal import Decimal

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, matching, outcome
from dealguard_analyzer.engines.rules.checks.kinds import is_commercial_agency, is_employment
from dealguard_analyzer.engines.rules.facts.periods import find_periods, months
from dealguard_analyzer.engines.rules.text import Sentence

_AFTER = re.compile(
    r"\b(?:after|following|thereafter|nach (?:der |dem |seiner |seinem )?(?:vertrags)?(?:beendigung|ende|ausscheiden)"
    r"|nachvertraglich|danach)"
)
_EMPLOYEE = re.compile(r"\b(?:arbeitnehmer\w*|arbeitsverhältnis\w*|angestellte\w*)\b")
_COMPENSATION = re.compile(r"\bkarenzentschädigung|\bhälfte der\b.{0,80}\b(?:vertragsmäßigen|vergütung|leistungen)")
_SHARE = re.compile(r"(?P<number>\d{1,2}(?:,\d)?) ?(?:%|prozent|v\. ?h\.)")
_LEAST_PERCENT = 50
_LONGEST_MONTHS = 24  # § 74a (1) HGB: two years
_COMPETE = re.compile(
    r"\b(?:shall|will|may|must|agrees?|covenants?)\b.{0,40}\b(?:not|never|refrain)\b.{0,200}\bcompet"
    r"|\bneither\b.{0,200}\bcompet|\bcompet\w*\b.{0,120}\b(?:shall|may|will|must) not\b"
    r"|\bnon-?compet|\bnot to compete|\bwettbewerb(?!er[sn]?\b)|\bkonkurrenz(?!produkt)|\bkarenz"
)
_NO_RESTRAINT = re.compile(
    r"\bcompetitive analysis|\bnon-competition agreement|"
    r"\bfree to compete|\bmay compete\b|\bnothing (?:in|herein|contained).{0,80}\b(?:prevent|prohibit|restrict)"
    r"|\bcompetitive (?:bid|price|pricing|rates)|\bcompeting (?:claims|interests)|\bwettbewerbsrecht|\bunlauter"
)
_EXCLUSIVE = re.compile(
    r"\b(?:grants?|granted|appoints?|appointed|engages?|have|has|retains?)\b.{0,160}\b(?:an |the |sole and |its"
    r" )?exclusive"
    r" (?:\w+[, -]+){0,5}(?:right|rights|licen[sc]e|distribut\w+|agent|representative|supplier|provider|manufacturer"
    r"|reseller|access|sponsor)"
    r"|\bexclusively (?:\w+ ){0,3}(?:purchase|buy|source|obtain|supply|use|commerciali[sz]e|from|through)"
    r"|\b(?:purchase|buy|source|obtain|order)\w*\b.{0,80}\b(?:exclusively|solely|only) from\b"
    r"|\b(?:sole|only) (?:and exclusive )?(?:supplier|distributor|provider|source|agent)\b"
    r"|\ball (?:of )?(?:its|their|the) requirements\b"
    r"|\b(?:shall|will|agrees?) not (?:to )?(?:\w+ ){0,6}(?:grant|appoint|enter into|engage|licen[sc]e|sell|supply"
    r"|purchase)\b"
    r".{0,160}\b(?:any other|third part(?:y|ies)|competing|similar)\b"
    r"|\bexklusiv|\balleinvertrieb|\balleinbezug|\bausschließlich|\b(?:keine|nicht)\b.{0,120}\b(?:wettbewerbers|dritte)"
)
_NOT_EXCLUSIVE = re.compile(
    r"\bto prosecute\b|"
    r"\bnot (?:be construed as )?(?:creating|create)|\bnothing (?:herein|in this)|\bexclusively governed|\bexclusive"
    r" (?:option"
    r"|jurisdiction|venue|remed\w+|owner\w*)|\bsubcontractors\b.{0,40}\bperform|\bconfidential|\bausschließlich\w*"
    r" (?:gerichtsstand|zuständig|für eigene|dieses? vertrag|die bedingungen)|\bgerichtsstand"
    r"|\bnon-exclusive\b(?!.{0,300}"
    r"(?<!non-)\bexclusive\b)"
)
_MAY_SOLICIT = re.compile(r"\b(?:grants?|right) .{0,60}\bto solicit")
_SOLICIT = re.compile(
    r"\b(?:not|never|neither|refrain|nor|nicht|kein\w*|unterlassen|untersagt)\b.{0,250}\b(?:solicit|hire|recruit"
    r"|entice|induce"
    r"|employ|divert|abwerb|abzuwerben|beschäftig)|\bnon-?solicit|\babwerbe?verbot|\bkundenschutz"
)


def _non_compete(case: Case) -> Outcome | None:
    sentences = having(case.clauses.of("Non-Compete"), _COMPETE, _NO_RESTRAINT)
    if not sentences:
        return None
    longest = max(
        (months(hit.period) for s in sentences if _AFTER.search(s.lower) for hit in find_periods(s.text)), default=0
    )
    return outcome(sentences, likelihood=4, impact=4 if longest > _LONGEST_MONTHS else 3, focus=_COMPETE)


def _post_contractual(case: Case) -> list[Sentence]:
    """Restraints on an employee or commercial agent for the time after the contract, under German law."""
    if not case.german_law:
        return []
    post = having(case.clauses.of("Non-Compete"), _AFTER)
    if is_employment(case) or is_commercial_agency(case):
        return post
    return having(post, _EMPLOYEE)


def _without_compensation(case: Case) -> Outcome | None:
    post = _post_contractual(case)
    return outcome(post) if post and not matching(case, _COMPENSATION) else None


def _too_long(case: Case) -> Outcome | None:
    long = [
        s for s in _post_contractual(case) if any(months(hit.period) > _LONGEST_MONTHS for hit in find_periods(s.text))
    ]
    return outcome(long, focus=_AFTER)


def _low_compensation(case: Case) -> Outcome | None:
    """Less than half of the last remuneration (§ 74 (2) HGB)."""
    if not case.german_law or not is_employment(case):
        return None
    low = [
        sentence
        for sentence in matching(case, _COMPENSATION)
        for share in _SHARE.finditer(sentence.lower)
        if Decimal(share["number"].replace(",", ".")) < _LEAST_PERCENT
    ]
    return outcome(low, focus=_COMPENSATION)


def _exclusivity(case: Case) -> Outcome | None:
    if is_employment(case):
        return None  # whoever is employed works for the employer
    return outcome(having(case.clauses.of("Exclusivity"), _EXCLUSIVE, _NOT_EXCLUSIVE), focus=_EXCLUSIVE)


def _no_solicit(case: Case) -> Outcome | None:
    clauses = case.clauses.of("No-Solicit Of Employees") + case.clauses.of("No-Solicit Of Customers")
    return outcome(having(clauses, _SOLICIT, _MAY_SOLICIT), focus=_SOLICIT)


CHECKS = (
    Check(
        id="non-compete",
        category="Non-Compete",
        title=Words("Non-compete", "Wettbewerbsverbot"),
        explanation=Words(
            "A party must not compete. Subject, territory and time decide how much of its business this closes.",
            "Eine Partei darf nicht in Wettbewerb treten. Gegenstand, Gebiet und Dauer entscheiden, wie viel"
            " Geschäft ihr verschlossen bleibt.",
        ),
        recommendation=Words(
            "Narrow subject, territory and time to what the contract needs; delete it for the time after the contract.",
            "Gegenstand, Gebiet und Zeit auf das Nötige begrenzen; für die Zeit nach dem Vertrag streichen.",
        ),
        deviation=Words(
            "Balanced restraints are narrow and end with the contract, or within two years.",
            "Ausgewogen ist ein enges Verbot, das mit dem Vertrag oder binnen zwei Jahren endet.",
        ),
        likelihood=4,
        impact=3,
        find=_non_compete,
        statutes=("§ 138 BGB", "§ 1 GWB", "§ 74 HGB", "§ 90a HGB"),
        hurts="bound",
    ),
    Check(
        id="non-compete-no-compensation",
        category="Non-Compete",
        title=Words(
            "Post-contractual non-compete without compensation",
            "Nachvertragliches Wettbewerbsverbot ohne Karenzentschädigung",
        ),
        explanation=Words(
            "An employee or commercial agent is bound after the end of the contract, and no compensation was"
            " found. An employee's restraint without any promise of compensation is void; a commercial agent can claim"
            " a reasonable one.",
            "Ein Arbeitnehmer oder Handelsvertreter wird nach Vertragsende gebunden; eine Karenzentschädigung"
            " wurde nicht gefunden. Ohne jede Zusage ist das Verbot beim Arbeitnehmer nichtig; ein Handelsvertreter"
            " kann eine angemessene Entschädigung verlangen.",
        ),
        recommendation=Words(
            "Promise at least half of the last remuneration, or delete the restraint.",
            "Mindestens die Hälfte der letzten Bezüge zusagen oder das Verbot streichen.",
        ),
        deviation=Words("The law demands compensation.", "Das Gesetz verlangt eine Entschädigung."),
        likelihood=4,
        impact=3,
        find=_without_compensation,
        assessment="check",
        statutes=("§ 74 Abs. 2 HGB", "§ 110 GewO", "§ 90a HGB"),
        hurts="bound",
    ),
    Check(
        id="non-compete-too-long",
        category="Non-Compete",
        title=Words(
            "Post-contractual non-compete over two years", "Nachvertragliches Wettbewerbsverbot über zwei Jahre"
        ),
        explanation=Words(
            "The restraint lasts longer than two years after the end of the contract. To that extent it does not bind.",
            "Das Verbot dauert länger als zwei Jahre nach Vertragsende. Soweit es darüber hinausgeht, bindet es nicht.",
        ),
        recommendation=Words("Shorten it to two years at most.", "Auf höchstens zwei Jahre kürzen."),
        deviation=Words("§ 74a (1), § 90a (1) HGB.", "§ 74a Abs. 1, § 90a Abs. 1 HGB."),
        likelihood=3,
        impact=3,
        find=_too_long,
        statutes=("§ 74a Abs. 1 HGB", "§ 110 GewO", "§ 90a HGB"),
        hurts="bound",
    ),
    Check(
        id="non-compete-low-compensation",
        category="Non-Compete",
        title=Words("Compensation below one half", "Karenzentschädigung unter der Hälfte"),
        explanation=Words(
            "The compensation promised is less than half of the last remuneration. The restraint then does not bind the"
            " employee, who may choose.",
            "Die zugesagte Entschädigung ist geringer als die Hälfte der letzten Bezüge. Das Verbot ist dann"
            " unverbindlich; der Arbeitnehmer hat die Wahl.",
        ),
        recommendation=Words(
            "Promise at least half of all remuneration.", "Mindestens die Hälfte aller Bezüge zusagen."
        ),
        deviation=Words("§ 74 (2) HGB.", "§ 74 Abs. 2 HGB."),
        likelihood=4,
        impact=3,
        find=_low_compensation,
        statutes=("§ 74 Abs. 2 HGB", "§ 110 GewO"),
    ),
    Check(
        id="exclusivity",
        category="Exclusivity",
        title=Words("Exclusivity", "Exklusivität"),
        explanation=Words(
            "A party is tied to the other and may not work with, buy from or sell to third parties in this field.",
            "Eine Partei ist an die andere gebunden und darf in diesem Bereich nicht mit Dritten arbeiten,"
            " kaufen oder verkaufen.",
        ),
        recommendation=Words(
            "Check field, territory and time; tie exclusivity to a minimum that the other side must reach.",
            "Bereich, Gebiet und Zeit prüfen; die Exklusivität an eine Mindestleistung der Gegenseite knüpfen.",
        ),
        deviation=Words(
            "Balanced exclusivity is paid for by a commitment of the other side.",
            "Ausgewogen ist Exklusivität nur gegen eine Verpflichtung der anderen Seite.",
        ),
        likelihood=3,
        impact=3,
        find=_exclusivity,
        assessment="check",
        statutes=("Art. 101 AEUV", "§ 1 GWB"),
        hurts="bound",
    ),
    Check(
        id="no-solicit",
        category="No-Solicit Of Employees",
        title=Words("No solicitation of employees or customers", "Abwerbeverbot für Mitarbeiter oder Kunden"),
        explanation=Words(
            "A party must not hire the other's people or approach its customers.",
            "Eine Partei darf Mitarbeiter oder Kunden der anderen nicht abwerben.",
        ),
        recommendation=Words(
            "Limit it to active solicitation, to the people involved, and to a year.",
            "Auf aktives Abwerben, beteiligte Personen und ein Jahr begrenzen.",
        ),
        deviation=Words(
            "Usually mutual and limited to a year.", "Üblich ist ein gegenseitiges, auf ein Jahr begrenztes Verbot."
        ),
        likelihood=2,
        impact=2,
        find=_no_solicit,
        statutes=("§ 75f HGB",),
        hurts="bound",
    ),
)
