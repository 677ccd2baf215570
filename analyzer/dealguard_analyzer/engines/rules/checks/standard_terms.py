"""What German standard terms may not say about the contract itself: §§ 305c to 308 BGB and § 309 Nr. 12."""

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
from dealguard_analyzer.engines.rules.facts.periods import find_periods, months

_SURPRISING = re.compile(
    r"\bautomatisch\b.{0,60}\b(?:kostenpflichtig\w*|mitglied\w*|abonnement\w*)"
    r"|\b(?:probe|test|gratis)\w*\b.{0,120}\b(?:geht|wandelt|verlängert|wird)\b.{0,60}\bkostenpflichtig"
    r"|\bmit (?:dem kauf|der bestellung|der anmeldung|dem erwerb)\b.{0,80}\b(?:zugleich|gleichzeitig|auch)\b.{0,60}"
    r"\b(?:abonnement|mitglied\w*|newsletter|zeitschrift|vertrag)"
)
_VAGUE_DELIVERY = re.compile(
    r"\b(?:liefer|versand|fertigstellungs|ausführungs|leistungs)(?:termine?|fristen|frist|zeiten|zeit|angaben)\b"
    r".{0,90}\b(?:unverbindlich\w*|freibleibend|ungefähr\w*|annähernd\w*|richtwerte|zirka\S*|circa|ca\.|nicht bindend"
    r"|voraussichtlich\w*)"
    r"|\b(?:unverbindliche\w*|annähernde\w*) (?:liefer|leistungs)(?:termine?|fristen|frist|zeiten|zeit)"
)
_BINDING_IF_AGREED = re.compile(r"\b(?:soweit|sofern|wenn|es sei denn|außer)\b.{0,60}\b(?:verbindlich|ausdrücklich)")
_ACCEPTANCE_PERIOD = re.compile(
    r"\b(?:an (?:sein|ihr|das|dieses) (?:\w+ )?angebot|an (?:seine|ihre|die) bestellung)\b.{0,80}\bgebunden"
    r"|\b(?:angebot|bestellung|antrag)\b.{0,120}\binnerhalb\b.{0,40}\b(?:anzunehmen|annehmen|angenommen)"
)
_USER = r"(?:anbieter\w*|verkäufer\w*|unternehmer|vermieter\w*|veranstalter\w*|auftragnehmer\w*|lieferant\w*|wir)"
_WITHDRAWAL = re.compile(
    rf"\b(?:behalten? (?:wir )?(?:uns|sich)|{_USER} (?:ist|sind|kann|können|darf|dürfen)|(?:sind|können|dürfen) wir"
    r"|steht .{0,20}\bfrei)\b.{0,160}"
    r"\b(?:vom (?:kauf)?vertrage? zurück(?:zu)?treten|rücktritt vor|vom vertrag zurückzutreten|(?:bestellung|auftrag"
    r"|kaufvertrag|vertrag)\w*"
    r" .{0,60}(?:zu stornieren|stornieren|zu beenden)|auf eine absage)"
)
_WITHDRAWAL_REASON = re.compile(
    r"\bwichtige\w* grund|\bberechtigte\w* grund|\bzu vertreten|\bnicht rechtzeitig|\bselbstbeliefer|\bdeckungsgeschäft"
    r"|\bverzug|\bangemessene\w* (?:nach)?frist|\binsolvenz|\bohne eigenes verschulden|\beinkaufsvertrag|\bbeliefert"
    r"|\bhöhere\w* gewalt|\bwenn der (?:kunde|käufer|besteller)|\bgesetzlich\w* rücktritt|\bnicht abgeholt|\babzuholen"
)
_PERFORMANCE_CHANGE = re.compile(
    r"\b(?:leistungs|konstruktions|modell|form|farb|maß|sortiments|programm|technische\w* )?"
    r"(?:änderungen|abweichungen)\b(?! (?:und ergänzungen|dieser?|des vertrag)).{0,90}\b(?:vorbehalten|behalten"
    r"|behält|zulässig|gestattet)"
    r"|\b(?:behält sich|behalten wir uns|vorbehalten|berechtigt|kann|darf)\b.{0,140}\b(?:leistung\w*|funktion\w*"
    r"|lieferumfang|angebot|ware|ausführung|plattform|dienst\w*)\b.{0,80}\b(?:zu ändern|ändern|einzuschränken"
    r"|einschränken|einzustellen|einstellen|zu ersetzen|abzuweichen|anzupassen)"
)
_REASONABLE = re.compile(
    r"\bzumutbar|\bunwesentlich|\bgeringfügig|\bhandelsüblich|\bim einvernehmen|\bgesetzlich\w* gründe"
)
_FICTION = re.compile(
    r"\b(?:gilt|gelten)\b.{0,120}\b(?:als|die) (?:\w+ )?(?:genehmigt|angenommen|erteilt|anerkannt|zustimmung|annahme"
    r"|einverständnis|abnahme|abgenommen|vereinbart)"
    r"|\b(?:schweigen|widerspricht .{0,60}nicht|nicht .{0,60}widerspr\w+)\b.{0,120}\b(?:gilt|gelten|zustimmung"
    r"|genehmig\w+|einverstanden|wirksam)"
)
_SILENCE = re.compile(
    r"\bwiderspr|\bschweig|\bnicht (?:innerhalb|binnen|rechtzeitig)|\bohne (?:widerspruch|einwand)|\brüg"
)
_WARNED = re.compile(
    r"\b(?:besonders|gesondert|ausdrücklich|in der mitteilung)\b.{0,80}\bhin(?:ge)?w(?:eis|ies)|\bhinzuweisen"
)
_RECEIPT = re.compile(r"\b(?:gilt|gelten)\b.{0,140}\b(?:zugegangen|zugestellt)\b")
_CANCELLATION_FEE = re.compile(
    r"\b(?:storno\w*|stornierung\w*|rücktritt\w*|kündig\w*|absage\w*)\b.{0,160}\b(?:gebühr\w*|pauschale?\w*|kosten"
    r"|%|prozent)"
)
_LOWER_DAMAGE = re.compile(
    r"\b(?:nachweis\w*|nachzuweisen|nachgewiesen|weist|unbenommen)\b.{0,120}\b(?:kein\w*|niedriger\w*|geringer\w*|nicht"
    r"|weniger)|\b(?:kein\w*|niedriger\w*|geringer\w*)\b.{0,60}\b(?:nachweis\w*|nachgewiesen)"
)
_SALVATORY = re.compile(
    r"\b(?:soweit|sofern|im rahmen des) (?:dies )?(?:gesetzlich(?:en)? (?:zulässig\w*|möglich\w*)|rechtlich zulässig)"
)
_LIABILITY = re.compile(r"\bhaft(?:ung|et|en)\b|\bgewährleistung\b|\bschadensersatz|\bausgeschlossen\b")
_BURDEN = re.compile(
    r"\bbeweislast\b|\b(?:hat|haben|muss|müssen) (?:der |die )?(?:kunde|käufer|besteller|nutzer|mieter|verbraucher)?"
    r".{0,60}\b(?:zu beweisen|beweisen|nachzuweisen|nachweisen)\b"
    r"|\b(?:kunde|käufer|besteller|nutzer|mieter|verbraucher)\w* (?:bestätigt|erklärt|erkennt an)\b.{0,120}"
    r"\b(?:gelesen|zur kenntnis|erhalten|verstanden|hingewiesen|besichtigt|mangelfrei|ordnungsgemäß)"
)
_CUSTOMER = re.compile(r"\b(?:kunde|kundin|käufer|besteller|nutzer|mieter|verbraucher|auftraggeber|sie)\w*\b")
_ASSIGNMENT_BAN = re.compile(
    r"\b(?:abtretung|abtreten|abzutreten|abgetreten)\b.{0,120}\b(?:ausgeschlossen|unzulässig|untersagt|nicht)\b"
    r"|\b(?:nicht|untersagt|ausgeschlossen)\b.{0,80}\b(?:abtreten|abzutreten|abtretung|abgetreten)"
)
_CLAIM = re.compile(r"\b(?:forderung|anspr(?:uch|üche)|rechte)\w*")
_LONGEST_ACCEPTANCE_MONTHS = 0.5  # two weeks: what courts accept without a special interest
_BUSINESS_ONLY = re.compile(r"\bunternehmer|\bkaufleute|\bkaufmann")


