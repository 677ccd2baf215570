"""Who pays for damage, and how much."""

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

_CONSEQUENTIAL = re.compile(r"\b(?:consequential|incidental|indirect|punitive|special) ")
_AMOUNT_CAP = re.compile(
    r"\b(?:exceed|limited to|maximum|in excess of|höchstens|maximal|begrenzt auf|beschränkt auf|insgesamt auf"
    r"|der höhe nach)\b"
)
_LIABILITY_CAP = re.compile(
    r"\bliabilit(?:y|ies)\b.{0,200}\b(?:exceed|be limited to|is limited to|be in excess of|be greater than)\b"
    r"|\bmaximum (?:\w+ ){0,3}liabilit|\bhaft(?:ung|et)\b.{0,160}\b(?:höchstens|maximal|begrenzt|beschränkt|der höhe"
    r" nach)\b"
)
# 'Licensor's total liability', 'the liability of Licensor': whose it is.
_LIABLE = re.compile(r"\b(?P<party>[\w.-]+)['’]s? (?:\w+ ){0,3}liabilit")
_UNLIMITED = re.compile(
    r"\bhaftet\b.{0,80}\b(?:unbeschränkt|unbegrenzt)|\bunlimited liabilit\w+\b(?! compan)|\bliabilit(?:y|ies) (?:\w+"
    r" ){0,3}unlimited"
    r"|\bder höhe nach unbe(?:grenzt|schränkt)|\bunbegrenzte?\w* haftung|\bunbeschränkte?\w* haftung|\bwithout"
    r" any limit(?:ation)? (?:of|on) liability"
)
_INTENT = re.compile(
    r"\bvorsatz|\bvorsätzlich|\bgrobe\w* fahrlässigkeit|\bgrob fahrlässig|\bleben|\bkörper|\bgesundheit"
    r"|\bkardinalpflicht|\bwesentliche\w* vertragspflicht|\bprodukthaftung|\bproduktsicherheit"
)
_GROSS_NEGLIGENCE_EXCLUDED = re.compile(
    r"\bhaft\w*\b.{0,120}\b(?:grobe\w* fahrlässigkeit|grob fahrlässig\w*|vorsatz"
    r"|vorsätzlich\w*)\b.{0,80}\b(?:ausgeschlossen|ausschluss)"
    r"|\b(?:ausgeschlossen|ausschluss)\b.{0,100}\b(?:auch|einschließlich)\b.{0,60}\b(?:grobe|vorsatz)|\bauch"
    r" bei (?:vorsatz|grober fahrlässigkeit|vorsätzlich\w*)"
    r"|\bgilt auch (?:für|bei|im fall)\b.{0,80}\b(?:grob\w* fahrlässig\w*|vorsatz|vorsätzlich\w*)"
    r"|\bhaft\w*\b.{0,60}\b(?:nur|lediglich|ausschließlich|begrenzt auf|beschränkt auf)\b.{0,30}\bvorsatz\b"
    r"(?!.{0,30}fahrlässig)"
)
_INTENT_EXCLUDED = re.compile(
    r"\bauch (?:bei|für|im fall)\b.{0,60}\bvors(?:atz|ätz)|\bvorsatz\b.{0,60}\bausgeschlossen"
)
_NOT_EXCLUDED = re.compile(
    r"\bnicht\b.{0,30}\bausgeschlossen|\bausgenommen|\bunberührt|\baußer\b|\bhaftet .{0,40}unbeschränkt"
)
_GERMAN_EXCLUSION = re.compile(
    r"\b(?:gesamt)?haftung\b.{0,160}\b(?:ausgeschlossen|ausschluss|übersteigt)"
    r"|\b(?:haftet|haften) (?:\w+ ){0,6}(?:nicht|nur|in keinem fall)\b"
    r"|\bschadens?ersatz(?:ansprüche)?\b.{0,100}\b(?:ausgeschlossen|beschränkt)|\bkeine haftung\b|\bkeinerlei haftung\b"
    r"|\bhaftung\b.{0,100}\b(?:begrenzt|beschränkt)|\b(?:haftungsausschluss|ausschluss der haftung)\b"
)
# The name of a legal form, and liability without fault, which may be excluded (§ 536a BGB).
_HARMLESS_EXCLUSION = re.compile(
    r"\bim übrigen\b|\bweitergehende|\bjede weitere|\bdarüber hinaus"
    r"|\bzurückzuführen|\bmit beschränkter haftung\b|\bverschuldensunabhängige\w* haftung\b"
)
_INDEMNITY = re.compile(
    r"\b(?:shall|will|agrees? to|must|hereby|does)\b.{0,80}\b(?:indemnify|hold\b.{0,40}\bharmless)"
    r"|\b(?:indemnifies|holds?\b.{0,40}\bharmless)\b"
    r"|\b(?:freizustellen|stellt\b.{0,250}\bfrei\b|freistellung)"
)
# Mutual, only the procedure, or a list of causes that follows on the next lines.
_NOT_BROAD = re.compile(
    r"\beach party\b|\bmutual|\bbeide parteien\b|\bshall not be required\b|\bindemnified part(?:y|ies) (?:shall|will"
    r"|must)\b"
    r"|\bnotif(?:y|ies|ying)\b|\bconditioned (?:up)?on\b|\bin no event\b|:\W*$|\bobligations? to indemnify\b|\bsoweit\b"
)
_BROAD = re.compile(
    r"\b(?:any and all|all (?:claims|losses|liabilities|damages)|whatsoever|of any kind|arising (?:out of|from)"
    r" or (?:in connection|relat)"
    r"|sämtliche\w*|alle\w* ansprüche\w*|jegliche\w*|aller art|verschuldensunabhängig|unabhängig vo[nm])"
)
_FAULT = re.compile(r"\b(?:negligen|wil+ful|misconduct|breach|fault|schuldhaft|verschulden|zu vertreten)")


