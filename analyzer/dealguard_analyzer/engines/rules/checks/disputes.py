"""Which law, which court."""

import re

from dealguard_analyzer.engines.rules.checks import (
    Case,
    Check,
    Outcome,
    Words,
    as_standard_term,
    having,
    matching,
    outcome,
)
from dealguard_analyzer.engines.rules.checks.kinds import is_employment, is_residential_lease

_ARBITRATION = re.compile(r"\b(?:arbitration|arbitrated|schiedsgericht\w*|schiedsverfahren)\b")
_REFERRED = re.compile(
    r"\b(?:shall|will|must|agree)\b.{0,160}\b(?:settled|resolved|determined|decided|submitted|referred|submit"
    r"|refer)\b.{0,120}"
    r"\barbitra|\b(?:binding|final) arbitration\b|\bsubject to arbitration\b"
    r"|\barbitra\w+\b.{0,120}\b(?:shall|will) be (?:final|binding|conducted|held)"
    r"|\bschiedsgericht\w*\b.{0,160}\b(?:entschieden|entscheidet|endgültig|ausschluss)"
    r"|\b(?:entschieden|entscheidet|endgültig|ausschluss)\b.{0,160}\bschiedsgericht"
)
_ONLY_MENTIONED = re.compile(
    r"\bsuch as arbitration|"
    r"\bif arbitration\b|\bwithout first\b|\bno obligation\b|\bin any action, arbitration\b|\bany arbitration or"
    r"|\bverbraucherschlichtung|\bnicht bereit|\bproportionate share"
)
_FINALLY = re.compile(r"\b(?:finally|binding|endgültig|exclusively)\b")
_VENUE = re.compile(
    r"\bgerichtsstand\b|\bexclusive (?:jurisdiction|venue)\b|\bjurisdiction of the\b.{0,30}\bcourts\b|\bvenue\b"
)
_CHOSEN = re.compile(r"\b(?:gerichtsstand|gerichtsort)\b(?! nicht| in deutschland (?:hat|haben))")
_MERCHANTS = re.compile(
    r"\b(?:kaufmann|kaufleute|unternehmer|juristische person|soweit gesetzlich zulässig|gesetzlich zulässig"
    r"|öffentlich-rechtlich|keinen allgemeinen gerichts|dasselbe gilt|gesetzliche\w* gerichtsst|ausland)"
)
_JURY = re.compile(r"\bwaiv(?:es?|ing)\b.{0,120}\b(?:jury|class action)\b")


def _law_missing(case: Case) -> Outcome | None:
    return Outcome() if case.facts.governing_law is None and not _is_domestic(case) else None


def _is_domestic(case: Case) -> bool:
    """Employment and dwellings in Germany: the law and the courts are given, and a choice would be void."""
    return case.german_law and case.german and (is_employment(case) or is_residential_lease(case))


def _foreign_law(case: Case) -> Outcome | None:
    """A German contract under a foreign law."""
    law = case.facts.governing_law
    if not case.german or case.english or law is None or "Germany" in law.value:
        return None
    return outcome(case.facts.governing_law_sentences)


def _venue_missing(case: Case) -> Outcome | None:
    if case.facts.venue is not None or _is_domestic(case) or matching(case, _VENUE) or matching(case, _ARBITRATION):
        return None
    return Outcome()


def _venue_consumer(case: Case) -> Outcome | None:
    chosen = matching(case, _CHOSEN, _MERCHANTS)
    return as_standard_term(case, chosen, businesses=False)


def _arbitration(case: Case) -> Outcome | None:
    """Clauses that send disputes to arbitration, the plainest first; not those that only mention an arbitration."""
    binding = having(matching(case, _ARBITRATION), _REFERRED, _ONLY_MENTIONED)
    return outcome(sorted(binding, key=lambda s: _FINALLY.search(s.lower) is None), focus=_REFERRED)


def _jury(case: Case) -> Outcome | None:
    return outcome(matching(case, _JURY), focus=_JURY)


