"""Defects, transport and withdrawal: § 309 Nr. 8 BGB and the law on sales to consumers."""

import re
from dataclasses import replace

from dealguard_analyzer.engines.rules.checks import (
    Case,
    Check,
    Outcome,
    Words,
    as_standard_term,
    matching,
    without_near,
)
from dealguard_analyzer.engines.rules.checks.kinds import is_residential_lease
from dealguard_analyzer.engines.rules.facts.periods import find_periods, months

_WARRANTY = (
    r"(?:gewährleistung\w*|mängelanspr\w+|mängelhaftung|sachmängel\w*|mängelrechte\w*"
    r"|ansprüche wegen (?:eines )?m[aä]ngel\w*)"
)
_EXCLUDED = re.compile(
    rf"\b{_WARRANTY}\b.{{0,120}}\b(?:ausgeschlossen|ausschluss|entfällt|entfallen|keine)\b"
    rf"|\b(?:unter ausschluss|keine|jegliche|ausschluss) (?:\w+ ){{0,3}}{_WARRANTY}"
    r"|\b(?:minderung|rücktritt)\b.{0,60}\bausgeschlossen|\bumtausch .{0,40}ausgeschlossen"
)
_NOT_A_WARRANTY_CLAUSE = re.compile(
    r"\b(?:unsachgemäß|abnutzung|verschleiß|abtretung|wenn der mangel|konsequenzen|soweit|infolge|wählt|fremdfirmen"
    r"|natürliche)"
)
_EXCEPTION = re.compile(
    r"\bunberührt|\bgilt nicht|\bausgenommen|\barglist|\bunternehmer|\bgebraucht\w*|\bverschuldensunabhängig"
)
_LIMITATION = re.compile(r"\b(?:verjähr\w*|gewährleistungsfrist|gewährleistungszeit|gewährleistung beträgt)\b")
_DEFECT = re.compile(r"\bmangel|\bmängel|\bgewährleistung|\bsachmängel")
_NOTICE = re.compile(
    r"\b(?:mängel\w*|mangel|beanstandung\w*|reklamation\w*|transportsch\w+|beschädigung\w*|schäden)\b.{0,140}"
    r"\b(?:innerhalb|binnen|unverzüglich|sofort|spätestens)\b.{0,120}\b(?:anzuzeigen|zu rügen|anzeigen|rügen"
    r"|mitzuteilen"
    r"|mitteilen|melden|zu melden|geltend|zu richten|anerkannt|nachzuweisen|benachrichtig\w+)"
    r"|\b(?:innerhalb|binnen|unverzüglich|spätestens)\b.{0,120}\b(?:mängel|mangel"
    r"|beanstandungen)\b.{0,60}\b(?:anzuzeigen"
    r"|zu rügen|zu melden|mitzuteilen|anzeigt)"
)
_CONSEQUENCE_FREE = re.compile(
    r"\bkeine (?:konsequenzen|auswirkung)|\bbitte\b|\bunternehmer|\bkaufmann|\bkaufleute|§ ?377|\bunbeschadet"
    r"|\bvorbehaltsware|\beigentumsvorbehalt"
)
_USED_OR_BUSINESS = re.compile(r"\bgebraucht|\bunternehmer|\bgewerblich|\bgarantie")
_CHOICE = re.compile(
    r"\b(?:nach (?:unserer|eigener) wahl|nach wahl des (?:verkäufers|anbieters|unternehmers))\b.{0,100}"
    r"\b(?:nachbesser\w+|ersatzliefer\w+|mängelbeseitigung|neuliefer\w+|nacherfüll\w+)"
    r"|\b(?:nachbesser\w+|ersatzliefer\w+|nacherfüll\w+)\b.{0,60}\bnach unserer wahl"
)
_BUYER = r"(?:kunden?|käufers?|bestellers?|empfängers?|auftraggebers?)"
_TRANSPORT_RISK = re.compile(
    rf"\bauf (?:(?:\w+ ){{0,3}}und )?(?:gefahr|risiko) (?:des|der) {_BUYER}\b"
    r"|\b(?:gefahr|risiko)\b.{0,120}\b(?:übergabe|auslieferung|übergeben|versendung|absendung)\b.{0,80}"
    r"\b(?:spediteur|frachtführer|transport\w*|versand\w*|paketdienst|post)"
    rf"|\bversandrisiko\b.{{0,60}}\b{_BUYER}\b"
)
_BUSINESS = re.compile(r"\bgebraucht|\bunternehmer|\bgewerblich|\bgarantie")
_CHOICE = re.compile(
    r"\b(?:nach (?:unserer|eigener) wahl|nach wahl des (?:verkäufers|anbieters|unternehmers))\b.{0,100}"
    r"\b(?:nachbesser\w+|ersatzliefer\w+|mängelbeseitigung|neuliefer\w+|nacherfüll\w+)"
    r"|\b(?:nachbesser\w+|ersatzliefer\w+|nacherfüll\w+)\b.{0,60}\bnach unserer wahl"
)
_TRANSPORT_RISK = re.compile(
    r"\b(?:auf|trägt das|das|die) ?(?:rechnung und )?(?:gefahr|risiko) (?:des|der) (?:\w+ )?(?:kunden|käufers"
    r"|bestellers|empfängers|auftraggebers)"
    r"|\b(?:gefahr|risiko)\b.{0,120}\b(?:übergabe|auslieferung|übergeben|versendung|absendung)\b.{0,80}"
    r"\b(?:spediteur|frachtführer|transport\w*|versand\w*|paketdienst|post)"
    r"|\bversandrisiko\b.{0,60}\b(?:kunde|käufer|besteller)|\bab (?:werk|lager) auf .{0,30}gefahr"
)
_BUSINESS = re.compile(r"\bunternehmer|\bkaufmann|\bkaufleute|\bgewerblich")
_WITHDRAWAL_LIMITED = re.compile(
    r"\b(?:widerruf\w*|rücksend\w*|rückgabe\w*|zurück\w*)\b.{0,140}\b(?:nur|ausschließlich|müssen|muss|ist"
    r"|sind)\b.{0,60}"
    r"\b(?:original\w*verpack\w*|ungeöffnet\w*|unbenutzt\w*|ungebraucht\w*|in originalverpackung|originalzustand)"
    r"|\bunfreie?\w* .{0,60}\b(?:nicht angenommen|zurückgewiesen|verweigert)"
    r"|\bwiderruf\w*\b.{0,80}\b(?:ausgeschlossen|nicht möglich)\b"
)
_LAWFUL_EXCEPTION = re.compile(
    r"\b(?:hygiene|versiegel|kundenspezifikation|verderb|zeitung|maßgefertigt|individuell|persönlichen bedürfnisse"
    r"|312g)"
)
_CONSUMER_MONTHS = 24
_BUSINESS_MONTHS = 12


