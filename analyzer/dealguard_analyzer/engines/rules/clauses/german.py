"""German patterns: for CUAD's categories where German contracts have the like, and for the topics of standard terms."""

from dealguard_analyzer.engines.rules.clauses import Pattern, compile_catalogue

_ENDS = r"\b(?:gekündigt|kündig\w*|beendet)"

# CUAD's categories in German contracts.
PATTERNS = {
    "Effective Date": [
        Pattern(
            r"\b(?:tritt|treten) .{0,60}\bin kraft\b|\b(?:vertrag|vereinbarung|mietverhältnis"
            r"|arbeitsverhältnis)\b.{0,60}\bbeginnt\b"
        ),
        Pattern(r"\b(?:vertragsbeginn|beginn der laufzeit|inkrafttreten)\b"),
    ],
    "Expiration Date": [
        Pattern(
            r"\b(?:laufzeit|vertragsdauer|mindestlaufzeit|mindestvertragslaufzeit)\b.{0,80}\b(?:beträgt|von|bis"
            r"|endet|monat|jahr)"
        ),
        Pattern(
            r"\b(?:endet|befristet)\b",
            require=(
                r"\b(?:vertrag|vereinbarung|mietverhältnis|arbeitsverhältnis|laufzeit)",
                r"\b(?:am|bis|mit ablauf|automatisch)\b",
            ),
        ),
        Pattern(
            r"\b(?:unbestimmte zeit|unbefristet)\b",
            require=(r"\b(?:vertrag|vereinbarung|verhältnis|laufzeit|geschlossen)",),
        ),
        Pattern(
            r"\b(?:hat eine|mit einer|fest für die dauer von|für die dauer von)\b.{0,60}\b(?:laufzeit|monat|jahr)",
            require=(r"\b(?:vertrag|vereinbarung)",),
        ),
    ],
    "Renewal Term": [
        Pattern(
            r"\bverlänger(?:t|n|ung)\b",
            require=(
                r"\b(?:vertrag|vereinbarung|laufzeit|er |sie |es |verhältnis|option)",
                r"\b(?:jahr|monat|unbestimmte|zeit)",
            ),
            forbid=(r"\b(?:gewährleistung|lieferfrist|lieferzeit|frist zur nacherfüllung)",),
        ),
    ],
    "Notice Period To Terminate Renewal": [
        Pattern(
            r"\bverlänger",
            require=(
                _ENDS + r"|\bkündigung",
                r"\b(?:woche|monat|tag|jahr)",
                r"\b(?:vor|frist|wenn|sofern|falls|nicht)\b",
            ),
        ),
    ],
    "Most Favored Nation": [
        Pattern(r"\bmeistbegünstig"),
        Pattern(
            r"\bbest(?:preis|e preis)|\bgünstiger\w*",
            require=(r"\b(?:preis|konditionen|bedingungen)", r"\b(?:dritten?|anderen kunden|kein\w*)\b"),
        ),
    ],
    "Non-Compete": [
        Pattern(r"\b(?:wettbewerbsverbot|konkurrenzverbot|konkurrenzklausel|karenzentschädigung)\w*", affirmed=True),
        Pattern(
            r"\b(?:wettbewerb(?!sverbot)|konkurrenz(?!verbot|klausel))\w*",
            require=(
                r"\b(?:nicht|kein\w*|unterlassen|untersagt|verpflichtet sich)\b",
                r"\b(?:tätig|unternehmen|beteilig|treten|vertreib|anbiet)",
            ),
            forbid=(r"\bunlauter",),
        ),
    ],
    "Exclusivity": [
        Pattern(r"\bexklusiv|\balleinvertrieb|\balleinbezug|\bausschließlichkeit"),
        Pattern(
            r"\bausschließlich\w* (?:bei|vom|von) (?:dem |der )?\w*",
            require=(r"\b(?:bezieh|bezug|erwerb|beauftrag|kauf)",),
        ),
        Pattern(
            r"\b(?:verpflichtet sich|wird|darf|dürfen)\b",
            require=(r"\b(?:nicht|kein\w*|nur|ausschließlich)\b",),
            forbid=(r"abwerb|\bgerichtsstand",),
            heading=r"exklusiv|ausschließlichkeit",
        ),
        Pattern(r"\bausschließliche[nrs]? (?:recht|nutzungsrecht|lizenz|vertrieb)"),
    ],
    "No-Solicit Of Customers": [
        Pattern(r"\bkundenschutz|\babwerb\w*", require=(r"\bkunden\b",), forbid=(r"\bmitarbeiter|\barbeitnehmer",)),
    ],
    "No-Solicit Of Employees": [
        Pattern(
            r"\babwerb\w*|\babzuwerben|\bauch nicht mittelbar",
            require=(r"\b(?:mitarbeiter|arbeitnehmer|beschäftigte|personal)",),
        ),
    ],
    "Non-Disparagement": [
        Pattern(
            r"\b(?:abfällig|herabsetz\w*|rufschädig\w*|verunglimpf\w*|ehrverletz\w*)",
            require=(r"\b(?:nicht|kein\w*|unterlassen)\b",),
        ),
    ],
    "Termination For Convenience": [
        Pattern(
            r"\b(?:jederzeit|ohne angabe von gründen|ordentlich\w*|ohne grund)\b",
            require=(r"kündig|kündbar|beend", r"\b(?:kann|können|berechtigt|kündbar|gekündigt|recht)\b"),
            forbid=(r"\bausgeschlossen\b",),
        ),
        Pattern(r"\bmit einer (?:kündigungs)?frist von\b", require=(r"kündig",), forbid=(r"\bverlänger",)),
    ],
    "Rofr/Rofo/Rofn": [Pattern(r"\bvorkaufsrecht|\bandienungspflicht|\bvorerwerbsrecht|\bvorrecht|\bvormietrecht")],
    "Change Of Control": [
        Pattern(r"\bkontrollwechsel|\bchange[- ]of[- ]control|\bgesellschafterwechsel"),
        Pattern(
            r"\b(?:mehrheit der|mehrheitsverhältnisse|beherrschend\w*"
            r"|beteiligungsverhältnisse|mehrheitsgesellschafter|verschmelzung)\b",
            require=(r"kündig|zustimmung|übergang",),
        ),
    ],
    "Anti-Assignment": [
        Pattern(
            r"\b(?:abtretung|abtreten|abzutreten|abgetreten|übertrag\w*|untervermiet\w*)",
            require=(
                r"\b(?:zustimmung|einwilligung|genehmigung|ausgeschlossen|unzulässig|nicht)\b",
                r"\b(?:rechte|pflichten|ansprüche|forderung\w*|vertrag\w*|dritte\w*|vereinbarung)\b",
            ),
            forbid=(r"\bnutzungsrecht|\blizenz|\beigentum|\bübertragbar",),
        ),
    ],
    "Revenue/Profit Sharing": [
        Pattern(
            r"\b(?:provision|umsatzbeteiligung|gewinnbeteiligung|lizenzgebühr|umsatzpacht|tantieme)",
            require=(r"%|\bprozent\b|\bhöhe\b|\berhält\b",),
        ),
    ],
    "Price Restrictions": [
        Pattern(
            r"\b(?:preise?|vergütung|entgelte?)\b",
            require=(r"\b(?:höchstens|maximal|nicht (?:mehr als|erhöht|überschreiten))\b", r"\berhöh"),
        ),
    ],
    "Minimum Commitment": [
        Pattern(
            r"\bmindest(?:abnahme|bestell|menge|umsatz|bezug|vergütung|abnahmemenge)|\babnahmeverpflichtung"
            r"|\bmindestens\b.{0,60}\b(?:abzunehmen|abnehmen|bestellen|stück)"
        ),
    ],
    "Ip Ownership Assignment": [
        Pattern(
            r"\b(?:überträgt|übertragen|abgetreten|gehen .{0,40}über)\b",
            require=(
                r"\b(?:urheberrecht\w*|schutzrecht\w*|arbeitsergebnis\w*|rechte an|nutzungs- und"
                r" verwertungsrechte|erfindung\w*|patent\w*|marken?)\b",
            ),
            forbid=(r"\b(?:darf|dürfen|kann) .{0,40}nicht\b|\bnicht übertragbar|\bnicht übertrag",),
        ),
        Pattern(r"\b(?:arbeitsergebnisse?|entwicklungen|erfindungen)\b.{0,80}\b(?:stehen|gehören|zustehen|eigentum)\b"),
    ],
    "Joint Ip Ownership": [
        Pattern(
            r"\b(?:gemeinsam\w*|gemeinschaftlich\w*|miteigentum|bruchteil\w*)\b",
            require=(r"\b(?:erfindung|schutzrecht|arbeitsergebnis|urheber|patent)",),
        )
    ],
    "License Grant": [
        Pattern(r"\berhält\b.{0,160}\brecht, (?:die|das|den)\b", require=(r"\bzu (?:nutzen|verwenden|vertreiben)\b",)),
        Pattern(
            r"\b(?:nutzungsrecht\w*|lizenz\w*|recht zur nutzung|verwertungsrecht\w*)\b",
            require=(r"\b(?:räumt|eingeräumt|gewährt|erhält|erteilt|einräumung|berechtigt)\b",),
        ),
    ],
    "Non-Transferable License": [
        Pattern(
            r"\bnicht (?:übertragbar|unterlizenzierbar|abtretbar)|\bunübertragbar|\bnicht-übertragbar"
            r"|\bnichtübertragbar"
        )
    ],
    "Unlimited/All-You-Can-Eat-License": [
        Pattern(
            r"\b(?:unbegrenzte|unbeschränkte) (?:anzahl|zahl)\b", require=(r"\b(?:nutzer|lizenz|kopien|installation)",)
        )
    ],
    "Irrevocable Or Perpetual License": [
        Pattern(
            r"\b(?:unwiderruflich\w*|zeitlich (?:unbeschränkt|unbegrenzt|nicht beschränkt)\w*|dauerhaft\w*|auf"
            r" unbegrenzte zeit)\b",
            require=(r"\b(?:nutzungsrecht|lizenz|recht\b|rechte\b|nutzung)",),
        ),
    ],
    "Source Code Escrow": [Pattern(r"\bquell(?:code|text)\w*", require=(r"\bhinterleg|\bescrow",))],
    "Post-Termination Services": [
        Pattern(
            r"\b(?:nach|bei|mit) (?:der |dem )?(?:beendigung|ende|ablauf|vertragsende|kündigung)\b",
            require=(
                r"\b(?:herauszugeben|herausgabe|zurückzugeben|rückgabe|löschen|übergabe|unterstütz\w*"
                r"|abverkauf\w*|räumen|verpflichtet|geben)\b",
            ),
        ),
    ],
    "Audit Rights": [
        Pattern(
            r"\b(?:nutzung|einhaltung|bücher|unterlagen)\b.{0,120}\bzu prüfen\b", require=(r"\bberechtigt\b|\brecht\b",)
        ),
        Pattern(
            r"\b(?:prüfungsrecht|auditrecht|audit|einsichtsrecht|bucheinsicht|einsicht in|überprüf\w*"
            r"|kontrollrecht\w*)\b",
            require=(
                r"\b(?:berechtigt|recht|gewährt|unterlagen|bücher|kann|auftragnehmer|räumlichkeiten|durchführ\w*)\b",
            ),
        ),
    ],
    "Uncapped Liability": [
        Pattern(r"\bunbeschränkt\w*|\bunbegrenzt\w*|\bohne einschränkung|\bin unbegrenzter höhe", require=(r"haft",)),
        Pattern(
            r"\b(?:haftungsbeschränkung\w*|haftungsbegrenzung\w*|haftungsausschl\w*|beschränkungen?)\b",
            require=(r"\b(?:gilt|gelten|greif\w*|findet|finden)\b.{0,40}\b(?:nicht|keine)\b",),
        ),
    ],
    "Cap On Liability": [
        Pattern(
            r"\bhaft(?:ung|et|en)\b",
            require=(
                r"\b(?:begrenzt|beschränkt|beschränkung|höchstens|maximal|ausgeschlossen|ausschluss|nur (?:für"
                r"|bei)|nicht für|insgesamt auf|der höhe nach)\b",
            ),
            forbid=(r"\bmit beschränkter haftung\b",),
        ),
        Pattern(r"\bhaftungs(?:höchst|begrenzung|beschränkung|ausschluss|obergrenze)"),
    ],
    "Liquidated Damages": [
        Pattern(r"\bvertragsstrafe|\bpönale|\bpauschalierte\w* schadens|\bschadenspauschale|\bkonventionalstrafe"),
    ],
    "Warranty Duration": [
        Pattern(
            r"\b(?:gewährleistung\w*|mängelansprüche\w*|sachmängel\w*|verjähr\w*|garantie\w*)\b",
            require=(r"\b(?:monat\w*|jahr\w*|tage\w*)\b", r"\b(?:beträgt|verjähr\w*|frist|ab|von|innerhalb|dauer)\b"),
        ),
        Pattern(r"\b(?:mängel|mangel)\b", require=(r"\binnerhalb von\b", r"\b(?:tagen|wochen|monaten)\b")),
    ],
    "Insurance": [
        Pattern(
            r"\b(?:haftpflichtversicherung|betriebshaftpflicht|versicherung\w*|versicherungsschutz|deckungssumme)\b",
            require=(
                r"\b(?:unterhalten|abzuschließen|abschließen|aufrecht|nachweis|nachzuweisen|verpflichtet"
                r"|schließt|unterhält|mindestens)\b",
            ),
        ),
    ],
    "Covenant Not To Sue": [
        Pattern(r"\b(?:nichtangriff|nicht angreif\w*|nicht anzugreifen|klageverzicht)"),
        Pattern(
            r"\bverzicht(?:et|en)?\b", require=(r"\b(?:ansprüche|geltendmachung|klage)\b",), forbid=(r"\bschriftform",)
        ),
    ],
    "Third Party Beneficiary": [
        Pattern(
            r"\bzugunsten dritter\b|\bzu gunsten dritter\b|\bechter vertrag zugunsten|§ 328",
            forbid=(r"\b(?:kein|keine|nicht)\b",),
        ),
    ],
}