CHECKS = (
    Check(
        id="law-missing",
        category="Governing Law",
        title=Words("No choice of law found", "Keine Rechtswahl gefunden"),
        explanation=Words(
            "The contract does not say, in words the rules know, which law governs it. In a cross-border"
            " dispute this is the first quarrel.",
            "Der Vertrag sagt nicht erkennbar, welches Recht gilt. Bei grenzüberschreitenden Streitigkeiten ist"
            " das der erste Streitpunkt.",
        ),
        recommendation=Words("Add a choice of law.", "Eine Rechtswahl ergänzen."),
        deviation=Words("Most commercial contracts choose a law.", "Die meisten Verträge wählen ein Recht."),
        likelihood=2,
        impact=2,
        find=_law_missing,
        assessment="check",
        statutes=("Art. 4 Rom-I-VO",),
    ),
    Check(
        id="law-foreign",
        category="Governing Law",
        title=Words("Foreign law governs", "Ausländisches Recht"),
        explanation=Words(
            "A contract in German is governed by a foreign law. Advice and proof of that law cost time and money.",
            "Für den deutschsprachigen Vertrag gilt ausländisches Recht. Beratung und Nachweis dieses Rechts"
            " kosten Zeit und Geld.",
        ),
        recommendation=Words(
            "Agree on German law or have local counsel review the contract.",
            "Deutsches Recht vereinbaren oder örtlichen Rat einholen.",
        ),
        deviation=Words("The law of the place of performance is usual.", "Üblich ist das Recht am Ort der Leistung."),
        likelihood=2,
        impact=3,
        find=_foreign_law,
        statutes=("Art. 3 Rom-I-VO",),
    ),
    Check(
        id="venue-missing",
        category="placeOfJurisdiction",
        title=Words("No court or arbitration agreed", "Kein Gerichtsstand und kein Schiedsgericht vereinbart"),
        explanation=Words(
            "The contract names neither a court nor arbitration; the law decides where to sue.",
            "Der Vertrag nennt weder Gericht noch Schiedsgericht; das Gesetz bestimmt, wo geklagt wird.",
        ),
        recommendation=Words(
            "Between businesses, agree a court or arbitration.",
            "Unter Unternehmern Gerichtsstand oder Schiedsgericht vereinbaren.",
        ),
        deviation=Words("Usual between businesses.", "Zwischen Unternehmern üblich."),
        likelihood=2,
        impact=2,
        find=_venue_missing,
        assessment="check",
        statutes=("§ 12 ZPO", "§ 38 ZPO"),
    ),
    Check(
        id="venue-consumer",
        category="placeOfJurisdiction",
        title=Words("Choice of court not limited to merchants", "Gerichtsstand nicht auf Kaufleute beschränkt"),
        explanation=Words(
            "A court can be agreed in advance only between merchants and public bodies. Towards others the"
            " clause is void.",
            "Ein Gerichtsstand kann im Voraus nur unter Kaufleuten und öffentlichen Stellen vereinbart werden."
            " Gegenüber anderen ist die Klausel unwirksam.",
        ),
        recommendation=Words("Limit it to merchants, or delete it.", "Auf Kaufleute beschränken oder streichen."),
        deviation=Words("§ 38 ZPO.", "§ 38 ZPO."),
        likelihood=2,
        impact=2,
        find=_venue_consumer,
        assessment="check",
        statutes=("§ 38 ZPO", "§ 307 BGB"),
        standard_term=True,
    ),
    Check(
        id="arbitration",
        category="arbitration",
        title=Words("Arbitration instead of the courts", "Schiedsgericht statt ordentlicher Gerichte"),
        explanation=Words(
            "Disputes go to arbitrators; there is no appeal, and small claims become expensive.",
            "Streitigkeiten entscheidet ein Schiedsgericht; es gibt keine Berufung, kleine Ansprüche werden teuer.",
        ),
        recommendation=Words(
            "Check seat, language, number of arbitrators and costs against the contract's value.",
            "Sitz, Sprache, Zahl der Schiedsrichter und Kosten am Vertragswert messen.",
        ),
        deviation=Words(
            "Usual in international contracts, not in small ones.", "International üblich, bei kleinen Verträgen nicht."
        ),
        likelihood=2,
        impact=2,
        find=_arbitration,
        statutes=("§ 1029 ZPO", "§ 1031 ZPO"),
    ),
    Check(
        id="jury-waiver",
        category="waiver",
        title=Words("Waiver of jury trial or class action", "Verzicht auf Geschworenen- oder Sammelverfahren"),
        explanation=Words(
            "The parties give up a jury, or claims brought together with others.",
            "Die Parteien verzichten auf Geschworene oder auf gemeinsame Klagen.",
        ),
        recommendation=Words(
            "Check whether this is wanted and allowed where a suit would be brought.",
            "Prüfen, ob dies gewollt und am Gerichtsort zulässig ist.",
        ),
        deviation=Words("Common in United States contracts.", "In Verträgen der USA verbreitet."),
        likelihood=1,
        impact=2,
        find=_jury,
    ),
)