def _surprising(case: Case) -> Outcome | None:
    return as_standard_term(case, matching(case, _SURPRISING), businesses=False, focus=_SURPRISING)


def _vague_delivery(case: Case) -> Outcome | None:
    return as_standard_term(case, matching(case, _VAGUE_DELIVERY, _BINDING_IF_AGREED), focus=_VAGUE_DELIVERY)


def _long_acceptance(case: Case) -> Outcome | None:
    long = [
        sentence
        for sentence in matching(case, _ACCEPTANCE_PERIOD)
        if any(months(hit.period) > _LONGEST_ACCEPTANCE_MONTHS for hit in find_periods(sentence.text))
    ]
    return as_standard_term(case, long, businesses=False, focus=_ACCEPTANCE_PERIOD)


def _withdrawal(case: Case) -> Outcome | None:
    return as_standard_term(case, matching(case, _WITHDRAWAL, _WITHDRAWAL_REASON), businesses=False, focus=_WITHDRAWAL)


def _performance_change(case: Case) -> Outcome | None:
    return as_standard_term(case, matching(case, _PERFORMANCE_CHANGE, _REASONABLE), focus=_PERFORMANCE_CHANGE)


def _fiction(case: Case) -> Outcome | None:
    """Silence that counts as consent, without the special notice that § 308 Nr. 5 demands."""
    silent = [s for s in matching(case, _FICTION) if _SILENCE.search(s.lower)]
    return as_standard_term(case, without_near(case, silent, _WARNED, before=0), focus=_FICTION)