def _unlimited(case: Case) -> Outcome | None:
    sentences = [
        s
        for s in matching(case, _UNLIMITED, re.compile(r"\bliability compan"))
        if not (case.german_law and _INTENT.search(s.lower))
    ]
    return outcome(sentences, focus=_UNLIMITED)


def _no_cap(case: Case) -> Outcome | None:
    capped = case.clauses.of("Cap On Liability")
    speaks_of_liability = matching(
        case, re.compile(r"\b(?:liabilit(?:y|ies)|liable|damages|indemnif\w+|haftung|haftet|schadensersatz)\b")
    )
    if any(_AMOUNT_CAP.search(s.lower) or _CONSEQUENTIAL.search(s.lower) or case.german for s in capped):
        return None
    return Outcome() if len(speaks_of_liability) >= 2 else None


def _gross_negligence(case: Case) -> Outcome | None:
    """Intent can never be excluded (§ 276 (3) BGB), gross negligence not in standard terms (§ 309 Nr. 7 b, § 307)."""
    if not case.german_law:
        return None
    found = matching(case, _GROSS_NEGLIGENCE_EXCLUDED, _NOT_EXCLUDED)
    intent = any(_INTENT_EXCLUDED.search(sentence.lower) for sentence in found)
    return outcome(found, assessment="risk" if intent or case.consumer else "check", focus=_GROSS_NEGLIGENCE_EXCLUDED)


def _exclusion_without_exceptions(case: Case) -> Outcome | None:
    """An exclusion with no word, nearby, of intent, gross negligence, life, body and health."""
    if not (case.german_law and case.german):
        return None
    found = []
    for sentence in matching(case, _GERMAN_EXCLUSION, _HARMLESS_EXCLUSION):
        near = case.text.sentences[max(0, sentence.index - 4) : sentence.index + 6]
        if not any(_INTENT.search(s.lower) and not _GROSS_NEGLIGENCE_EXCLUDED.search(s.lower) for s in near):
            found.append(sentence)
    return as_standard_term(case, found, focus=_GERMAN_EXCLUSION)


def _consumer_health(case: Case) -> Outcome | None:
    """Intent and gross negligence are excepted, but injury to life, body and health is nowhere."""
    exclusions = matching(case, _GERMAN_EXCLUSION, _HARMLESS_EXCLUSION)
    if not (case.german_law and case.german and exclusions):
        return None
    if matching(case, re.compile(r"\b(?:leben|körper|gesundheit)\w*\b")) or not matching(
        case, re.compile(r"\bvorsatz|\bvorsätzlich")
    ):
        return None
    return as_standard_term(case, exclusions, focus=_GERMAN_EXCLUSION)


