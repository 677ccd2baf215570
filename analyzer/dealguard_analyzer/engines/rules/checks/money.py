"""Prices that move, penalties, commitments to buy."""

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
from dealguard_analyzer.engines.rules.text import Sentence

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
# Agreed by both, or tied to something that neither side controls.
_AGREED = re.compile(
    r"\bmutual|\bby agreement\b|\bmutually\b|\bupon consent|\bim einvernehmen|\beinvernehmlich|\bnur mit zustimmung"
    r"|\bthe parties (?:may|shall)|\bindex\b|\bconsumer price|\bverbraucherpreisindex|\bin dem umfang|\bnachgewiesen"
    r"|\bentsprechend der (?:änderung|entwicklung)|\binterest rate|\bsigned by\b|\bchanged only by|\bsentence 1\b|§"
    r" ?55[789]"
)
_PENALTY = re.compile(
    r"\bliquidated damages\b|\bvertragsstrafe|\bpönale|\bkonventionalstrafe|\bpauschalierte\w* schadens"
    r"|\bschadenspauschale|\bas a penalty\b|\bcontractual penalty\b"
)
_NO_PENALTY = re.compile(
    r"\bkeine vertragsstrafe|\bno (?:\w+ )?liquidated damages|\bwithout (?:the payment of any )?penalt"
    r"|\b(?:received|recovered) (?:by|from)\b|\b(?:punitive|consequential)\b.{0,80}\bliquidated"
)
_OWED = re.compile(
    r"\b(?:pay|pays|paid|payable|payment|owes?|owed|liable|due|entitled|incur|credit|deduct\w*)\b"
    r"|\bzahl|\bschuldet|\bverwirk|\bfällig|\bhöhe|\bverlangen|\bverpflichtet|\bbeträgt|\bvertragsstrafe von"
)
_CAPPED = re.compile(r"\bhöchstens|\bmaximal|\bbis zu\b|\bnot exceed|\bmaximum\b|\bup to\b|\bcapped\b")
_FAULT = re.compile(r"\bschuldhaft|\bzu vertreten|\bverschulden\b|\bculpabl|\bnegligen|\bfault\b")
_GERMAN_PENALTY = re.compile(r"\bvertragsstrafe|\bkonventionalstrafe|\bpönale")
_WITHOUT_FAULT = re.compile(
    r"\bohne (?:rücksicht auf|dass es auf) (?:ein |das )?verschulden|\bverschuldensunabhängig|\bunabhängig von"
    r" (?:einem |seinem |ihrem )?verschulden|\bauch ohne verschulden|\bausschluss des fortsetzungszusammenhang"
)
_CONSUMER_PENALTY = re.compile(
    r"\b(?:nichtabnahme|nicht abnimmt|verspätete\w* abnahme|zahlungsverzug|vom vertrag löst|sich .{0,20}löst|lösung vom"
    r" vertrag|rücktritt|storn\w+)"
)
_LATE = re.compile(
    r"\b(?:late|overdue|past[- ]due|unpaid|not paid|delinquent|when due|verzug\w*|verspätet\w*|säumnis)\b"
)
_INTEREST = re.compile(
    r"\b(?:interest|zinsen|verzugszins\w*)\b.{0,80}\b(?:1[2-9]|[2-9]\d|one and one[- ]half|1\.5|1,5)"
    r" ?(?:\([^)]{1,8}\) ?)?(?:%|percent|prozent)(?: per| pro)? ?\w*"
    r"|\b(?:1[2-9]|[2-9]\d|one and one[- ]half|1\.5|1,5) ?(?:\([^)]{1,8}\) ?)?(?:%|percent|prozent)"
    r" (?:\w+ ){0,4}(?:interest|zinsen|verzugszins\w*)"
)
_MOST_FAVOURED = re.compile(
    r"\bmost[- ]favou?red|\bmeistbegünstig|\bno less favou?rable\b"
    r"|\b(?:lower|less|better|more favou?rable|greater|higher)\b.{0,60}\bthan\b.{0,80}\b(?:any other|other|another)"
    r" (?:\w+ )?(?:customers?|persons?|part(?:y|ies)|purchasers?|licensees?|distributors?|buyers?|clients?"
    r"|suppliers?)\b"
    r"|\b(?:no|not|nor)\b.{0,120}\b(?:any other|another) (?:customer|purchaser|licensee|distributor"
    r"|buyer)\b.{0,120}\b(?:lower"
    r"|less|better|more favou?rable) than\b"
    r"|\bthan\b.{0,80}\b(?:third part(?:y|ies)|similarly situated)"
    r"|\bgünstiger\w*\b.{0,80}\b(?:dritte|kunden|abnehmer)|\bbestpreis"
)
_COMMERCIAL = re.compile(
    r"\b(?:price|prices|pricing|rates?|fees?|discounts?|charges?|favou?rable|favou?red|meistbegünstig\w*"
    r"|günstiger\w*|bestpreis\w*)\b"
)
_NOT_FAVOURED = re.compile(
    r"\bnotice of\b|\b(?:prior|written) notice\b|\bprominent|\blaws\b|\bunpaid\b|\bemploy\w*\b|\bshareholder"
    r"|\bnoteholder|\bexcluding\b.{0,40}\bmost|\btransferee"
)
_MINIMUM = re.compile(
    r"\b(?:shall|agrees?|must|will|commits?|guarantees?|obligated|required)\b.{0,160}\b(?:purchase|order|buy|spend|pay"
    r"|take|sell|generate|achieve|guarantee|provide)\w*\b.{0,120}\b(?:minimum|at least|no(?:t)? less than|no fewer"
    r" than)\b"
    r"|\bminimum (?:\w+ ){0,3}(?:purchase|order|commitment|royalt\w+|guarantee\w*|payments?|spend|revenue|volume"
    r"|quantit\w+)"
    r"s?\b.{0,160}\b(?:shall|agrees?|must|will|is|are|obligat\w+)\b"
    r"|\btake[- ]or[- ]pay\b"
    r"|\bmindest(?:abnahme|bestell|menge|umsatz|bezug|vergütung)\w*\b.{0,160}\b(?:beträgt|verpflichtet|abzunehmen"
    r"|schuldet|zahlt|garantiert|vereinbart|abnehmen)|\b(?:verpflichtet|garantiert)\b.{0,160}\bmindest(?:abnahme"
    r"|bestell|menge|umsatz|bezug|vergütung)|\babnahmeverpflichtung"
    r"|\bmindestens\b.{0,60}\b(?:abzunehmen|abnehmen|bestellen|stück|abnimmt)"
)
_NO_MINIMUM = re.compile(
    r"\bother than the minimum|\bfirst payment component|"
    r"\bno minimum|\bnot (?:be )?(?:obligated|required) to|\bwithout (?:any )?minimum|\bkeine mindest"
    r"|\bnotice\b.{0,40}\bat"
    r" least|\bat least \S+ (?:\S+ )?(?:\S+ )?(?:business )?(?:days|months|hours)\b|\binsurance\b|\bwarranty period"
    r"|\brate per annum|\bprocessor|\befficiency|\binterest at least|\bproceeds equal to|\bwithholding|\bsame"
    r" conditions|\boutput level"
)


