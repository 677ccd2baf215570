"""What German standard terms may not say about paying: set-off, retention, reminders, flat sums, price rises."""

import re

from dealguard_analyzer.engines.rules.checks import (
    Case,
    Check,
    Outcome,
    Words,
    as_standard_term,
    matching,
    without_near,
)
from dealguard_analyzer.engines.rules.checks.kinds import is_employment

_SET_OFF = re.compile(r"\b(?:aufrechnung\w*|aufrechnen|aufzurechnen|aufgerechnet)\b")
_UNDISPUTED = re.compile(r"\bunbestritten|\brechtskräftig|\bunstreitig|\banerkannt")
_SET_OFF_ENDED = re.compile(
    r"\b(?:ausgeschlossen|unzulässig|nicht (?:berechtigt|gestattet|zulässig|möglich)|untersagt)\b"
)
_SET_OFF_LIMITED = re.compile(r"\b(?:nur|ausschließlich|außer|sofern|lediglich)\b")
_SAME_CONTRACT = re.compile(
    r"\b(?:dem|aus dem|im)?(?:selben|gleichen|demselben) (?:vertrag|rechts)\w*|\bsynallagma\w*|\bgegenseitigkeit\w*"
    r"|\bmängel\w*|\bmangel\w*|\bwiderruf\w*|\bgegenanspr\w+ aus (?:diesem|dem) vertrag"
)
_RETENTION = re.compile(r"\b(?:zurückbehaltungsrecht\w*|leistungsverweigerungsrecht\w*|zurückbehaltung)\b")
_RETENTION_ENDED = re.compile(r"\b(?:ausgeschlossen|ausschluss|nicht zu|kein\w*|unzulässig|verzichtet)\b")
_NO_REMINDER = re.compile(
    r"\bohne (?:weitere |vorherige |gesonderte |besondere )?(?:mahnung|fristsetzung|nachfrist)\b"
    r"|\beiner? (?:mahnung|fristsetzung|nachfristsetzung) bedarf es nicht"
)
_CONSEQUENCE = re.compile(r"\bverzug|\bzurücktreten|\brücktritt|\bschadensersatz|\bkündig|\bsperr|\bzinsen")
_DATE_SET = re.compile(
    r"\bkalender|\btag(?:e|en)? nach (?:zugang|rechnung|erhalt)|§ ?286|\bwichtige\w* grund|\bfristlos"
)
_FLAT = re.compile(
    r"\b(?:mahn|rücklast|rückbuchungs?|bearbeitungs|verwaltungs|storno)\w*(?:gebühr|spesen|kosten|pauschale|schrift)"
    r"|\bfür (?:jede|die \d\.) mahnung\b|\bschadenspauschale|\bpauschalierte\w* schadens|\bpauschale\w*"
    r" .{0,30}\bschadensersatz"
)
_AMOUNT = re.compile(r"\d ?(?:€|eur\b|euro\b|%|prozent\b)|(?:€|eur) ?\d|\bpauschal|\bschadenspauschale")
_LOWER_PROOF = re.compile(
    r"\b(?:nachweis\w*|nachzuweisen|nachgewiesen|weist|unbenommen|es sei denn)\b|\b(?:niedriger|geringer)\w*\b"
)
_PRICE_AT_DELIVERY = re.compile(
    r"\bpreis\w*\b.{0,80}\b(?:freibleibend|unverbindlich|änderungen .{0,20}vorbehalten)"
    r"|\b(?:gelten|gilt|maßgeb\w+|berechnet)\b.{0,80}\bam tage? der (?:lieferung|auslieferung|leistung)\b"
    r"|\b(?:am|bei) (?:tage? der )?(?:lieferung|auslieferung)\b.{0,40}\bgültigen? (?:listen)?preis"
    r"|\bpreis(?:änderung|erhöhung|anpassung)\w*\b.{0,60}\b(?:vorbehalten|jederzeit|berechtigt|zulässig)"
    r"|\b(?:preise?|preisliste)\b.{0,80}\bvor (?:der )?(?:lieferung|auslieferung)\b.{0,60}\b(?:erhöh|änder|anpass)"
)
_FOUR_MONTHS = re.compile(r"\b(?:vier|4) monat")