def _receipt(case: Case) -> Outcome | None:
    return as_standard_term(case, matching(case, _RECEIPT), businesses=False, focus=_RECEIPT)


def _cancellation_fee(case: Case) -> Outcome | None:
    fees = matching(case, _CANCELLATION_FEE, re.compile(r"\bkostenlos|\bkostenfrei|\bkeine (?:kosten|gebühr)"))
    priced = [s for s in fees if re.search(r"\d ?%|\bprozent\b|\d ?(?:€|eur)", s.lower)]
    return as_standard_term(case, without_near(case, priced, _LOWER_DAMAGE), focus=_CANCELLATION_FEE)


def _salvatory(case: Case) -> Outcome | None:
    limits = [s for s in matching(case, _SALVATORY) if _LIABILITY.search(s.lower) and "gerichtsstand" not in s.lower]
    return as_standard_term(case, limits, focus=_SALVATORY)


def _burden_of_proof(case: Case) -> Outcome | None:
    shifted = [
        s
        for s in matching(case, _BURDEN, _LOWER_DAMAGE)
        if _CUSTOMER.search(s.lower) and not re.search(r"\bgesetzlich\w* beweislast", s.lower)
    ]
    return as_standard_term(case, shifted, businesses=False, focus=_BURDEN)


def _assignment_ban(case: Case) -> Outcome | None:
    """Towards consumers no term may exclude the assignment of money claims (contracts from 1 October 2021)."""
    if is_employment(case):
        return None
    bans = [s for s in matching(case, _ASSIGNMENT_BAN, _BUSINESS_ONLY) if _CLAIM.search(s.lower)]
    return as_standard_term(case, bans, businesses=False, focus=_ASSIGNMENT_BAN)


