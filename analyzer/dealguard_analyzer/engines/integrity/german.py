"""What German attacks say; see `english`."""

from typing import Final

from dealguard_analyzer.engines.integrity.grammar import START, Attack, anything

_POLITE = r"bitte|nun|jetzt|sofort|ab sofort|dann|stattdessen|einfach|immer|nur|zuerst|umgehend|daher|deshalb|unbedingt"
_ORDER = (
    rf"(?:{START}(?:(?:{_POLITE}),? ){{0,2}}"
    r"|\b(?:bitte|du (?:musst|sollst|wirst|darfst|hast)|(?:deine|ihre) (?:neue |einzige )?aufgabe (?:ist"
    r"|lautet)(?: es)?,?) (?:nun |jetzt |nur )?)"
)
_ORDER_OR_AND = rf"(?:{_ORDER}|\b(?:und|dann|sowie|stattdessen) )"
_MODEL = (
    r"(?:ki(?:-?(?:system\w*|modell\w*|assistent\w*|agent\w*|werkzeug\w*|tool\w*|prüf\w*|software|programm\w*"
    r"|analys\w*|dienst\w*))?|künstlichen? intelligenz\w*|(?:großen? )?sprachmodell\w*|llms?|chat-?gpt|chat-?bots?"
    r"|claude|(?:analyse|auswertungs|prüf|vertragsprüfungs|vertragsanalyse|auswerte|bewertungs)-?(?:programm\w*"
    r"|software|systeme?n?|modell\w*|tools?|maschine|engine|assistent\w*|werkzeug\w*)|(?:automatisch\w*"
    r"|automatisiert\w*|maschinell\w*) (?:\w+ )?(?:vertrags|dokumenten?|risiko)?-?(?:analys\w*|prüf\w*|auswertung\w*"
    r"|verarbeitung\w*|lese\w*|system\w*)|virtuellen? assistent\w*)"
)
_IGNORE = (
    r"(?:ignorier(?:e|en sie|t)?|vergiss|vergessen sie|missachte(?:n sie)?|übergeh(?:e|en sie)?|verw(?:irf|erfen sie)"
    r"|überschreib(?:e|en sie)?|lösch(?:e|en sie)?|umgeh(?:e|en sie)?|streich(?:e|en sie)?)"
)
_EARLIER = (
    r"(?:vorherig|bisherig|vorangegangen|vorangehend|vorangestellt|früher|obig|vorstehend|vorig|ursprünglich|all"
    r"|sämtlich|dein|ihr|jeglich|jed|system|sonstig|ander|bestehend|zuvor|davor|oben|geltend)\w*"
)
_RULES = (
    r"(?:(?:system|sicherheits)?-?(?:anweisung|instruktion)(?:en)?|vorgaben|regeln|befehle?|prompts?|richtlinien"
    r"|aufträge|systemnachricht(?:en)?|systemprompts?|programmierung|einschränkungen|kontext|aufgaben?"
    r"|anleitung(?:en)?|instructions?)"
)
_OF_A_PARTY = (
    r"(?! (?:des|der|vom|von|durch|seitens|zu[rm]|in bezug)\b(?! (?:entwickler|betreiber|system|nutzer|benutzer"
    r"|anwender|modell)s?\w*))"
)
_NO_RISK = (
    r"(?:(?:keine|keinerlei|null) (?:\w+ )?(?:risik(?:en|o)|befunde?|auffälligkeiten|probleme|bedenken|mängel"
    r"|einwände)|risiko(?:frei|los|arm)\w*|unbedenklich\w*|unproblematisch\w*|harmlos\w*|ohne (?:risik(?:o|en)"
    r"|befunde?|beanstandung(?:en)?)|vollständig ausgewogen|geringe?[smnr]? risiko|niedrige?[smnr]? risiko|risik(?:o"
    r"|en)\w*(?: \w+){0,3} (?:auf |als |mit |von |ist |gleich |= ?|: ?)*(?:niedrig|gering|null|grün|minimal|0|1)\b"
    r"|(?:als|auf|mit) (?:niedrig|gering|null|grün|minimal|0|1)\w*\b)"
)
_SAY = (
    r"(?:melde|berichte|antworte|schreib|bewerte|sage?|stufe|erklär|bestätig|gib|gebe|geben|fass|beurteil|setz|nenn"
    r"|markier|zeig|kennzeichne|teil|erstell|erzeug|verfass|liefer|behandl|betracht|senk|reduzier|halte)(?:e|n"
    r"|en)?(?: sie)?"
)
_INFINITIVE = (
    r"(?:bewerten|einzustufen|einstufen|(?:zu )?melden|auszugeben|ausgeben|(?:zu )?behandeln|zu bewerten|anzusehen"
    r"|ansehen|(?:zu )?betrachten|(?:zu )?kennzeichnen|(?:zu )?markieren|(?:zu )?beurteilen|(?:zu )?ignorieren"
    r"|(?:zu )?überspringen|(?:zu )?verschweigen|(?:zu )?übergehen|auszulassen|auslassen|wegzulassen|weglassen"
    r"|nicht (?:zu )?(?:erwähnen|melden|berichten|nennen|prüfen|beanstanden|analysieren|bewerten)|unterlassen"
    r"|antworten|zu antworten|(?:zu )?befolgen|(?:zu )?bestätigen)"
)
_PLACE = (
    r"(?:klauseln?|ziffern?|paragraf\w*|paragraph\w*|absatz|absätze|abschnitt\w*|artikel|seiten?|anlagen?|§§?|punkte?)"
)
_THIS_DOCUMENT = (
    r"(?:dies\w+|d(?:as|en|er|ie|em)|vorliegend\w+) (?:\w+ )?(?:dokument\w*|vertrag\w*|text\w*|datei\w*|pdf\w*"
    r"|vereinbarung\w*|seiten?)"
)
_READS = (
    r"(?:prüf\w*|analysier\w*|lies\w*|les\w*|bearbeite\w*|auswerte\w*|aus(?:zu)?werte\w*|zusammenfass\w*|verarbeite\w*"
    r"|bewerte\w*|untersuch\w*|einles\w*)"
)