def _set_off_ban(case: Case) -> Outcome | None:
    bans = [s for s in matching(case, _SET_OFF, _UNDISPUTED) if _SET_OFF_ENDED.search(s.lower)]
    return as_standard_term(case, without_near(case, bans, _UNDISPUTED), focus=_SET_OFF)


def _set_off_limited(case: Case) -> Outcome | None:
    limited = [s for s in matching(case, _SET_OFF) if _UNDISPUTED.search(s.lower) and _SET_OFF_LIMITED.search(s.lower)]
    found = as_standard_term(case, without_near(case, limited, _SAME_CONTRACT, before=0, after=0), focus=_SET_OFF)
    # Debated, and settled only where counterclaims from the same contract are hit: never a verdict.
    return Outcome(found.sentences, assessment="check", focus=_SET_OFF) if found else None


def _retention_ban(case: Case) -> Outcome | None:
    bans = [
        s
        for s in matching(case, _RETENTION, re.compile(r"\bnur\b|\bsoweit\b|\bunbestritten|\bunberührt"))
        if _RETENTION_ENDED.search(s.lower)
    ]
    return as_standard_term(case, bans, focus=_RETENTION)


def _no_reminder(case: Case) -> Outcome | None:
    if is_employment(case):
        return None
    waived = [s for s in matching(case, _NO_REMINDER, _DATE_SET) if _CONSEQUENCE.search(s.lower)]
    return as_standard_term(case, waived, focus=_NO_REMINDER)


def _lump_sum_without_proof(case: Case) -> Outcome | None:
    flat = [s for s in matching(case, _FLAT, re.compile(r"\bvertragsstrafe")) if _AMOUNT.search(s.lower)]
    return as_standard_term(case, without_near(case, flat, _LOWER_PROOF, before=0), focus=_FLAT)


def _price_before_delivery(case: Case) -> Outcome | None:
    rises = matching(case, _PRICE_AT_DELIVERY, _FOUR_MONTHS)
    return as_standard_term(case, rises, businesses=False, focus=_PRICE_AT_DELIVERY)


