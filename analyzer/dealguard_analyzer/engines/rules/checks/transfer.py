"""Who may step in or out: assignment, change of control, rights to buy first."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, matching, outcome
from dealguard_analyzer.engines.rules.facts.parties import aliases
from dealguard_analyzer.engines.rules.text import Sentence

_MUTUAL = re.compile(
    r"\b(?:neither|either|no|each|any) part(?:y|ies)\b|\bparties\b|\bjede\w* partei|\bkeine (?:der )?partei"
    r"|\bbeide|\bparteien\b|\bthis agreement (?:may|shall|is) not|\bnot assignable\b|\bwithout the prior written"
    r" consent of the other"
    r"|\banderen (?:partei|vertragspartei|seite)"
)
_OF_CONTRACT = (
    r"(?:agreement|contract|hereunder|hereof|rights|obligations|duties"
    r"|vertrag\w*|rechte|pflichten|ansprüche\w*|forderung\w*)"
)
_RESTRICTED = re.compile(
    rf"\b(?:not|no|neither|nor|without|void)\b.{{0,160}}\b(?:assign\w*|delegat\w*)\b.{{0,160}}\b{_OF_CONTRACT}\b"
    rf"|\b(?:assign\w*|delegat\w*)\b.{{0,200}}\b(?:not|without|void|consent)\b"
    r"|\b(?:abtret|abgetret|abzutret|übertrag)\w*\b.{0,200}\b(?:zustimmung|einwilligung|ausgeschlossen|unzulässig"
    r"|nicht)\b"
    r"|\b(?:zustimmung|einwilligung|nicht|ausgeschlossen)\b.{0,200}\b(?:abtret|abgetret|abzutret|übertrag)\w*"
)
_OF_THE_CONTRACT = re.compile(rf"\b{_OF_CONTRACT}\b")
_NOT_RESTRICTED = re.compile(
    r"\b(?:transfer|absolute) .{0,40}assignment\b.{0,160}\bpledge|\bcontact any users\b|\blegal proceeding\b"
    r"|\binventions?\b.{0,80}\bassign"
    r"|\bcounterparty\b|\bmaterials to any\b"
)
# What happens to an assignment that somebody else forbids.
_CONSEQUENCE = re.compile(
    r"\b(?:any|such) (?:\w+ ){0,2}(?:purported|attempted)|\bfails to be in\b|\b(?:purported|attempted) assign"
)
_ASSIGN = re.compile(r"\b(?:assign|transfer|delegat|abtret|abgetret|abzutret|übertrag)")
# Who may pass the contract on without asking.
_FREE = re.compile(
    r"\bohne (?:die )?(?:vorherige )?(?:zustimmung|einwilligung)\b.{0,120}\b(?:übertrag|abtret)\w*"
    r"|\b(?:übertrag|abtret)\w*\b.{0,80}\bohne (?:die )?(?:zustimmung|einwilligung)"
    r"|\b(?:may|is entitled to|shall have the right to) (?:(?!not\b)\w+"
    r" ){0,2}assign\b.{0,120}\bwithout\b.{0,40}\bconsent"
    r"|\bmay freely assign"
)
_ONLY_WITH = re.compile(r"\b(?:kein\w*|not|no|nor|neither|without|nur|nicht|bedarf|only)\b")
_CONTROL = re.compile(
    r"\bchange (?:of|in) (?:the )?(?:\w+ )?(?:control|ownership)\b.{0,300}\b(?:terminat|deemed (?:to be )?an?"
    r" (?:assignment|transfer)|consent|accelerat|payable)"
    r"|\b(?:merge[rsd]?\b|acquired|acquisition|substantially all|majority|controlling interest)\b.{0,200}"
    r"\b(?:may terminate|right to terminate|deemed (?:to be )?an? (?:assignment|transfer))"
    r"|\bterminat\w*\b.{0,300}\b(?:change (?:of|in) (?:the )?(?:\w+ )?(?:control|ownership)|acquired by"
    r"|controlling interest)"
    r"|\b(?:kontrollwechsel|mehrheit\w*|gesellschafterwechsel|beteiligungsverhältnisse|verschmelzung)\b.{0,200}"
    r"(?:kündig|zustimmung)"
    r"|(?:kündig|zustimmung).{0,200}\b(?:kontrollwechsel|mehrheit\w*|gesellschafterwechsel|verschmelzung)"
)
_MAJORITY = re.compile(
    r"\b(?:wechsel|änderung|veränderung)\b.{0,40}\b(?:mehrheit|kontrolle|beteiligungsverhältnisse|gesellschafter)"
)
_NOT_CONTROL = re.compile(
    r"\bemployee plan|\bput option|\bboard or management|"
    r"\bwithout\b.{0,60}\bconsent\b|\bno such consent|\bshall have the right to assign\b|\bexcept by operation of law"
)
_FIRST = re.compile(
    r"\b(?:rights? of first|first right of|first refusal|right to match|matching right|first offer)\b"
    r"|\bfirst (?:option|opportunity|right) to (?:negotiate|purchase|acquire|licen[sc]e|buy|match|obtain|lease"
    r"|distribute|market)"
    r"|\bexclusive (?:option|right) to negotiate\b|\b(?:vorkaufs|vorerwerbs|vormiet|andienungs|erstverhandlungs)\w*"
    r"|\bvorrecht"
)
_NOT_FIRST = re.compile(
    r"\bfree and clear|\bencumbrance|\bno (?:\w+ ){0,3}rights? of first|\bpreemptive rights?\b.{0,80}\bsecurit"
)


def _anti_assignment(case: Case) -> Outcome | None:
    return outcome(_restrictions(case), focus=_RESTRICTED)


def _restrictions(case: Case) -> list[Sentence]:
    clauses = having(case.clauses.of("Anti-Assignment"), _RESTRICTED, _NOT_RESTRICTED)
    return [s for s in clauses if _OF_THE_CONTRACT.search(s.lower) and not _is_free(s)]


def _is_free(sentence: Sentence) -> bool:
    """Whether the sentence lets somebody assign without consent, and restricts nobody."""
    free = _FREE.search(sentence.lower)
    return free is not None and not _ONLY_WITH.search(sentence.lower, 0, free.start())


def _one_sided_assignment(case: Case) -> Outcome | None:
    """Every restriction names the same one party; what frees the other one is quoted behind it."""
    restrictions = [s for s in _restrictions(case) if not _CONSEQUENCE.search(s.lower)]
    if not restrictions or any(_MUTUAL.search(s.lower) for s in restrictions):
        return None
    if len({_bound(case, s) for s in restrictions}) > 1:
        return None  # one clause for each
    free = [s for s in matching(case, _FREE) if _is_free(s)]
    return outcome([restrictions[0], *free, *restrictions[1:]], focus=_RESTRICTED)


def _bound(case: Case, sentence: Sentence) -> frozenset[str]:
    """The parties that are named before the word for assigning."""
    before = _ASSIGN.split(sentence.lower, maxsplit=1)[0]
    return frozenset(
        party.name
        for alias, party in aliases(list(case.facts.parties))
        if re.search(rf"(?<!\w){re.escape(alias)}(?!\w)", before)
    )


def _change_of_control(case: Case) -> Outcome | None:
    known = having(case.clauses.of("Change Of Control"), _CONTROL, _NOT_CONTROL)
    return outcome(known or matching(case, _MAJORITY), focus=_CONTROL)


def _first_refusal(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Rofr/Rofo/Rofn"), _FIRST, _NOT_FIRST), focus=_FIRST)


CHECKS = (
    Check(
        id="assignment-restricted",
        category="Anti-Assignment",
        title=Words("Assignment only with consent", "Abtretung nur mit Zustimmung"),
        explanation=Words(
            "Rights or the contract as a whole cannot be transferred freely. A sale of the business, a"
            " financing or a group restructuring may need the other side's consent.",
            "Rechte oder der Vertrag sind nicht frei übertragbar. Ein Unternehmensverkauf, eine Finanzierung"
            " oder ein Umbau des Konzerns kann der Zustimmung bedürfen.",
        ),
        recommendation=Words(
            "Except affiliates, successors and the assignment of money claims; consent not to be unreasonably"
            " withheld.",
            "Verbundene Unternehmen, Rechtsnachfolger und Geldforderungen ausnehmen; Zustimmung nicht unbillig"
            " verweigern.",
        ),
        deviation=Words(
            "Balanced clauses are mutual and except affiliates and successors.",
            "Ausgewogene Klauseln gelten für beide und nehmen verbundene Unternehmen aus.",
        ),
        likelihood=2,
        impact=2,
        find=_anti_assignment,
        statutes=("§ 399 BGB", "§ 354a HGB", "§ 308 Nr. 9 BGB"),
        hurts="bound",
    ),
    Check(
        id="assignment-one-sided",
        category="Anti-Assignment",
        title=Words("Only one side may not assign", "Übertragungsverbot nur für eine Seite"),
        explanation=Words(
            "The restriction names one party only; the other may pass the contract on to anybody.",
            "Das Verbot nennt nur eine Partei; die andere kann den Vertrag an jeden weitergeben.",
        ),
        recommendation=Words("Make the restriction mutual.", "Das Verbot gegenseitig gestalten."),
        deviation=Words("Balanced clauses are mutual.", "Ausgewogene Klauseln gelten für beide."),
        likelihood=3,
        impact=2,
        find=_one_sided_assignment,
        assessment="check",
        hurts="bound",
    ),
    Check(
        id="change-of-control",
        category="Change Of Control",
        title=Words("Consequences of a change of control", "Folgen eines Kontrollwechsels"),
        explanation=Words(
            "A merger or a sale of shares gives the other side a right to terminate or to consent. It lowers"
            " the value of the business in a sale.",
            "Eine Fusion oder ein Anteilsverkauf gibt der anderen Seite ein Kündigungs- oder Zustimmungsrecht."
            " Das mindert den Wert beim Verkauf.",
        ),
        recommendation=Words(
            "Limit it to a sale to competitors, with a short time to exercise the right.",
            "Auf den Verkauf an Wettbewerber beschränken und die Ausübungsfrist kurz halten.",
        ),
        deviation=Words("Many contracts contain none.", "Viele Verträge enthalten keine solche Klausel."),
        likelihood=2,
        impact=4,
        find=_change_of_control,
        hurts="bound",
    ),
    Check(
        id="first-refusal",
        category="Rofr/Rofo/Rofn",
        title=Words(
            "Right of first refusal, offer or negotiation", "Vorkaufs-, Vorerwerbs- oder Erstverhandlungsrecht"
        ),
        explanation=Words(
            "Before dealing with anybody else, a party must offer to the other. This delays or deters other buyers.",
            "Vor einem Geschäft mit Dritten muss der anderen Partei angeboten werden. Das verzögert oder"
            " verschreckt Dritte.",
        ),
        recommendation=Words(
            "Set short times, a clear price mechanism and an end date.",
            "Kurze Fristen, klare Preisregel und ein Enddatum festlegen.",
        ),
        deviation=Words("Not usual outside partnerships.", "Außerhalb von Kooperationen unüblich."),
        likelihood=2,
        impact=3,
        find=_first_refusal,
        assessment="check",
        hurts="other",
    ),
)