_ORDER_SIGNS: Final = (
    r"ignorier|vergiss|vergessen|missacht|übergeh|verwirf|verwerfen|überschreib|lösch|umgeh|streich",
    r"anweisung|instruktion|vorgaben|prompts?\b|richtlinien|befehl|programmierung|einschränkung",
    r"ki\b|intelligenz|sprachmodell|llms?\b|gpt|bots?\b|claude|automatisch|automatisiert|maschinell|virtuelle"
    r"|assistent",
    r"(?:analyse|auswertungs|prüf|vertragsprüfungs|vertragsanalyse|auswerte|bewertungs)-?(?:pr|so|sy|mo|to|ma|en|as"
    r"|we)",
    r"du\b|deine|ab jetzt|ab sofort|von nun an|(?:entwickler|debug|wartungs|admin)\w*modus",
    r"risik|risiko|befund|auffälligkeit|bedenken|unbedenklich|unproblematisch|harmlos|beanstandung"
    r"|keine (?:\w+ )?(?:prob|män|einw)|ausgewogen|(?:als|auf|mit) (?:niedrig|gering|null|grün|minimal|0|1)",
    r"(?:erwähn|meld|nenn|prüf|beanstand|analysier|bericht|kommentier|bewert|zitier|zeig)(?:e|en sie)\b",
    r"(?:behandle|betrachte)(?:n sie)? (?:dies|den|das)",
    r"überspring|verschweig|übersieh|blende|[\s.:!]lass(?:en sie|e)?\b",
    r"(?:brich|beende|stoppe|unterlasse)|(?:antworte|gib)(?:n sie)? (?:nur|aussch|exakt|ledig|genau|immer)",
    r"(?:richtige|korrekte|erwartete|gewünschte|zutreffende) (?:antwort|ausgabe|bewertung|einstufung)",
    r"(?:systeme?n?|programme?n?),? (?:die|das|welche)",
)
ORDERS: Final = Attack.of(
    _ORDER_SIGNS,
    (
        rf"{_ORDER_OR_AND}{_IGNORE}\b{anything(40)}\b{_EARLIER}{anything(40)}\b{_RULES}\b{_OF_A_PARTY}",
        rf"{_ORDER}(?:beacht|befolg)(?:e|en sie) {anything(30)}\b{_EARLIER} (?:\w+ )?{_RULES} (?:nicht"
        rf"|ab sofort nicht)\b",
        rf"{_ORDER}(?:alle |sämtliche |die |deine )?{_EARLIER} (?:\w+ ){{0,2}}{_RULES} (?:sind |bitte |sofort |müssen "
        rf"|sollst"
        r" du |werden |ab sofort |hiermit |und \w+ )*(?:zu )?(?:ignorier\w+|vergess\w+|missacht\w+|verwerfen"
        r"|außer acht|aufgehoben|ungültig|gegenstandslos)",
        rf"{_ORDER}(?:vergiss|ignoriere|missachte)(?:n sie)? (?:alles|was)\b{anything(30)}\b(?:oben|vorher|zuvor|davor"
        rf"|bisher"
        r"|gesagt|gelernt|steht)",
        rf"{_ORDER_OR_AND}(?:ignorier(?:e|en sie)|vergiss|missachte(?:n sie)?|übergeh(?:e|en sie)|verwirf)"
        r" (?!niemals|nie|nicht)(?:\w+ ){0,2}(?:system|sicherheits)-?(?:prompts?|anweisung(?:en)?|vorgaben|regeln"
        r"|nachricht(?:en)?|richtlinien)\b",
        rf"{_ORDER}(?:befolge|beachte)(?:n sie)? (?:\w+ ){{0,4}}(?:nur"
        rf"|ausschließlich) (?:\w+ ){{0,3}}{_RULES}\b{_OF_A_PARTY}",
        r"\b(?:ki|llm|sprachmodell|ai)-?(?:anweisung|hinweis|befehl|instruktion|prompt|nachricht)(?:en)?\s*:",
        rf"{START}an (?:die |das |den |alle |jede\w* )*{_MODEL}\b[^.]{{0,30}}[:!–—]",
        rf"{_ORDER}(?:behandle|betrachte)(?:n sie)? (?:diesen?s?|den|das) (?:vertrag"
        rf"|dokument)(?: \w+)? als (?:bereits |schon )*"
        r"(?:genehmigt|freigegeben|geprüft|unproblematisch|ausgewogen|akzeptiert)\b",
        r"\bals (?:prüfer|gutachter|assistent|analyst|vertragsprüfer)(?:in)? (?:sollst|musst|darfst|wirst) du\b",
        # Hinweis an die KI: …
        rf"\b(?:hinweis|anweisung|nachricht|mitteilung|achtung|bitte|auftrag|information|liebes?r?|sehr geehrtes?r?"
        rf"|hallo|befehl|notiz|warnung)(?:en)?(?: (?:an|für))?[:,]? (?:die |das |den |alle |jede |jedes "
        rf"|unser\w* )*{_MODEL}\b(?!-?"
        r"(?:verordnung|gesetz|act))(?=[^.]{0,15}[:,!–—-]| (?:die|das|der|welche|zur|bei))",
        rf"{START}(?:wenn|falls|da|sofern) du (?:eine? )?(?:\w+ )?{_MODEL}\b",
        rf"{START}{_MODEL}[,:!] (?:bitte|du|ignorier|melde|bewerte|lies|antworte)",
        # Jede KI, die dieses Dokument prüft, muss …
        rf"\b(?:{_MODEL}|systeme?|programme?)\b{anything(40)}\b(?:{_THIS_DOCUMENT}\b{anything(30)}\b{_READS}"
        rf"|{_READS}{anything(30)}\b{_THIS_DOCUMENT}\b){anything(40)}\b(?:muss|müssen|soll\w*|hat|haben|ist|sind|wird"
        rf"|werden|darf|dürfen)\b{anything(40)}\b{_INFINITIVE}\b",
        rf"\b{_MODEL}\b{anything(20)}\b(?:muss|müssen|soll|sollen|hat|haben|wird"
        rf"|werden)\b{anything(30)}\b(?:{_NO_RISK}|{_RULES}|{_THIS_DOCUMENT}"
        rf"|diese klausel)\b{anything(40)}\b{_INFINITIVE}\b",
        # Eine neue Rolle.
        rf"\b(?:du bist|sie sind|verhalte? dich wie|handle als|agiere als|spiele)(?: ab jetzt| ab sofort| nun"
        rf"| jetzt)?(?: eine?[nr]?| die| der| das)?(?: \w+){{0,3}} (?:{_MODEL}|assistent(?:in)?(?=[\s,]*(?:[.!:]|der"
        rf"|die|ohne|und)))\b",
        r"\b(?:du bist (?:jetzt|nun|ab jetzt|ab sofort|nicht mehr|frei)|wechsle in den (?:entwickler|debug|wartungs"
        r"|admin)\w*|(?:aktiviere|starte) (?:den )?(?:entwickler|debug|wartungs|admin)-?modus|im (?:entwickler|debug"
        r"|admin)-?modus)\b",
        r"\bals (?:ki|sprachmodell|ki-(?:modell|assistent))\b[,:]? (?:musst|sollst|darfst|hast|wirst|bist) du\b",
        rf"{START}(?:deine |ihre )?(?:neue|aktualisierte|geänderte|eigentliche"
        rf"|zusätzliche)r? (?:system)?-?(?:anweisung(?:en)?"
        r"|aufgabe|instruktion(?:en)?|prompt)\s*(?::|(?:ist|sind|lautet|lauten)\b)",
        rf"{START}(?:ab jetzt|ab sofort|von nun an) (?:\w+ )?(?:du|ignorier\w*|antwort\w*|bewert\w*|meld\w*)\b",
        # Melde keine Risiken.
        rf"{_ORDER_OR_AND}{_SAY}\b{anything(60)}\b{_NO_RISK}",
        rf"\bdu (?:sollst|musst|wirst|darfst|hast)\b{anything(60)}\b(?:{_NO_RISK}|{_PLACE}|risik\w+"
        rf"|befunde?|vertragsstrafe\w*|haftung\w*){anything(40)}\b{_INFINITIVE}\b",
        rf"\b(?:vertrag\w*|klauseln?|dokument\w*|bestimmung\w*|regelung\w*|risik\w+"
        rf"|{_PLACE})\b{anything(60)}\b{_NO_RISK}{anything(30)}\b{_INFINITIVE}\b",
        rf"{_ORDER_OR_AND}(?:erwähn|meld|nenn|prüf|beanstand|analysier|bericht|kommentier|bewert|zitier|zeig)(?:e"
        rf"|en sie)\b{anything(50)}\b(?:risik\w*|befunde?|{_PLACE}|haftung\w*|vertragsstrafe\w*"
        rf"|daraus){anything(30)}\bnicht\b",
        rf"{_ORDER_OR_AND}(?:überspring(?:e|en sie)?|verschweig(?:e|en sie)?|übersieh|lass(?:e|en sie)?"
        rf"|blende(?:n sie)?)\b{anything(40)}\b(?:risik\w*|befunde?|{_PLACE}|haftung\w*"
        rf"|vertragsstrafe\w*)\b(?!{anything(30)}(?:\b(?:wenn|falls|sofern)\b|, die ))",
        rf"{_ORDER}{_IGNORE} {anything(40)}\b(?:haftung\w*|vertragsstrafe\w*|risik\w+|{_PLACE}"
        rf"|klausel\w*)\b{anything(20)}"
        r"\b(?:bei|in|für) (?:der|deiner|ihrer|dieser|die) (?:bewertung|analyse|prüfung|zusammenfassung|auswertung)",
        r"\brisiko(?:bewertung|stufe|einstufung|wert)\w* (?:lautet|ist immer|ist stets|muss immer"
        r"|soll immer)\b[^.]{0,20}\b(?:niedrig|gering|null|grün|0|1)\b",
        rf"{_ORDER}(?:brich|beende|stoppe|unterlasse)(?:n sie)? (?:die |deine |diese |jede )*(?:\w+ )?(?:analyse"
        rf"|prüfung"
        r"|auswertung)\b",
        rf"{_ORDER}(?:antworte|gib)(?:n sie)? (?:nur|ausschließlich|exakt|lediglich|genau"
        rf"|immer)\b{anything(30)}(?:[„“\"{{\[']"
        r"|\bjson\b|\bfolgend|\bja\b|\bok\b)",
        rf"{START}(?:die )?(?:einzig )?(?:richtige|korrekte|erwartete|gewünschte|zutreffende) (?:antwort|ausgabe"
        rf"|bewertung|einstufung) (?:ist|lautet)\b{anything(40)}(?:{_NO_RISK}|[„“\"{{\[])",
        r"\b(?:keine|ohne) (?:weitere )?(?:prüfung|analyse|bewertung) durch (?:die |das |eine? )?"
        rf"(?:{_MODEL}|programm|system|software)\b{anything(40)}\b(?:nötig|erforderlich|notwendig)",
    ),
    (
        r"(?:ignoriere|vergiss|missachte)(?:alle|deine|die)?(?:vorherigen|bisherigen|obigen)?(?:anweisungen|regeln"
        r"|vorgaben)",
        r"(?:melde|berichte)keine(?:risiken|befunde)",
    ),
)