def _broad_indemnity(case: Case) -> Outcome | None:
    return outcome(having(matching(case, _INDEMNITY, _NOT_BROAD), _BROAD, _FAULT), focus=_INDEMNITY)


def _one_sided_cap(case: Case) -> Outcome | None:
    sided = re.compile(
        r"\b(?:either|neither|each|both|no) part(?:y|ies)|\bparty['’]s\b|\bparteien\b|\ba party\b|\bbeide\b"
        r"|\bthe parties\b"
    )
    caps = having(case.clauses.of("Cap On Liability"), _LIABILITY_CAP)
    one_sided = [s for s in caps if not sided.search(s.lower) and len(s.text) > 60]
    liable = {match["party"] for s in caps if (match := _LIABLE.search(s.lower))}
    if not one_sided or len(one_sided) != len(caps) or len(liable) > 1:
        return None  # mutual in one sentence, or in one for each
    return outcome(one_sided, focus=_LIABILITY_CAP)


CHECKS = (
    Check(
        id="liability-unlimited",
        category="Uncapped Liability",
        title=Words("Unlimited liability", "Unbeschränkte Haftung"),
        explanation=Words(
            "The clause makes a party liable without any limit in amount. A single claim can exceed what the"
            " contract earns.",
            "Die Klausel lässt eine Partei der Höhe nach unbegrenzt haften. Ein einziger Schaden kann den Wert"
            " des Vertrags übersteigen.",
        ),
        recommendation=Words(
            "Agree a cap (for example the fees of twelve months or the sum insured) with exceptions only for"
            " intent, gross negligence and injury.",
            "Eine Haftungshöchstgrenze vereinbaren (etwa die Vergütung von zwölf Monaten oder die"
            " Deckungssumme) und nur Vorsatz, grobe Fahrlässigkeit und Personenschäden ausnehmen.",
        ),
        deviation=Words(
            "Balanced contracts cap liability on both sides.", "Ausgewogen ist eine beiderseitige Haftungsbegrenzung."
        ),
        likelihood=3,
        impact=5,
        find=_unlimited,
        hurts="bound",
    ),
    Check(
        id="liability-no-cap",
        category="Cap On Liability",
        title=Words("No limitation of liability", "Keine Haftungsbegrenzung"),
        explanation=Words(
            "The contract speaks of liability but limits it nowhere: both sides are liable under the law"
            " without a cap.",
            "Der Vertrag regelt die Haftung, begrenzt sie aber nirgends: beide Seiten haften nach dem Gesetz"
            " ohne Höchstgrenze.",
        ),
        recommendation=Words(
            "Decide whether a cap and an exclusion of consequential loss are wanted, and add them.",
            "Prüfen, ob eine Höchstgrenze und ein Ausschluss von Folgeschäden gewollt sind, und sie ergänzen.",
        ),
        deviation=Words(
            "Most commercial contracts contain a cap.",
            "Die meisten Verträge zwischen Unternehmen enthalten eine Begrenzung.",
        ),
        likelihood=2,
        impact=4,
        find=_no_cap,
        assessment="check",
    ),
    Check(
        id="liability-one-sided-cap",
        category="Cap On Liability",
        title=Words("Limitation of liability for one side only", "Haftungsbegrenzung nur zugunsten einer Seite"),
        explanation=Words(
            "Only one party's liability is capped. The other party bears its own risk in full and part of its"
            " partner's.",
            "Nur die Haftung einer Partei ist begrenzt. Die andere trägt ihr eigenes Risiko voll und einen Teil"
            " des fremden.",
        ),
        recommendation=Words(
            "Ask for the same cap for both parties.", "Dieselbe Begrenzung für beide Parteien verlangen."
        ),
        deviation=Words("A balanced cap is mutual.", "Ausgewogen ist eine gegenseitige Begrenzung."),
        likelihood=3,
        impact=3,
        find=_one_sided_cap,
        assessment="check",
        hurts="other",
    ),
    Check(
        id="liability-intent-gross-negligence",
        category="liability",
        title=Words(
            "Liability for intent or gross negligence excluded",
            "Haftung für Vorsatz oder grobe Fahrlässigkeit ausgeschlossen",
        ),
        explanation=Words(
            "Liability for intent cannot be waived in advance, and in standard terms not for gross negligence"
            " either. The whole clause is probably void, and the law applies instead.",
            "Die Haftung für Vorsatz kann nicht im Voraus erlassen, die für grobe Fahrlässigkeit nicht in AGB"
            " ausgeschlossen werden. Die Klausel ist voraussichtlich insgesamt unwirksam; es gilt das Gesetz.",
        ),
        recommendation=Words(
            "Except intent, gross negligence, injury to life, body and health, and product liability.",
            "Vorsatz, grobe Fahrlässigkeit, Verletzung von Leben, Körper und Gesundheit sowie Produkthaftung"
            " ausnehmen.",
        ),
        deviation=Words("Mandatory German law does not allow it.", "Zwingendes Recht lässt dies nicht zu."),
        likelihood=4,
        impact=4,
        find=_gross_negligence,
        statutes=("§ 276 Abs. 3 BGB", "§ 309 Nr. 7 BGB", "§ 307 BGB"),
        hurts="other",
    ),
    Check(
        id="liability-exclusion-without-exceptions",
        category="liability",
        title=Words(
            "Exclusion of liability without the necessary exceptions", "Haftungsausschluss ohne die nötigen Ausnahmen"
        ),
        explanation=Words(
            "The exclusion names no exception for intent, gross negligence or injury. As a standard term it"
            " would be void, also between businesses.",
            "Der Ausschluss nimmt weder Vorsatz und grobe Fahrlässigkeit noch Personenschäden aus. Als AGB wäre"
            " er unwirksam, auch zwischen Unternehmern.",
        ),
        recommendation=Words(
            "Add the exceptions; limit liability for slight negligence to essential duties and foreseeable damage.",
            "Ausnahmen ergänzen; bei leichter Fahrlässigkeit auf wesentliche Vertragspflichten und den"
            " vorhersehbaren Schaden begrenzen.",
        ),
        deviation=Words("Usual clauses except these cases.", "Übliche Klauseln nehmen diese Fälle aus."),
        likelihood=3,
        impact=4,
        find=_exclusion_without_exceptions,
        assessment="check",
        statutes=("§ 309 Nr. 7 BGB", "§ 276 Abs. 3 BGB", "§ 307 BGB", "§ 310 Abs. 1 BGB"),
        hurts="other",
        standard_term=True,
    ),
    Check(
        id="liability-life-body-health",
        category="liability",
        title=Words(
            "Liability for injury to persons not excepted", "Personenschäden nicht vom Haftungsausschluss ausgenommen"
        ),
        explanation=Words(
            "Liability is limited, but injury to life, body and health is not excepted anywhere. In standard"
            " terms such a limitation is void.",
            "Die Haftung wird beschränkt, ohne dass die Verletzung von Leben, Körper und Gesundheit irgendwo"
            " ausgenommen ist. In AGB ist das unwirksam.",
        ),
        recommendation=Words(
            "Except injury to life, body and health.", "Die Verletzung von Leben, Körper und Gesundheit ausnehmen."
        ),
        deviation=Words("Usual clauses except it.", "Übliche Klauseln nehmen sie aus."),
        likelihood=3,
        impact=3,
        find=_consumer_health,
        assessment="check",
        statutes=("§ 309 Nr. 7 Buchst. a BGB", "§ 307 BGB"),
        hurts="other",
        standard_term=True,
    ),
    Check(
        id="liability-broad-indemnity",
        category="indemnity",
        title=Words("Broad indemnity regardless of fault", "Weitreichende Freistellung ohne Verschulden"),
        explanation=Words(
            "One party must hold the other harmless from all claims, whether or not it caused them.",
            "Eine Partei stellt die andere von allen Ansprüchen frei, ob sie sie verschuldet hat oder nicht.",
        ),
        recommendation=Words(
            "Tie the indemnity to the indemnifying party's breach or fault, cap it, and regulate the conduct of"
            " the defence.",
            "Die Freistellung an eine Pflichtverletzung oder ein Verschulden knüpfen, begrenzen und die"
            " Verteidigung regeln.",
        ),
        deviation=Words(
            "Balanced indemnities depend on fault.", "Ausgewogene Freistellungen setzen Verschulden voraus."
        ),
        likelihood=2,
        impact=4,
        find=_broad_indemnity,
        statutes=("§ 307 Abs. 2 Nr. 1 BGB",),
        hurts="bound",
    ),
)
