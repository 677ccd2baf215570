"""Who may step in or out: assignment, change of control, rights to buy first."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, outcome

_MUTUAL = re.compile(
    r"\b(?:neither|either|no|each|any) part(?:y|ies)\b|\bparties\b|\bjede\w* partei|\bkeine (?:der )?partei"
    r"|\bbeide|\bparteien\b|\bthis agreement (?:may|shall|is) not|\bnot assignable\b"
)
_MONEY_CLAIM = re.compile(r"\b(?:forderung\w*|ansprüche\w*|abtretung)\b")
_TERMINATION = re.compile(r"\bterminat|\bkündig|\bconsent\b|\bzustimmung")


def _anti_assignment(case: Case) -> Outcome | None:
    return outcome(case.clauses.of("Anti-Assignment"))


def _one_sided_assignment(case: Case) -> Outcome | None:
    clauses = having(case.clauses.of("Anti-Assignment"), re.compile(r"\b(?:not|nicht|without|ohne)\b"))
    one_sided = [s for s in clauses if not _MUTUAL.search(s.lower)]
    return outcome(one_sided) if one_sided and len(one_sided) == len(clauses) else None


def _change_of_control(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Change Of Control"), _TERMINATION))


def _first_refusal(case: Case) -> Outcome | None:
    return outcome(case.clauses.of("Rofr/Rofo/Rofn"))


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