_TELL = (
    r"(?:verrat|nenn|zeig|gib|wiederhol|druck|schreib|sende?|schick|teil|liste?|offenbar|übermittel|übermittl|füg|leg"
    r"|kopier|zitier|übersetz|verrate)(?:e|en|n)?(?: sie)?"
)
_PROMPT = (
    r"(?:system-?prompts?|system-?(?:nachricht|anweisung|instruktion)(?:en)?|(?:deine?n?r?"
    r"|ihre?n?) (?:\w+ ){0,2}(?:anweisungen|instruktionen|prompts?|regeln|konfiguration|einstellungen|trainingsdaten"
    r"|kontext|gedächtnis|speicher|schlüssel|zugangsdaten|api-?schlüssel|vorgaben|werkzeuge)|(?:interne|geheime"
    r"|ursprüngliche|versteckte)n? (?:anweisungen|instruktionen|vorgaben|regeln)|alles,? was (?:oben|davor"
    r"|vorher) steht|den text oben)"
)
_SECRETS = (
    r"(?:api-?(?:schlüssel|keys?)|zugangsdaten|umgebungsvariablen|passwörter|passwort|geheime schlüssel|zugriffstoken"
    r"|(?:anderen?|frühere?n?|alle|vorherige?n?) (?:\w+ )?(?:verträge\w*|dokumente\w*|kunden\w*|mandanten\w*|nutzer\w*"
    r"|organisationen|gespräche\w*)(?: (?:die du|aus deine\w+|aus dem|im|in deine\w+|anderer|auf dem server"
    r"|gespeichert\w*)|(?: auf)?,? die du)|gesprächsverlauf|/etc/passwd)"
)
_URL = r"(?:https?\s?:\s?//|www\.|ftp://|[\w.+-]+@[\w-]+\.\w+)"

