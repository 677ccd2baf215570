"""German leases of dwellings: deposit, notice, waiver of termination, repairs."""

import re
from decimal import Decimal

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, matching, outcome, without_near
from dealguard_analyzer.engines.rules.checks.kinds import is_residential_lease
from dealguard_analyzer.engines.rules.facts.money import find_money
from dealguard_analyzer.engines.rules.facts.periods import find_periods, months

_DEPOSIT = re.compile(r"\bkaution\w*|\bmietsicherheit\w*|\bsicherheitsleistung\w*")
_MONTHS_RENT = re.compile(
    r"\b(?:vier|fünf|sechs|4|5|6) (?:netto|brutto|kalt)?-?(?:monats)?(?:kalt|netto|grund)?mieten"
    r"|\b(?:vier|fünf|sechs|4|5|6) monats"
)
_NET_RENT = re.compile(r"\b(?:netto(?:kalt)?miete|kaltmiete|grundmiete|nettomiete)\b")
_NOTICE = re.compile(r"\bkündigungsfrist|\bkündig\w*\b.{0,100}\bfrist\b|\bfrist\b.{0,80}\b(?:kündig|gekündigt)")
_LANDLORD = re.compile(r"\b(?:vermieter\w*)\b")
_TENANT = re.compile(r"\b(?:mieter\w*|beide\w*|parteien)\b")
_WAIVER = re.compile(
    r"\b(?:verzicht\w*|ausgeschlossen|ausschluss)\b.{0,120}\b(?:kündigung\w*|kündigungsrecht\w*)"
    r"|\bkündigung\w*\b.{0,120}\b(?:verzicht\w*|ausgeschlossen|ausschluss)"
)
_COSMETIC = re.compile(r"\bschönheitsreparatur\w*")
_RIGID = re.compile(
    r"\b(?:alle|spätestens alle|mindestens alle|im abstand von|nach ablauf von) (?:jeweils )?(?:\d+|zwei|drei|vier"
    r"|fünf|sieben|acht|zehn)\b"
)
_SOFT = re.compile(
    r"\bin der regel\b|\bim allgemeinen\b|\büblicherweise\b|\bsoweit erforderlich\b|\bnach bedarf\b|\bje nach"
)
_END = re.compile(
    r"\b(?:bei|beim|vor|vor dem|mit|mit dem|zum) (?:auszug|ende des mietverhältnisses|beendigung des"
    r" mietverhältnisses|der rückgabe"
    r"|mietende)\b"
)
_RENOVATE = re.compile(r"\b(?:renovier\w*|gestrichen\w*|streichen|weißen|tapezier\w*|schönheitsreparatur\w*)")
_NEEDED = re.compile(r"\bsoweit\b|\bfällig\w*|\berforderlich\w*|\bnicht verpflichtet|\bkeine\b|\banfangsrenov")
_SMALL_REPAIRS = re.compile(
    r"\b(?:klein|bagatell)\w*(?:reparatur|schäden|instandsetzung)\w*|\bkleinere (?:reparaturen|instandhaltung)"
)
_CAP = re.compile(r"\d ?(?:€|eur\b|euro\b|%|prozent\b)|(?:€|eur) ?\d")
_LONGEST_TENANT_NOTICE_MONTHS = 3
_LONGEST_WAIVER_MONTHS = 48  # Federal Court of Justice: four years from the conclusion
_MOST_RENTS = 3


def _applies(case: Case) -> bool:
    return case.german_law and case.german and is_residential_lease(case)


def _deposit(case: Case) -> Outcome | None:
    """More than three net rents, said in rents or, where the net rent is stated, in money."""
    if not _applies(case):
        return None
    deposits = matching(case, _DEPOSIT)
    rents = [
        hit.money.amount
        for s in matching(case, _NET_RENT, _DEPOSIT)
        for hit in find_money(s.text)
        if hit.money.amount > 0
    ]
    limit = rents[0] * _MOST_RENTS if rents else Decimal("Infinity")
    high = [
        s
        for s in deposits
        if _MONTHS_RENT.search(s.lower) or any(hit.money.amount > limit for hit in find_money(s.text))
    ]
    return outcome(high, focus=_DEPOSIT)