# The topics of AGB-DE.
TOPICS = {
    "age": [Pattern(r"\bvolljährig|\bminderjährig|\bjugendschutz|\bvollendung des 18|\baltersprüfung|\bmindestalter")],
    "applicability": [
        Pattern(
            r"\bgeltungsbereich|\b(?:entgegenstehende|abweichende)\w* (?:\w+ ){0,4}bedingungen|\b(?:diese"
            r"|folgenden|nachstehenden|unsere)n? (?:allgemeinen )?(?:geschäftsbedingungen|agb"
            r"|bedingungen)\b.{0,80}\b(?:gelten|gilt|bestandteil)"
        )
    ],
    "applicableLaw": [
        Pattern(
            r"\b(?:es gilt|gilt|anwendung|anwendbar\w*|unterlieg\w*|maßgeblich)\b",
            require=(r"\brechts?\b.{0,40}\b(?:bundesrepublik|deutsch\w*|österreich\w*|schweiz\w*)",),
        ),
        Pattern(
            r"\b(?:deutsches|österreichisches|schweizer) recht\b|\brecht der bundesrepublik|\bun-kaufrecht"
            r"|\bun - kaufrecht|\bcisg\b"
        ),
    ],
    "arbitration": [
        Pattern(
            r"\bstreitbeilegung|\bschlichtung|\bos-plattform|\bverbraucherschlichtung|\bschiedsgericht"
            r"|\bec\.europa\.eu/consumers"
        )
    ],
    "changes": [
        Pattern(
            r"\b(?:änderung|anpassung|änderungen) (?:dieser|der) (?:agb|allgemeinen geschäftsbedingungen"
            r"|nutzungsbedingungen|bedingungen|vertragsbedingungen)|\b(?:agb|geschäftsbedingungen"
            r"|nutzungsbedingungen)\b.{0,80}\b(?:ändern|anpassen|anzupassen|zu ändern)"
        )
    ],
    "codeOfConduct": [Pattern(r"\bverhaltenskod(?:ex|izes)|\btrusted shops|\bgütesiegel|\behi\b")],
    "conclusionOfContract": [
        Pattern(
            r"\b(?:vertragsschluss|vertragsabschluss|zustandekommen|kommt .{0,60}\bzustande|kaufvertrag kommt"
            r"|verbindliches angebot|annahme (?:des|ihrer|der|ihres)|bestellbestätigung|auftragsbestätigung"
            r"|eingangsbestätigung|angebot anzunehmen|bestellvorgang|warenkorb|bestell-?button|unverbindlich)\b"
        )
    ],
    "contractLanguage": [Pattern(r"\bvertragssprache|\bvertragsschluss .{0,40}sprache|\bin deutscher sprache")],
    "delivery": [
        Pattern(
            r"\b(?:lieferung|lieferzeit\w*|lieferfrist\w*|versand|liefern|geliefert|lieferbar\w*|transport"
            r"|zustellung|gefahrübergang|gefahr des|selbstabholung|lieferverzug|teillieferung\w*)\b",
            forbid=(r"\bversandkosten (?:sind|werden) .{0,30}preis|\bmangel|\bmängel|\beigentum",),
        )
    ],
    "description": [
        Pattern(
            r"\b(?:produktbeschreibung|warenbeschreibung|produktabbildung|wesentlichen (?:merkmale"
            r"|eigenschaften)|abbildungen)\b"
        )
    ],
    "disposal": [
        Pattern(r"\b(?:batterien|akkus|altgerät\w*|entsorg\w*|verpackungsverordnung|altbatterien|verpackungsg)\b")
    ],
    "intellectualProperty": [
        Pattern(r"\b(?:urheberrecht\w*|nutzungsrecht\w*|copyright|markenrecht\w*|geistiges eigentum|schutzrechte\w*)\b")
    ],
    "liability": [
        Pattern(
            r"\b(?:haftung|haften|haftet|haftungs\w+|schadensersatzansprüche)\b",
            forbid=(r"\bmit beschränkter haftung\b|\bpersönlich haftend",),
        )
    ],
    "payment": [
        Pattern(
            r"\b(?:zahlung\w*|bezahl\w*|zahlbar|rechnung\w*|vorkasse|lastschrift|paypal|kreditkarte|überweis\w*"
            r"|verzugszins\w*|zahlungsverzug|aufrechn\w*|zurückbehaltungsrecht|fällig)\b",
            forbid=(r"\bwiderruf",),
        )
    ],
    "personalData": [Pattern(r"\b(?:datenschutz\w*|personenbezogen\w*|dsgvo|daten des kunden|datenverarbeitung)\b")],
    "placeOfJurisdiction": [Pattern(r"\bgerichtsstand\w*")],
    "prices": [
        Pattern(
            r"\b(?:preise?|preisen|endpreise?|mehrwertsteuer|umsatzsteuer|mwst|versandkosten|bruttopreise?)\b",
            require=(r"\b(?:preis\w*|kosten|inkl\w*|gesetzliche\w*|zuzüglich|zzgl|euro|mwst|versandkosten)\b",),
            forbid=(r"\bwiderruf|\brücksend",),
        )
    ],
    "retentionOfTitle": [
        Pattern(
            r"\beigentumsvorbehalt|\bvorbehaltsware|\bbleibt .{0,80}\beigentum|\beigentum (?:des|der) verkäufer"
            r"|\bvorbehaltseigentum|\beigentum an der"
        )
    ],
    "severability": [
        Pattern(
            r"\bsalvatorische|\b(?:unwirksam|ungültig|nichtig)\w*\b.{0,120}\b(?:übrigen|verbleibenden"
            r"|wirksamkeit)|\bwirksamkeit der übrigen"
        )
    ],
    "textStorage": [Pattern(r"\bvertragstext\w*|\bspeicher\w* .{0,40}\b(?:bestell|vertrag)|\bbestelldaten\b")],
    "warranty": [
        Pattern(
            r"\b(?:gewährleistung\w*|mängelhaftung\w*|sachmängel\w*|mängelansprüche|mängelrüge|nacherfüllung"
            r"|nachbesserung|garantie\w*|mangelhaft\w*)\b"
        )
    ],
    "withdrawal": [Pattern(r"\bwiderruf\w*|\brücksend\w*|\brückgaberecht\w*|\bwiderrufsbelehrung")],
}

CATALOGUE = compile_catalogue(PATTERNS)
TOPIC_CATALOGUE = compile_catalogue(TOPICS)