CHECKS = (
    Check(
        id="agb-surprising",
        category="conclusionOfContract",
        title=Words("Surprising clause", "Überraschende Klausel"),
        explanation=Words(
            "A customer need not expect a paid subscription or membership in such a place. A surprising standard term"
            " does not become part of the contract.",
            "Mit einem kostenpflichtigen Abonnement oder einer Mitgliedschaft muss ein Kunde an dieser Stelle nicht"
            " rechnen. Eine überraschende Klausel wird nicht Vertragsbestandteil.",
        ),
        recommendation=Words(
            "Agree it separately and visibly beside the price, or delete it.",
            "Gesondert und deutlich beim Preis vereinbaren oder streichen.",
        ),
        deviation=Words("§ 305c (1) BGB.", "§ 305c Abs. 1 BGB."),
        likelihood=3,
        impact=3,
        find=_surprising,
        assessment="check",
        statutes=("§ 305c Abs. 1 BGB", "§ 312j BGB"),
        standard_term=True,
    ),
    Check(
        id="agb-delivery-period",
        category="delivery",
        title=Words("Delivery period not binding", "Lieferzeit unverbindlich"),
        explanation=Words(
            "The user of the terms is not bound to any delivery date. A period that is not sufficiently definite is"
            " void"
            " in standard terms.",
            "Der Verwender bindet sich an keinen Liefertermin. Eine nicht hinreichend bestimmte Leistungsfrist ist in"
            " AGB unwirksam.",
        ),
        recommendation=Words(
            "Name a period in days, and what happens when it is missed.",
            "Eine Frist in Tagen nennen und regeln, was bei Überschreitung gilt.",
        ),
        deviation=Words("Usual is a period that the customer can compute.", "Üblich ist eine berechenbare Frist."),
        likelihood=3,
        impact=2,
        find=_vague_delivery,
        assessment="check",
        statutes=("§ 308 Nr. 1 BGB", "§ 307 BGB"),
        standard_term=True,
    ),
    Check(
        id="agb-acceptance-period",
        category="conclusionOfContract",
        title=Words("Long time to accept an offer", "Lange Annahmefrist"),
        explanation=Words(
            "The customer is bound to an offer for more than two weeks. In standard terms an unreasonably long period"
            " for acceptance is void.",
            "Der Kunde ist länger als zwei Wochen an sein Angebot gebunden. Eine unangemessen lange Annahmefrist ist in"
            " AGB unwirksam.",
        ),
        recommendation=Words(
            "Accept within a few days, two weeks at most.", "Annahme binnen weniger Tage, höchstens zwei Wochen."
        ),
        deviation=Words("Courts accept up to two weeks.", "Die Rechtsprechung billigt bis zu zwei Wochen."),
        likelihood=2,
        impact=2,
        find=_long_acceptance,
        assessment="check",
        statutes=("§ 308 Nr. 1 BGB",),
        standard_term=True,
    ),
    Check(
        id="agb-withdrawal-reservation",
        category="conclusionOfContract",
        title=Words("One side may withdraw without a named reason", "Rücktrittsvorbehalt ohne sachlichen Grund"),
        explanation=Words(
            "The user of the terms may free itself from the contract, and no factual reason for it was found. Such a"
            " reservation is void in standard terms.",
            "Der Verwender darf sich vom Vertrag lösen; ein sachlich gerechtfertigter Grund wurde nicht gefunden. Ein"
            " solcher Vorbehalt ist in AGB unwirksam.",
        ),
        recommendation=Words(
            "Name the reason, and promise to inform and repay at once.",
            "Den Grund nennen und unverzügliche Information und Erstattung zusagen.",
        ),
        deviation=Words("§ 308 no. 3 and 8 BGB.", "§ 308 Nr. 3 und 8 BGB."),
        likelihood=3,
        impact=2,
        find=_withdrawal,
        assessment="check",
        statutes=("§ 308 Nr. 3 BGB", "§ 308 Nr. 8 BGB"),
        standard_term=True,
    ),
    Check(
        id="agb-performance-change",
        category="changes",
        title=Words("Performance may be changed by one side", "Änderungsvorbehalt für die Leistung"),
        explanation=Words(
            "The user of the terms may deliver something else than agreed. In standard terms that is valid only if the"
            " change is reasonable for the other side, and the clause does not say so.",
            "Der Verwender darf anders leisten als vereinbart. In AGB ist das nur wirksam, wenn die Änderung dem"
            " anderen"
            " Teil zumutbar ist; das sagt die Klausel nicht.",
        ),
        recommendation=Words(
            "Limit changes to named, reasonable cases and give a right to terminate.",
            "Auf benannte, zumutbare Fälle beschränken und ein Kündigungsrecht vorsehen.",
        ),
        deviation=Words("§ 308 no. 4 BGB.", "§ 308 Nr. 4 BGB."),
        likelihood=3,
        impact=3,
        find=_performance_change,
        assessment="check",
        statutes=("§ 308 Nr. 4 BGB", "§ 307 BGB"),
        hurts="other",
        standard_term=True,
    ),
    Check(
        id="agb-fictitious-consent",
        category="changes",
        title=Words("Silence counts as consent", "Schweigen gilt als Zustimmung"),
        explanation=Words(
            "Who does not object is taken to have agreed. In standard terms this needs a reasonable period and the"
            " promise to point out the consequence, which was not found here.",
            "Wer nicht widerspricht, gilt als einverstanden. In AGB setzt das eine angemessene Frist und die Zusage"
            " eines"
            " besonderen Hinweises voraus, die hier nicht gefunden wurde.",
        ),
        recommendation=Words(
            "Require express consent for substantial changes; otherwise add period and notice.",
            "Für wesentliche Änderungen ausdrückliche Zustimmung verlangen; sonst Frist und Hinweis ergänzen.",
        ),
        deviation=Words(
            "Changes usually need both parties' consent.", "Änderungen bedürfen üblicherweise beider Seiten."
        ),
        likelihood=3,
        impact=3,
        find=_fiction,
        assessment="check",
        statutes=("§ 308 Nr. 5 BGB", "§ 307 BGB"),
        hurts="other",
        standard_term=True,
    ),
    Check(
        id="agb-fictitious-receipt",
        category="form",
        title=Words("Declaration counts as received", "Zugang wird fingiert"),
        explanation=Words(
            "An important declaration counts as received although it may not have arrived. Standard terms may not say"
            " so.",
            "Eine Erklärung von besonderer Bedeutung gilt als zugegangen, auch wenn sie nicht ankam. Das dürfen AGB"
            " nicht bestimmen.",
        ),
        recommendation=Words("Delete the fiction.", "Die Fiktion streichen."),
        deviation=Words("§ 308 no. 6 BGB.", "§ 308 Nr. 6 BGB."),
        likelihood=2,
        impact=2,
        find=_receipt,
        assessment="check",
        statutes=("§ 308 Nr. 6 BGB",),
        standard_term=True,
    ),
    Check(
        id="agb-cancellation-fee",
        category="payment",
        title=Words("Flat fee for cancelling", "Pauschale bei Stornierung"),
        explanation=Words(
            "Cancelling costs a flat amount, and the proof of a lower damage is not left open. In standard terms"
            " that is"
            " doubtful.",
            "Eine Stornierung kostet einen Pauschalbetrag, der Nachweis eines geringeren Schadens ist nicht offen"
            " gelassen. In AGB ist das bedenklich.",
        ),
        recommendation=Words(
            "Measure the fee by the usual damage and allow proof of less.",
            "Die Pauschale am gewöhnlichen Schaden ausrichten und den Gegenbeweis zulassen.",
        ),
        deviation=Words("§ 308 no. 7, § 309 no. 5 BGB.", "§ 308 Nr. 7, § 309 Nr. 5 BGB."),
        likelihood=2,
        impact=2,
        find=_cancellation_fee,
        assessment="check",
        statutes=("§ 308 Nr. 7 BGB", "§ 309 Nr. 5 BGB"),
        standard_term=True,
    ),
    Check(
        id="agb-as-far-as-lawful",
        category="liability",
        title=Words("“As far as the law allows”", "„Soweit gesetzlich zulässig“"),
        explanation=Words(
            "The clause leaves it to the reader to find out how far it is valid. Such a proviso is not transparent and"
            " does not save the clause.",
            "Die Klausel überlässt es dem Leser, ihre wirksame Reichweite zu ermitteln. Ein solcher Zusatz ist"
            " intransparent und rettet die Klausel nicht.",
        ),
        recommendation=Words("Write down the exceptions themselves.", "Die Ausnahmen selbst ausschreiben."),
        deviation=Words("§ 307 (1) sentence 2 BGB.", "§ 307 Abs. 1 Satz 2 BGB."),
        likelihood=2,
        impact=3,
        find=_salvatory,
        assessment="check",
        statutes=("§ 307 Abs. 1 Satz 2 BGB", "§ 306 BGB"),
        standard_term=True,
    ),
    Check(
        id="agb-burden-of-proof",
        category="form",
        title=Words("Burden of proof shifted, or facts confirmed", "Beweislast verschoben oder Tatsache bestätigt"),
        explanation=Words(
            "The customer must prove what the law does not ask of them, or confirms a fact in advance. Standard terms"
            " may not change the burden of proof to their disadvantage.",
            "Der Kunde soll beweisen, was das Gesetz nicht von ihm verlangt, oder bestätigt vorab eine Tatsache. AGB"
            " dürfen die Beweislast nicht zu seinem Nachteil ändern.",
        ),
        recommendation=Words(
            "Delete it; have a receipt signed separately.",
            "Streichen; ein Empfangsbekenntnis gesondert unterschreiben lassen.",
        ),
        deviation=Words("§ 309 no. 12 BGB.", "§ 309 Nr. 12 BGB."),
        likelihood=2,
        impact=2,
        find=_burden_of_proof,
        assessment="check",
        statutes=("§ 309 Nr. 12 BGB",),
        standard_term=True,
    ),
    Check(
        id="agb-assignment-ban",
        category="payment",
        title=Words("Customer may not assign claims", "Abtretungsverbot für Ansprüche des Kunden"),
        explanation=Words(
            "The customer may not assign claims. For money claims such a term is void towards consumers (contracts from"
            " 1 October 2021).",
            "Der Kunde darf Ansprüche nicht abtreten. Für Geldansprüche ist das gegenüber Verbrauchern unwirksam"
            " (Verträge ab 1. Oktober 2021).",
        ),
        recommendation=Words("Delete it, or except money claims.", "Streichen oder Geldansprüche ausnehmen."),
        deviation=Words("§ 308 no. 9 BGB.", "§ 308 Nr. 9 BGB."),
        likelihood=2,
        impact=2,
        find=_assignment_ban,
        assessment="check",
        statutes=("§ 308 Nr. 9 BGB",),
        standard_term=True,
    ),
)