CHECKS = (
    Check(
        id="set-off-ban",
        category="payment",
        title=Words("Set-off excluded", "Aufrechnung ausgeschlossen"),
        explanation=Words(
            "The other side may not set off, not even claims that are undisputed or finally adjudicated. As a standard"
            " term that is void.",
            "Die Gegenseite darf nicht aufrechnen, auch nicht mit unbestrittenen oder rechtskräftig festgestellten"
            " Forderungen. Als AGB ist das unwirksam.",
        ),
        recommendation=Words(
            "Except undisputed and adjudicated claims, and claims from the same contract.",
            "Unbestrittene und rechtskräftige Forderungen sowie Gegenansprüche aus demselben Vertrag ausnehmen.",
        ),
        deviation=Words("§ 309 no. 3 BGB.", "§ 309 Nr. 3 BGB."),
        likelihood=3,
        impact=2,
        find=_set_off_ban,
        assessment="check",
        statutes=("§ 309 Nr. 3 BGB", "§ 307 BGB"),
        standard_term=True,
    ),
    Check(
        id="set-off-limited",
        category="payment",
        title=Words(
            "Set-off limited to undisputed or adjudicated claims",
            "Aufrechnung nur mit unbestrittenen oder rechtskräftigen Forderungen",
        ),
        explanation=Words(
            "Counterclaims from the same contract, for example for defects, are cut off as well. Courts have held such"
            " terms to be an unreasonable disadvantage.",
            "Auch Gegenansprüche aus demselben Vertrag, etwa wegen Mängeln, werden abgeschnitten. Solche Klauseln"
            " wurden"
            " als unangemessene Benachteiligung beanstandet.",
        ),
        recommendation=Words(
            "Except counterclaims from the same contract.", "Gegenansprüche aus demselben Vertragsverhältnis ausnehmen."
        ),
        deviation=Words(
            "Balanced clauses except claims from the same contract.",
            "Ausgewogene Klauseln nehmen Ansprüche aus demselben Vertrag aus.",
        ),
        likelihood=2,
        impact=2,
        find=_set_off_limited,
        assessment="check",
        statutes=("§ 307 Abs. 1 BGB", "§ 309 Nr. 3 BGB"),
        standard_term=True,
    ),
    Check(
        id="retention-ban",
        category="payment",
        title=Words("Right to withhold excluded", "Zurückbehaltungsrecht ausgeschlossen"),
        explanation=Words(
            "The other side must pay although the performance is missing or defective. Standard terms may not exclude"
            " rights to withhold from the same contract.",
            "Die Gegenseite muss zahlen, auch wenn die Leistung fehlt oder mangelhaft ist. AGB dürfen"
            " Zurückbehaltungsrechte aus demselben Vertrag nicht ausschließen.",
        ),
        recommendation=Words(
            "Allow withholding for claims from the same contract.",
            "Die Zurückbehaltung wegen Ansprüchen aus demselben Vertrag zulassen.",
        ),
        deviation=Words("§ 309 no. 2 BGB.", "§ 309 Nr. 2 BGB."),
        likelihood=3,
        impact=2,
        find=_retention_ban,
        assessment="check",
        statutes=("§ 309 Nr. 2 BGB", "§ 273 BGB", "§ 320 BGB"),
        standard_term=True,
    ),
    Check(
        id="no-reminder",
        category="payment",
        title=Words("No reminder or grace period needed", "Ohne Mahnung oder Fristsetzung"),
        explanation=Words(
            "The other side loses the reminder or the grace period that the law gives. Standard terms may not waive"
            " them.",
            "Der Gegenseite wird die gesetzliche Mahnung oder Nachfrist genommen. AGB dürfen davon nicht freistellen.",
        ),
        recommendation=Words("Add a reminder with a period.", "Mahnung mit Frist vorsehen."),
        deviation=Words("§ 309 no. 4 BGB.", "§ 309 Nr. 4 BGB."),
        likelihood=3,
        impact=2,
        find=_no_reminder,
        assessment="check",
        statutes=("§ 309 Nr. 4 BGB", "§ 286 BGB", "§ 323 BGB"),
        standard_term=True,
    ),
    Check(
        id="lump-sum-no-proof",
        category="Liquidated Damages",
        title=Words(
            "Lump-sum damages without proof of lower damage",
            "Schadenspauschale ohne Nachweis eines geringeren Schadens",
        ),
        explanation=Words(
            "Lump-sum damages in standard terms must leave the other side the proof that the damage is lower. No such"
            " words stand near.",
            "Eine Schadenspauschale in AGB muss der anderen Seite den Nachweis eines geringeren Schadens ausdrücklich"
            " offen lassen. Ein solcher Zusatz fehlt in der Nähe.",
        ),
        recommendation=Words(
            "Add the proof of a lower damage; a reminder may cost what it costs.",
            "Den Nachweis eines geringeren Schadens zulassen; Mahnkosten auf den Aufwand begrenzen.",
        ),
        deviation=Words("§ 309 no. 5 BGB.", "§ 309 Nr. 5 BGB."),
        likelihood=2,
        impact=2,
        find=_lump_sum_without_proof,
        assessment="check",
        statutes=("§ 309 Nr. 5 BGB", "§ 307 BGB"),
        standard_term=True,
    ),
    Check(
        id="price-before-delivery",
        category="prices",
        title=Words("Price may rise before delivery", "Preiserhöhung vor Lieferung"),
        explanation=Words(
            "The price is left open or may rise before delivery. Towards consumers no rise is allowed for what is"
            " delivered within four months.",
            "Der Preis bleibt offen oder darf vor der Lieferung steigen. Gegenüber Verbrauchern ist das für Leistungen"
            " innerhalb von vier Monaten unwirksam.",
        ),
        recommendation=Words(
            "Fix the price of the order; allow rises only after four months.",
            "Den Preis der Bestellung festschreiben; Erhöhungen erst nach vier Monaten zulassen.",
        ),
        deviation=Words("§ 309 no. 1 BGB.", "§ 309 Nr. 1 BGB."),
        likelihood=3,
        impact=2,
        find=_price_before_delivery,
        assessment="check",
        statutes=("§ 309 Nr. 1 BGB", "§ 307 BGB"),
        standard_term=True,
    ),
)
