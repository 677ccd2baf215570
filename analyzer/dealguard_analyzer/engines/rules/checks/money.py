"""Prices that move, penalties, commitments to buy."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, matching, outcome

_UNILATERAL = re.compile(
    r"\b(?:may|reserves? the right to|entitled to|has the right to|shall have the right to) (?:\w+"
    r" ){0,8}(?:increase|change|adjust|modify|revise|amend)\b"
    r".{0,60}\b(?:prices?|fees?|rates?|charges|pricing)\b"
    r"|\b(?:prices?|fees?|rates?|pricing)\b.{0,60}\b(?:subject to (?:change|increase)|may be (?:increased"
    r"|changed|adjusted|modified|revised))"
    r"|\b(?:berechtigt|vorbehalten|behält sich|kann|können|darf)\b.{0,100}\b(?:preise?|vergütung|entgelte?"
    r"|gebühren|miete)\b.{0,80}\b(?:anzupassen|anpassen|erhöhen|zu erhöhen|ändern|zu ändern|anpassung|erhöhung)"
    r"|\b(?:preise?|vergütung|entgelte?|gebühren)\b.{0,80}\b(?:einseitig|nach billigem ermessen"
    r"|jederzeit)\b.{0,60}\b(?:anpass|erhöh|änder|anzupassen|zu erhöhen|zu ändern)"
)
_AGREED = re.compile(
    r"\bmutual|\bby agreement\b|\bmutually\b|\bupon consent|\bim einvernehmen|\beinvernehmlich|\bnur mit zustimmung"
)
_PENALTY = re.compile(
    r"\bliquidated damages\b|\bvertragsstrafe|\bpönale|\bkonventionalstrafe|\bpauschalierte\w* schadens"
    r"|\bschadenspauschale|\bas a penalty\b|\bcontractual penalty\b"
)
_NO_PENALTY = re.compile(r"\bkeine vertragsstrafe|\bno liquidated damages|\bwithout (?:the payment of any )?penalt")
_PROOF_CUT_OFF = re.compile(
    r"\bschadenspauschale|\bpauschalierte\w* schadens|\bpauschale\w* .{0,30}\bschadensersatz"
    r"|\bbearbeitungspauschale|\bmahnpauschale"
)
_PROOF = re.compile(r"\b(?:nachweis|nachweisen|nachzuweisen|niedriger\w*|geringer\w*|kein schaden)\b")
_INTEREST = re.compile(
    r"\b(?:interest|zinsen|verzugszins\w*)\b.{0,80}\b(?:1[2-9]|[2-9]\d|one and one[- ]half|1\.5|1,5)"
    r" ?(?:\([^)]{1,8}\) ?)?(?:%|percent|prozent)(?: per| pro)? ?\w*"
)


def _unilateral_price(case: Case) -> Outcome | None:
    return outcome(matching(case, _UNILATERAL, _AGREED))


def _penalty(case: Case) -> Outcome | None:
    return outcome(matching(case, _PENALTY, _NO_PENALTY))


def _lump_sum_without_proof(case: Case) -> Outcome | None:
    if not case.german_law:
        return None
    found = []
    for sentence in matching(case, _PROOF_CUT_OFF):
        near = case.text.sentences[sentence.index : sentence.index + 3]
        if not any(_PROOF.search(s.lower) for s in near):
            found.append(sentence)
    return outcome(found)


def _minimum(case: Case) -> Outcome | None:
    commits = re.compile(r"\b(?:shall|must|agrees?|commit|guarantee|verpflichtet|mindestens|abzunehmen)\b")
    return outcome(having(case.clauses.of("Minimum Commitment"), commits))


def _most_favoured(case: Case) -> Outcome | None:
    return outcome(case.clauses.of("Most Favored Nation"))


def _interest(case: Case) -> Outcome | None:
    return outcome(matching(case, _INTEREST))


CHECKS = (
    Check(
        id="price-unilateral-change",
        category="Price Restrictions",
        title=Words("Price may be changed by one side", "Einseitige Preisänderung"),
        explanation=Words(
            "One party may change prices by itself. The other cannot rely on the price it agreed to.",
            "Eine Partei kann die Preise allein ändern. Die andere kann sich auf den vereinbarten Preis nicht"
            " verlassen.",
        ),
        recommendation=Words(
            "Tie increases to an index or to proven costs, cap them, and add a right to terminate.",
            "Erhöhungen an einen Index oder nachgewiesene Kosten binden, begrenzen und mit einem"
            " Kündigungsrecht verbinden.",
        ),
        deviation=Words(
            "Balanced clauses name reason, amount and exit.",
            "Ausgewogene Klauseln nennen Anlass, Umfang und ein Lösungsrecht.",
        ),
        likelihood=4,
        impact=3,
        find=_unilateral_price,
        statutes=("§ 307 BGB", "§ 309 Nr. 1 BGB", "§ 315 BGB"),
        hurts="other",
    ),
    Check(
        id="penalty",
        category="Liquidated Damages",
        title=Words("Contractual penalty or liquidated damages", "Vertragsstrafe oder pauschalierter Schadensersatz"),
        explanation=Words(
            "A fixed sum is due on a breach, whatever the damage. Check when it is due, how high it can rise,"
            " and whether fault is required.",
            "Bei einem Verstoß wird eine feste Summe fällig, unabhängig vom Schaden. Zu prüfen: Anlass,"
            " Obergrenze, Verschulden.",
        ),
        recommendation=Words(
            "Agree a cap (often 5 % of the contract's value), require fault, and credit it against damages.",
            "Obergrenze vereinbaren (häufig 5 % der Auftragssumme), Verschulden voraussetzen und auf"
            " Schadensersatz anrechnen.",
        ),
        deviation=Words(
            "Balanced penalties are capped and depend on fault.",
            "Ausgewogene Vertragsstrafen sind begrenzt und verschuldensabhängig.",
        ),
        likelihood=3,
        impact=3,
        find=_penalty,
        statutes=("§ 339 BGB", "§ 343 BGB", "§ 348 HGB", "§ 309 Nr. 6 BGB"),
        hurts="bound",
    ),
    Check(
        id="lump-sum-no-proof",
        category="Liquidated Damages",
        title=Words(
            "Lump-sum damages without proof of lower damage",
            "Schadenspauschale ohne Nachweis eines geringeren Schadens",
        ),
        explanation=Words(
            "Lump-sum damages in standard terms must leave the other side the proof that the damage is lower."
            " No such words stand near.",
            "Eine Schadenspauschale in AGB muss der anderen Seite den Nachweis eines geringeren Schadens"
            " ausdrücklich offen lassen. Ein solcher Zusatz fehlt in der Nähe.",
        ),
        recommendation=Words("Add the proof of a lower damage.", "Den Nachweis eines geringeren Schadens zulassen."),
        deviation=Words(
            "§ 309 no. 5 BGB demands it towards consumers.", "§ 309 Nr. 5 BGB verlangt dies gegenüber Verbrauchern."
        ),
        likelihood=2,
        impact=2,
        find=_lump_sum_without_proof,
        assessment="check",
        statutes=("§ 309 Nr. 5 BGB", "§ 307 BGB"),
    ),
    Check(
        id="minimum-commitment",
        category="Minimum Commitment",
        title=Words("Minimum purchase or payment", "Mindestabnahme oder Mindestzahlung"),
        explanation=Words(
            "A minimum is owed even if there is no need for it.",
            "Eine Mindestmenge oder Mindestzahlung wird auch dann geschuldet, wenn kein Bedarf besteht.",
        ),
        recommendation=Words(
            "Check the quantity against a cautious forecast; agree carry-over, reduction or an exit.",
            "Die Menge an einer vorsichtigen Planung prüfen; Übertrag, Minderung oder Ausstieg vereinbaren.",
        ),
        deviation=Words(
            "Balanced contracts adjust the minimum to demand.", "Ausgewogen ist eine Anpassung an den Bedarf."
        ),
        likelihood=3,
        impact=3,
        find=_minimum,
        assessment="check",
        hurts="bound",
    ),
    Check(
        id="most-favoured",
        category="Most Favored Nation",
        title=Words("Most-favoured treatment", "Meistbegünstigung"),
        explanation=Words(
            "One party must not give anybody better terms. Every concession to another customer spreads to this"
            " contract.",
            "Eine Partei darf niemandem bessere Bedingungen gewähren. Jedes Zugeständnis an Dritte gilt auch hier.",
        ),
        recommendation=Words(
            "Limit it to comparable volumes, a region and a time; have compliance with competition law checked.",
            "Auf vergleichbare Mengen, Gebiet und Zeit begrenzen; kartellrechtlich prüfen lassen.",
        ),
        deviation=Words("Most contracts contain none.", "Die meisten Verträge enthalten keine."),
        likelihood=3,
        impact=3,
        find=_most_favoured,
        assessment="check",
        statutes=("Art. 101 AEUV", "§ 1 GWB"),
        hurts="bound",
    ),
    Check(
        id="high-interest",
        category="payment",
        title=Words("High interest on late payment", "Hohe Verzugszinsen"),
        explanation=Words(
            "Interest on late payment is well above the usual.", "Die Verzugszinsen liegen deutlich über dem Üblichen."
        ),
        recommendation=Words("Ask for the statutory rate.", "Den gesetzlichen Zinssatz verlangen."),
        deviation=Words("The law's rate is usual.", "Üblich ist der gesetzliche Satz (§ 288 BGB)."),
        likelihood=2,
        impact=2,
        find=_interest,
        assessment="check",
        statutes=("§ 288 BGB",),
        hurts="bound",
    ),
)