def _excluded(case: Case) -> Outcome | None:
    if is_residential_lease(case):
        return None
    return as_standard_term(
        case,
        [s for s in matching(case, _EXCLUDED, _EXCEPTION) if not _NOT_A_WARRANTY_CLAUSE.search(s.lower)],
        focus=_EXCLUDED,
    )


def _short(case: Case) -> Outcome | None:
    """Under two years towards consumers (§ 476 (2), new goods), under one year towards others (§ 309 Nr. 8 b ff)."""
    least = _BUSINESS_MONTHS if case.consumer is False else _CONSUMER_MONTHS
    short = [
        sentence
        for sentence in matching(case, _LIMITATION, re.compile(r"\bgebraucht|\bunternehmer|\bgarantie"))
        if _DEFECT.search(sentence.lower) and any(0 < months(hit.period) < least for hit in find_periods(sentence.text))
    ]
    found = as_standard_term(case, without_near(case, short, _USED_OR_BUSINESS, before=2, after=0), focus=_LIMITATION)
    # From one year on it is a question of new or used goods, which the text seldom says.
    below_a_year = any(
        months(hit.period) < _BUSINESS_MONTHS
        for s in (found.sentences if found else ())
        for hit in find_periods(s.text)
    )
    return found if found is None or below_a_year else replace(found, assessment="check")


def _notice(case: Case) -> Outcome | None:
    if is_residential_lease(case):
        return None
    return as_standard_term(case, matching(case, _NOTICE, _CONSEQUENCE_FREE), businesses=False, focus=_NOTICE)


def _sellers_choice(case: Case) -> Outcome | None:
    return as_standard_term(
        case,
        matching(case, _CHOICE, re.compile(r"\bgarantie|\bsie nach|\bkunde\w* nach|\bverbraucher")),
        businesses=False,
        focus=_CHOICE,
    )


def _transport_risk(case: Case) -> Outcome | None:
    return as_standard_term(case, matching(case, _TRANSPORT_RISK, _BUSINESS), businesses=False, focus=_TRANSPORT_RISK)


def _withdrawal_limited(case: Case) -> Outcome | None:
    limited = matching(case, _WITHDRAWAL_LIMITED, _LAWFUL_EXCEPTION)
    return as_standard_term(case, limited, businesses=False, focus=_WITHDRAWAL_LIMITED)