def _tenant_notice(case: Case) -> Outcome | None:
    if not _applies(case):
        return None
    long = [
        s
        for s in matching(case, _NOTICE)
        if _TENANT.search(s.lower)
        and any(
            months(hit.period) > _LONGEST_TENANT_NOTICE_MONTHS
            and re.search(r"\bfrist\b|\bkündigungsfrist", s.lower[max(0, hit.start - 60) : hit.end + 30])
            and not _LANDLORD.search(s.lower[max(0, hit.start - 60) : hit.start])
            for hit in find_periods(s.text)
        )
    ]
    return outcome(long, focus=_NOTICE)


def _waiver(case: Case) -> Outcome | None:
    if not _applies(case):
        return None
    long = [
        s
        for s in matching(case, _WAIVER)
        if any(months(hit.period) > _LONGEST_WAIVER_MONTHS for hit in find_periods(s.text))
        or ("vermieter" not in s.lower and "beide" not in s.lower and "parteien" not in s.lower and "mieter" in s.lower)
    ]
    return outcome(long, focus=_WAIVER)


def _rigid_schedule(case: Case) -> Outcome | None:
    if not _applies(case):
        return None
    about = matching(case, _COSMETIC)
    near = [s for first in about for s in case.text.sentences[first.index : first.index + 4] if not s.is_heading]
    rigid = [s for s in dict.fromkeys(near) if _RIGID.search(s.lower)]
    return outcome(without_near(case, rigid, _SOFT), focus=_RIGID)


def _final_renovation(case: Case) -> Outcome | None:
    if not _applies(case):
        return None
    found = [s for s in matching(case, _END) if _RENOVATE.search(s.lower)]
    return outcome(without_near(case, found, _NEEDED, before=0, after=0), focus=_END)


def _small_repairs(case: Case) -> Outcome | None:
    if not _applies(case):
        return None
    borne = [s for s in matching(case, _SMALL_REPAIRS) if re.search(r"\bmieter\b", s.lower)]
    return outcome(without_near(case, borne, _CAP, before=0, after=2), focus=_SMALL_REPAIRS)