def _unilateral_price(case: Case) -> Outcome | None:
    return outcome(matching(case, _UNILATERAL, _AGREED), focus=_UNILATERAL)


def _penalty(case: Case) -> Outcome | None:
    owed = having(matching(case, _PENALTY, _NO_PENALTY), _OWED)
    return outcome([s for s in owed if not _is_balanced_penalty(s)], focus=_PENALTY)


def _is_balanced_penalty(sentence: Sentence) -> bool:
    """Whether the penalty is capped and depends on fault."""
    return _CAPPED.search(sentence.lower) is not None and _FAULT.search(sentence.lower) is not None


def _penalty_without_fault(case: Case) -> Outcome | None:
    found = [s for s in matching(case, _GERMAN_PENALTY, _NO_PENALTY) if _WITHOUT_FAULT.search(s.lower)]
    return as_standard_term(case, found, focus=_GERMAN_PENALTY)


def _consumer_penalty(case: Case) -> Outcome | None:
    """§ 309 Nr. 6: no penalty for not taking or not paying in time, or for leaving the contract."""
    found = [s for s in matching(case, _GERMAN_PENALTY, _NO_PENALTY) if _CONSUMER_PENALTY.search(s.lower)]
    return as_standard_term(case, found, businesses=False, focus=_GERMAN_PENALTY)