_REQUEST_SIGNS: Final = (
    r"prompts?\b|system-?(?:nachricht|anweis|instr)|(?:deine?|ihre?)[nrm]? (?:\w+ ){0,2}(?:anweis|instr|regeln|konfig"
    r"|einstell|training|kontext|gedächtnis|speicher|schlüssel|zugang|api|vorgaben|werkz)",
    r"(?:interne|geheime|ursprüngliche|versteckte)n? (?:anw|ins|vor|reg|schl)|oben|davor|vorher",
    r"api-?(?:schl|key)|zugangsdaten|umgebungsvar|passw|zugriffstoken|gesprächsverlauf|/etc/",
    r"(?:anderen?|frühere?n?|alle|vorherige?n?) (?:\w+ )?(?:vertr|dokum|kunden|mandant|nutzer|organis|gespr)",
    r"https?\s?:|www\.|ftp:|@",
    r"(?:web|browser|such|shell|datei|http|code)-?(?:werkzeug|tool|suche|interp|funkt)|führ(?:e|en sie)\b",
)
REQUESTS: Final = Attack.of(
    _REQUEST_SIGNS,
    (
        rf"{_ORDER_OR_AND}{_TELL}\b{anything(50)}\b{_PROMPT}\b",
        r"\b(?:wie|was) (?:lautet|lauten|ist|sind|steht in) deine?m? (?:\w+ )?(?:system-?prompt|anweisungen|prompt"
        r"|vorgaben)\b",
        rf"{_ORDER}{_TELL}\b{anything(50)}(?:\b|(?=/)){_SECRETS}",
        rf"{_ORDER_OR_AND}(?:ruf|öffne|lade?|besuch|hol|frag)(?:e|en|n)?(?: sie)?\b{anything(40)}(?:https?\s?:\s?//"
        rf"|www\.)\S+{anything(50)}\b(?:und|um|mit) (?:\w+ ){{0,4}}(?:folg\w*|befolg\w*|führ\w*|anweisungen|befehle"
        rf"|regeln|vorgaben"
        r"|lade?\w*|nutz\w*|auszuführen)\b",
        rf"{_ORDER_OR_AND}(?:sende?|schick|übermittel|übermittl|post|leit|lad)(?:e|en"
        rf"|n)?(?: sie)?\b{anything(60)}\b(?:dies\w+"
        r" (?:vertrag\w*|dokument\w*)|(?:dein\w*|das|die|den) (?:analyse\w*|ergebnis\w*|bericht\w*|antwort\w*|befunde?"
        rf"|prompt\w*|schlüssel)|(?:den )?(?:inhalt|volltext)|(?:die )?(?:extrahierte\w* )?daten){anything(50)}\b(?:an"
        rf"|nach|unter|auf)\b{anything(20)}{_URL}",
        rf"{_ORDER}(?:nutze|benutze|verwende|starte|rufe)(?:n sie)? {anything(20)}\b(?:web-?|browser-?|such-?|shell-?"
        r"|datei-?|http-?|code-?)(?:werkzeug|tool|suche|interpreter|funktion)\b",
        rf"{_ORDER}führ(?:e|en sie) {anything(20)}\b(?:code|befehle?|skript|programm)\b{anything(20)}\baus\b",
    ),
)