CHECKS = (
    Check(
        id="warranty-excluded",
        category="warranty",
        title=Words("Rights for defects excluded", "Mängelrechte ausgeschlossen"),
        explanation=Words(
            "Rights that the law gives for defects are taken away. For new goods and for works standard terms may not"
            " exclude them, and a sale to a consumer cannot at all.",
            "Gesetzliche Mängelrechte werden genommen. Bei neuen Sachen und Werkleistungen dürfen AGB sie nicht"
            " ausschließen, beim Verbrauchsgüterkauf ist es gar nicht möglich.",
        ),
        recommendation=Words(
            "Keep repair, reduction and withdrawal; regulate only the order.",
            "Nacherfüllung, Minderung und Rücktritt belassen; nur die Reihenfolge regeln.",
        ),
        deviation=Words("§ 309 no. 8 (b), § 476 BGB.", "§ 309 Nr. 8 Buchst. b, § 476 BGB."),
        likelihood=3,
        impact=3,
        find=_excluded,
        assessment="check",
        statutes=("§ 309 Nr. 8 Buchst. b BGB", "§ 476 BGB", "§ 307 BGB"),
        standard_term=True,
    ),
    Check(
        id="warranty-short",
        category="Warranty Duration",
        title=Words("Claims for defects expire early", "Mängelansprüche verjähren früh"),
        explanation=Words(
            "Claims for defects expire earlier than the law says. Towards consumers two years are mandatory for new"
            " goods; in other standard terms less than one year is void.",
            "Mängelansprüche verjähren früher als nach dem Gesetz. Gegenüber Verbrauchern sind bei neuen Sachen zwei"
            " Jahre zwingend, in anderen AGB ist weniger als ein Jahr unwirksam.",
        ),
        recommendation=Words(
            "Towards consumers two years, otherwise at least one.",
            "Gegenüber Verbrauchern zwei Jahre, sonst mindestens eines.",
        ),
        deviation=Words(
            "§ 476 (2), § 309 no. 8 (b) (ff) BGB.", "§ 476 Abs. 2, § 309 Nr. 8 Buchst. b Doppelbuchst. ff BGB."
        ),
        likelihood=3,
        impact=2,
        find=_short,
        assessment="check",
        statutes=("§ 309 Nr. 8 Buchst. b BGB", "§ 476 Abs. 2 BGB", "§ 202 BGB"),
        standard_term=True,
    ),
    Check(
        id="warranty-notice",
        category="warranty",
        title=Words("Consumer must notify defects within a short time", "Rügefrist für Verbraucher"),
        explanation=Words(
            "The customer must notify defects within a short time to keep their rights. The law imposes that duty on"
            " merchants only.",
            "Der Kunde muss Mängel binnen kurzer Zeit anzeigen, um seine Rechte zu behalten. Diese Pflicht trifft nach"
            " dem Gesetz nur Kaufleute.",
        ),
        recommendation=Words("Limit it to merchants (§ 377 HGB).", "Auf Kaufleute beschränken (§ 377 HGB)."),
        deviation=Words("§ 309 no. 8 (b) (ee), § 476 BGB.", "§ 309 Nr. 8 Buchst. b Doppelbuchst. ee, § 476 BGB."),
        likelihood=3,
        impact=2,
        find=_notice,
        assessment="check",
        statutes=("§ 309 Nr. 8 Buchst. b BGB", "§ 476 BGB", "§ 377 HGB"),
        standard_term=True,
    ),
    Check(
        id="warranty-sellers-choice",
        category="warranty",
        title=Words("Seller chooses between repair and replacement", "Verkäufer wählt die Art der Nacherfüllung"),
        explanation=Words(
            "The choice between repair and replacement is the buyer's by law. Towards consumers it cannot be taken"
            " away.",
            "Die Wahl zwischen Nachbesserung und Ersatzlieferung steht nach dem Gesetz dem Käufer zu. Gegenüber"
            " Verbrauchern ist das zwingend.",
        ),
        recommendation=Words("Give the choice to the buyer.", "Dem Käufer die Wahl lassen."),
        deviation=Words("§ 439 (1), § 476 BGB.", "§ 439 Abs. 1, § 476 BGB."),
        likelihood=3,
        impact=1,
        find=_sellers_choice,
        assessment="check",
        statutes=("§ 439 Abs. 1 BGB", "§ 476 BGB"),
        standard_term=True,
    ),
    Check(
        id="transport-risk",
        category="delivery",
        title=Words("Buyer bears the risk of transport", "Versandrisiko beim Käufer"),
        explanation=Words(
            "The risk passes before the goods arrive. In a sale to a consumer it passes only with delivery.",
            "Die Gefahr geht über, bevor die Ware ankommt. Beim Verbrauchsgüterkauf geht sie erst mit der Übergabe an"
            " den Käufer über.",
        ),
        recommendation=Words("Limit it to businesses.", "Auf Unternehmer beschränken."),
        deviation=Words("§ 475 (2) BGB.", "§ 475 Abs. 2 BGB."),
        likelihood=3,
        impact=2,
        find=_transport_risk,
        assessment="check",
        statutes=("§ 475 Abs. 2 BGB", "§ 447 BGB"),
        standard_term=True,
    ),
    Check(
        id="withdrawal-limited",
        category="withdrawal",
        title=Words("Right of withdrawal limited", "Widerrufsrecht eingeschränkt"),
        explanation=Words(
            "Sending back is tied to conditions that the law does not know, such as the original packaging. A"
            " consumer's"
            " right of withdrawal cannot be limited.",
            "Die Rücksendung wird an Bedingungen geknüpft, die das Gesetz nicht kennt, etwa die Originalverpackung. Das"
            " Widerrufsrecht der Verbraucher ist zwingend.",
        ),
        recommendation=Words("Turn conditions into requests.", "Bedingungen in Bitten umformulieren."),
        deviation=Words("§ 361 (2) BGB.", "§ 361 Abs. 2 BGB."),
        likelihood=3,
        impact=2,
        find=_withdrawal_limited,
        assessment="check",
        statutes=("§ 312g BGB", "§ 355 BGB", "§ 361 Abs. 2 BGB"),
        standard_term=True,
    ),
)