def _merchant_penalty(case: Case) -> Outcome | None:
    """Between merchants a court cannot reduce a penalty (§ 348 HGB); companies are merchants by their form (§ 6"
    " HGB)."""
    if not case.german_law or case.consumer is not False:
        return None
    fixed = [
        s
        for s in matching(case, _GERMAN_PENALTY, _NO_PENALTY)
        if _FIXED_SUM.search(s.lower) and not _is_balanced_penalty(s)
    ]
    return outcome(fixed, focus=_GERMAN_PENALTY)


_FIXED_SUM = re.compile(r"\d ?(?:€|eur\b|euro\b|%|prozent\b)|(?:€|eur) ?\d")


def _minimum(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Minimum Commitment"), _MINIMUM, _NO_MINIMUM), focus=_MINIMUM)


def _most_favoured(case: Case) -> Outcome | None:
    favoured = having(matching(case, _MOST_FAVOURED, _NOT_FAVOURED), _COMMERCIAL)
    return outcome(favoured, focus=_MOST_FAVOURED)


def _interest(case: Case) -> Outcome | None:
    return outcome(having(matching(case, _INTEREST), _LATE), focus=_INTEREST)


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
        id="penalty-without-fault",
        category="Liquidated Damages",
        title=Words("Penalty regardless of fault", "Vertragsstrafe ohne Verschulden"),
        explanation=Words(
            "The penalty is due without fault, or for every single act of a continuing breach. In standard terms that"
            " departs from the law and is usually an unreasonable disadvantage.",
            "Die Strafe wird ohne Verschulden oder für jede einzelne Handlung eines fortgesetzten Verstoßes fällig. In"
            " AGB weicht das vom Gesetz ab und benachteiligt meist unangemessen.",
        ),
        recommendation=Words(
            "Require fault, and treat a continuing breach as one.",
            "Verschulden voraussetzen und einen fortgesetzten Verstoß als einen zählen.",
        ),
        deviation=Words("§ 339 BGB presumes fault.", "§ 339 BGB setzt Verschulden voraus."),
        likelihood=3,
        impact=3,
        find=_penalty_without_fault,
        assessment="check",
        statutes=("§ 339 BGB", "§ 307 Abs. 2 Nr. 1 BGB"),
        hurts="bound",
        standard_term=True,
    ),
    Check(
        id="penalty-309-nr-6",
        category="Liquidated Damages",
        title=Words("Penalty that § 309 no. 6 BGB forbids", "Vertragsstrafe entgegen § 309 Nr. 6 BGB"),
        explanation=Words(
            "The penalty is for not taking the goods, for late payment or for leaving the contract. Towards consumers"
            " standard terms may not promise it.",
            "Die Strafe knüpft an Nichtabnahme, Zahlungsverzug oder die Lösung vom Vertrag an. Gegenüber Verbrauchern"
            " dürfen AGB sie nicht vorsehen.",
        ),
        recommendation=Words("Delete it; interest on arrears remains.", "Streichen; Verzugszinsen bleiben."),
        deviation=Words("§ 309 no. 6 BGB.", "§ 309 Nr. 6 BGB."),
        likelihood=3,
        impact=2,
        find=_consumer_penalty,
        assessment="check",
        statutes=("§ 309 Nr. 6 BGB",),
        standard_term=True,
    ),
    Check(
        id="penalty-merchant",
        category="Liquidated Damages",
        title=Words("Penalty that no court can reduce", "Vertragsstrafe ohne gerichtliche Herabsetzung"),
        explanation=Words(
            "A penalty promised by a merchant in the course of business cannot be reduced by a court, however high it"
            " is. Only limits in the contract, or the control of standard terms, help.",
            "Die im Handelsgewerbe versprochene Strafe eines Kaufmanns kann kein Gericht herabsetzen, wie hoch sie auch"
            " ist. Es helfen nur Grenzen im Vertrag oder die AGB-Kontrolle.",
        ),
        recommendation=Words(
            "Agree § 343 BGB to apply, or a sum that a court may review (“Hamburger Brauch”), and a cap.",
            "§ 343 BGB für anwendbar erklären oder eine gerichtlich überprüfbare Höhe (Hamburger Brauch) und eine"
            " Obergrenze vereinbaren.",
        ),
        deviation=Words("Between others § 343 BGB allows a reduction.", "Sonst erlaubt § 343 BGB die Herabsetzung."),
        likelihood=2,
        impact=3,
        find=_merchant_penalty,
        assessment="check",
        statutes=("§ 348 HGB", "§ 343 BGB", "§ 6 HGB"),
        hurts="bound",
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