CHECKS = (
    Check(
        id="rent-deposit",
        category="deposit",
        title=Words("Deposit over three months' rent", "Kaution über drei Monatsmieten"),
        explanation=Words(
            "For a dwelling the deposit must not exceed three months' rent without service charges. What is above need"
            " not be paid.",
            "Bei Wohnraum darf die Kaution drei Monatsmieten ohne Nebenkosten nicht übersteigen. Was darüber liegt, ist"
            " nicht geschuldet.",
        ),
        recommendation=Words("Reduce it to three months' rent.", "Auf drei Monatsmieten herabsetzen."),
        deviation=Words("§ 551 (1), (4) BGB.", "§ 551 Abs. 1, 4 BGB."),
        likelihood=4,
        impact=2,
        find=_deposit,
        statutes=("§ 551 BGB",),
    ),
    Check(
        id="rent-tenant-notice",
        category="Termination For Convenience",
        title=Words("Tenant's notice longer than three months", "Kündigungsfrist des Mieters über drei Monate"),
        explanation=Words(
            "The tenant of a dwelling may always terminate with three months' notice. A longer period to the tenant's"
            " disadvantage is void.",
            "Der Mieter von Wohnraum kann stets mit drei Monaten kündigen. Eine längere Frist zu seinem Nachteil ist"
            " unwirksam.",
        ),
        recommendation=Words("Agree three months for the tenant.", "Für den Mieter drei Monate vereinbaren."),
        deviation=Words("§ 573c (1), (4) BGB.", "§ 573c Abs. 1, 4 BGB."),
        likelihood=4,
        impact=2,
        find=_tenant_notice,
        statutes=("§ 573c BGB",),
    ),
    Check(
        id="rent-termination-waiver",
        category="Termination For Convenience",
        title=Words("Waiver of the tenant's right to terminate", "Kündigungsverzicht des Mieters"),
        explanation=Words(
            "The tenant gives up ordinary termination for more than four years, or alone. In standard terms courts"
            " allow"
            " a mutual waiver of at most four years.",
            "Der Mieter verzichtet länger als vier Jahre oder einseitig auf die ordentliche Kündigung. In AGB ist"
            " nur ein"
            " beiderseitiger Verzicht von höchstens vier Jahren anerkannt.",
        ),
        recommendation=Words(
            "Make it mutual and four years at most, counted from the signing.",
            "Beiderseitig und höchstens vier Jahre ab Vertragsschluss vereinbaren.",
        ),
        deviation=Words("§ 307, § 557a (3) BGB.", "§ 307, § 557a Abs. 3 BGB."),
        likelihood=3,
        impact=3,
        find=_waiver,
        assessment="check",
        statutes=("§ 307 BGB", "§ 573c Abs. 4 BGB", "§ 575 BGB"),
    ),
    Check(
        id="rent-cosmetic-repairs",
        category="maintenance",
        title=Words("Cosmetic repairs by a rigid schedule", "Schönheitsreparaturen nach starrem Fristenplan"),
        explanation=Words(
            "The tenant must renovate after fixed periods, whether needed or not. In standard terms a rigid schedule is"
            " void, and then the landlord has to renovate.",
            "Der Mieter muss nach festen Fristen renovieren, ob nötig oder nicht. In AGB ist ein starrer Fristenplan"
            " unwirksam; dann bleibt die Pflicht beim Vermieter.",
        ),
        recommendation=Words(
            "Tie the duty to actual wear, and only if the dwelling was handed over renovated.",
            "Die Pflicht an den tatsächlichen Zustand knüpfen, und nur bei renoviert übergebener Wohnung.",
        ),
        deviation=Words("§ 535 (1) sentence 2, § 307 BGB.", "§ 535 Abs. 1 Satz 2, § 307 BGB."),
        likelihood=3,
        impact=2,
        find=_rigid_schedule,
        assessment="check",
        statutes=("§ 535 Abs. 1 Satz 2 BGB", "§ 307 BGB"),
    ),
    Check(
        id="rent-final-renovation",
        category="maintenance",
        title=Words("Renovation when moving out", "Renovierung bei Auszug"),
        explanation=Words(
            "The tenant must renovate when moving out, whatever the state of the dwelling. In standard terms that is an"
            " unreasonable disadvantage.",
            "Der Mieter muss beim Auszug renovieren, gleich in welchem Zustand die Wohnung ist. In AGB benachteiligt"
            " das"
            " unangemessen.",
        ),
        recommendation=Words("Limit it to repairs that are due.", "Auf fällige Arbeiten beschränken."),
        deviation=Words("§ 307, § 538 BGB.", "§ 307, § 538 BGB."),
        likelihood=3,
        impact=2,
        find=_final_renovation,
        assessment="check",
        statutes=("§ 307 BGB", "§ 538 BGB"),
    ),
    Check(
        id="rent-small-repairs",
        category="maintenance",
        title=Words("Small repairs without a limit", "Kleinreparaturen ohne Höchstbetrag"),
        explanation=Words(
            "The tenant pays for small repairs, and no limit in money stands near. In standard terms a limit for the"
            " single repair and for the year is needed.",
            "Der Mieter trägt Kleinreparaturen, ein Höchstbetrag steht nicht dabei. In AGB braucht es eine Grenze je"
            " Reparatur und je Jahr.",
        ),
        recommendation=Words("Add both limits.", "Beide Höchstbeträge ergänzen."),
        deviation=Words("§ 535 (1), § 307 BGB.", "§ 535 Abs. 1, § 307 BGB."),
        likelihood=3,
        impact=1,
        find=_small_repairs,
        assessment="check",
        statutes=("§ 535 Abs. 1 Satz 2 BGB", "§ 307 BGB"),
    ),
)
