"""Intellectual property: what is given away, and for how long."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, outcome

_GIVEN = re.compile(
    r"\b(?:hereby|shall|will|agrees? to|does|and) (?:\w+ ){0,3}(?:assigns?|conveys?"
    r"|transfers?)\b.{0,200}\b(?:intellectual"
    r" property|copyrights?|patents?|trade ?marks?|inventions?|work product|developments?|improvements?|moral rights"
    r"|know-how"
    r"|right, title,? and interest|all right,? title|ownership|domain names?|deliverables)"
    r"|\bassigns?\b.{0,60}\ball (?:of )?(?:its |his |their )?(?:right|rights),? title"
    r"|\bworks? (?:made )?for[- ]hire\b"
    r"|\bshall (?:be )?(?:the )?(?:sole and exclusive|exclusive|sole) property\b"
    r"|\b(?:überträgt|übertragen|gehen|stehen|abgetreten)\b"
)
_NOT_GIVEN = re.compile(
    r"\bnothing (?:contained )?(?:herein|in this)|"
    r"\breceivables?\b|\bpurchase price\b|\bsuccessors and assigns\b.{0,20}\bshall\b|\bmaintaining the action\b"
    r"|\bstanding\b"
    r"|\bshall not (?:be required to )?assign|\bgoods in transit|\bstock\b|\bsecurities\b|\buser data\b"
)
_LICENCE = re.compile(
    r"\b(?:grants?|granted|gives?|receives?|have|has)\b.{0,200}\b(?:irrevocabl[ey]|perpetual(?:ly)?|in perpetuity)\b"
    r"|\b(?:irrevocabl[ey]|perpetual)\b.{0,120}\b(?:licen[sc]e|right to use)"
    r"|\b(?:nutzungsrecht|lizenz|recht)"
)
_NO_LICENCE = re.compile(
    r"\bsubject to\b.{0,60}\b(?:perpetual|irrevocable)\b|\bconsent|\bproxy|\bpower of attorney|\bwaive"
)
_JOINTLY = re.compile(
    r"\bjoint(?:ly)?[- ]own|\bown(?:ed)?\b.{0,20}\bjointly|\bjoint (?:and equal )?owner|\bco-?own|\bundivided\b"
    r"|\bgemeinschaftlich|\bgemeinsam\w*\b.{0,80}\b(?:zu|inhaber|eigentum)|\bmiteigentum|\bbruchteil"
)
_PARTNERSHIP = re.compile(r"\bco-ownership of a business|\bpartners\b.{0,60}\bco-?owners|\bjoint venturers?\b")
_CHALLENGE = re.compile(
    r"\b(?:not|never|nor|neither|refrain)\b.{0,100}\b(?:contest|challenge|attack|dispute|oppose|question)\w*\b.{0,120}"
    r"\b(?:validity|ownership|title|registration|enforceability|rights?|interest|trade ?marks?|marks?|patents?"
    r"|goodwill)\b"
    r"|\bcovenants? not to (?:sue|assert)\b"
    r"|\b(?:hereby|forever|irrevocably|fully)\b.{0,60}\b(?:releases?|discharges?|waives?)\b.{0,160}\b(?:claims?"
    r"|causes of action|suits?)\b"
    r"|\bnichtangriff|\bnicht anzugreifen|\bnicht angreif|\bklageverzicht|\bverzicht"
)
_NOT_CHALLENGE = re.compile(
    r"\bindemnif(?:y|ied|ication|ying)|\bcovenants that\b|\bjury\b|\bjurisdiction\b|\bvenue\b"
    r"|\bnotice\b.{0,40}\bwaive|\bis not contesting"
)


def _ip_assignment(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Ip Ownership Assignment"), _GIVEN, _NOT_GIVEN), focus=_GIVEN)


def _perpetual(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Irrevocable Or Perpetual License"), _LICENCE, _NO_LICENCE), focus=_LICENCE)


def _joint(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Joint Ip Ownership"), _JOINTLY, _PARTNERSHIP), focus=_JOINTLY)


def _no_sue(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Covenant Not To Sue"), _CHALLENGE, _NOT_CHALLENGE), focus=_CHALLENGE)


CHECKS = (
    Check(
        id="ip-assignment",
        category="Ip Ownership Assignment",
        title=Words("Transfer of intellectual property", "Übertragung von Schutzrechten"),
        explanation=Words(
            "Inventions, works or other rights pass to the other party for good. Check that nothing that"
            " existed before passes with them.",
            "Erfindungen, Werke oder andere Rechte gehen endgültig über. Zu prüfen ist, dass Vorbestehendes"
            " nicht mit übergeht.",
        ),
        recommendation=Words(
            "Except background rights and know-how, make the transfer depend on payment, and keep a licence back.",
            "Vorbestehende Rechte und Know-how ausnehmen, den Übergang von der Zahlung abhängig machen,"
            " Rücklizenz vorsehen.",
        ),
        deviation=Words(
            "Balanced contracts grant a licence instead, or except background rights.",
            "Ausgewogen ist eine Lizenz oder eine Ausnahme für Vorbestehendes.",
        ),
        likelihood=4,
        impact=3,
        find=_ip_assignment,
        statutes=("§ 31 UrhG", "§ 29 UrhG", "ArbnErfG"),
        hurts="bound",
    ),
    Check(
        id="licence-perpetual",
        category="Irrevocable Or Perpetual License",
        title=Words("Perpetual or irrevocable licence", "Unbefristete oder unwiderrufliche Lizenz"),
        explanation=Words(
            "The licence outlives the contract and cannot be taken back, even on a breach.",
            "Die Lizenz überdauert den Vertrag und kann auch bei Verstößen nicht zurückgenommen werden.",
        ),
        recommendation=Words(
            "Limit it to the term, or let it end on material breach.",
            "Auf die Laufzeit begrenzen oder bei wesentlichem Verstoß enden lassen.",
        ),
        deviation=Words(
            "Licences usually last as long as the contract.", "Lizenzen gelten üblicherweise für die Vertragsdauer."
        ),
        likelihood=3,
        impact=3,
        find=_perpetual,
        statutes=("§ 31 UrhG", "§ 40a UrhG"),
        hurts="bound",
    ),
    Check(
        id="joint-ownership",
        category="Joint Ip Ownership",
        title=Words("Joint ownership of rights", "Gemeinschaftliche Rechte"),
        explanation=Words(
            "Results belong to both. Without rules on use, licensing and enforcement, each blocks the other.",
            "Ergebnisse gehören beiden. Ohne Regeln zu Nutzung, Lizenzierung und Durchsetzung blockieren sich"
            " die Parteien.",
        ),
        recommendation=Words(
            "Regulate use, licensing, costs and enforcement, or assign to one with a licence to the other.",
            "Nutzung, Lizenz, Kosten und Durchsetzung regeln oder einer Partei zuordnen.",
        ),
        deviation=Words("Clear allocation is usual.", "Üblich ist eine klare Zuordnung."),
        likelihood=2,
        impact=3,
        find=_joint,
        assessment="check",
        statutes=("§ 741 BGB", "§ 8 UrhG"),
    ),
    Check(
        id="no-challenge",
        category="Covenant Not To Sue",
        title=Words("Waiver of claims or of challenging rights", "Verzicht auf Klagen oder Angriffe auf Schutzrechte"),
        explanation=Words(
            "A party gives up claims, or the right to contest the other's rights.",
            "Eine Partei verzichtet auf Ansprüche oder darauf, Rechte der anderen anzugreifen.",
        ),
        recommendation=Words(
            "Limit it to the rights named and to the term; have it checked under competition law.",
            "Auf benannte Rechte und die Laufzeit begrenzen; kartellrechtlich prüfen.",
        ),
        deviation=Words("Balanced waivers are mutual.", "Ausgewogene Verzichte sind gegenseitig."),
        likelihood=2,
        impact=3,
        find=_no_sue,
        assessment="check",
        hurts="bound",
    ),
)
