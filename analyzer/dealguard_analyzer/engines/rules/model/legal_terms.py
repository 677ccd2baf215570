"""What contract law and the practice of web shops say of German standard terms, written down and not learnt.

Stems that tell a topic, and phrases that courts have objected to in terms for consumers (§§ 305 to 310 BGB). They are
features of the trained model, which gives each its weight, so a stem may be wrong for itself. They reach words that
stand in no clause of the training data. Text is folded: lower case, umlauts written out, one space between words.
"""

import re
from functools import lru_cache
from typing import Final

_FOLDED: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})

# Found inside of words too: German compounds hide them. A blank at an end is part of the stem.
TOPIC_STEMS: Final[dict[str, tuple[str, ...]]] = {
    topic: tuple(stems.split("|"))
    for topic, stems in {
        "age": (
            "volljaehrig|minderjaehrig|18 jahre|achtzehn|lebensjahr|jugendschutz|jugendliche|"
            "altersverifikation|altersnachweis|alterspruefung|altersfreigabe|fsk|usk|geschaeftsfaehig|"
            "gesetzlichen vertreter|altersbeschraenk|alterskontrolle|postident|alterssicht|mindestalter|"
            "kinder"
        ),
        "applicability": (
            "geltungsbereich|anwendungsbereich|allgemeinen geschaeftsbedingungen gelten|entgegenstehende|"
            "abweichende|widersprochen|ausschliesslich aufgrund|finden keine anwendung|zugrunde|"
            "folgenden bedingungen|nachstehenden|nachfolgenden|13 bgb|14 bgb|natuerliche person|"
            "rechtsgeschaeft zu zwecken|selbstaendigen beruflichen|unternehmer im sinne|verbraucher im sinne|"
            "kuenftige|kuenftigen geschaefte|geschaeftsbeziehung|einbeziehung|einbezogen|vorrang|"
            "individuelle vereinbarung|fassung|zum zeitpunkt der bestellung gueltige|geltung|betreiber des|"
            "onlineshops|agb|definition|begriffsbestimmung"
        ),
        "applicableLaw": (
            "deutsches recht|recht der bundesrepublik|un-kaufrecht|cisg|kollisionsrecht|rom i|"
            "anwendbares recht|rechtswahl|materielles recht|internationalen warenkauf|"
            "gewoehnlichen aufenthalt|zwingende|guenstigkeitsprinzip|verweisungsnorm|oesterreichisches recht|"
            "anzuwendendes recht|unterliegen dem recht|geltende recht|einheitlichen"
        ),
        "arbitration": (
            "os-plattform|odr|streitbeilegung|streitschlichtung|schlichtungsstelle|vsbg|"
            "verbraucherschlichtung|ec.europa.eu|plattform zur online|aussergerichtlich|beilegung|524/2013|"
            "schiedsgericht|schiedsverfahren|mediation|universalschlicht|schlichtung|alternative streit|"
            "streitigkeiten aus online"
        ),
        "changes": (
            "aenderung dieser|aenderungen dieser|aendern diese|agb zu aendern|bedingungen zu aendern|"
            "anpassung|mitteilung der aenderung|gilt als zustimmung|gelten als genehmigt|widerspricht|"
            "stillschweig|aktualisier|ueberarbeit|jederzeit|aenderungsvorbehalt|vorbehalt der aenderung|"
            "neufassung"
        ),
        "codeOfConduct": (
            "verhaltenskodex|verhaltenskodizes|kodex|kodizes|guetesiegel|trusted shops|haendlerbund|"
            "kaeufersiegel|qualitaetskriterien|geprueft|zertifikat|zertifizier|ehi|ips|siegel|"
            "unterworfen|legal trust|einsehbar unter|unterliegen folgend"
        ),
        "conclusionOfContract": (
            "vertragsschluss|vertragsabschluss|zustandekommen|zustande|der vertrag kommt|angebot|annahme|"
            "invitatio|unverbindlich|freibleibend|bindend|warenkorb|button|bestellprozess|bestellvorgang|"
            "bestellbestaetigung|auftragsbestaetigung|eingangsbestaetigung|kostenpflichtig|zahlungspflichtig|"
            "bestellung absenden|klick|eingabefehler|berichtigen|korrigieren|bestelluebersicht|registrier|"
            "kundenkonto|benutzerkonto|passwort|login|bestellformular|aufforderung zur|"
            "darstellung der produkte|selbstbelieferung|nicht verfuegbar|vertragspartner|annehmen|ablehnen|"
            "haushaltsueblich|gutschein|rabatt|aktionscode|einloesen|reservierung|technischen schritte|"
            "vertragserklaerung|145 bgb|147 bgb|151"
        ),
        "contractLanguage": (
            "vertragssprache|sprache|deutscher sprache|deutsche sprache|auf deutsch|englisch|uebersetzung|"
            "sprachfassung|verfuegung stehenden sprache|sprachen"
        ),
        "delivery": (
            "lieferung|liefer|versand|zustell|spedition|frachtfuehrer|transport|paket|dhl|hermes|dpd|"
            "ups|post|abhol|selbstabhol|teillieferung|teilleistung|lieferzeit|lieferfrist|liefertermin|"
            "werktag|gefahruebergang|gefahr des zufaelligen|untergang|verschlechterung|annahmeverzug|"
            "lieferadresse|lieferanschrift|liefergebiet|hoehere gewalt|streik|aussperrung|vorlieferant|"
            "versandkosten|packstation|bordsteinkante|sendung|inland|ausland|schweiz|oesterreich|zoll|"
            "lieferverzug|expressversand|zustellversuch|empfaenger|briefkasten|sendungsverfolgung|"
            "unzustellbar|eintreffen|nicht lieferbar|447"
        ),
        "description": (
            "produktbeschreibung|wesentliche merkmale|wesentlichen merkmale|beschaffenheit|farbabweich|"
            "abbildung|bildschirm|darstellung|eigenschaften|massangaben|abweichungen|technische aenderung|"
            "spezifikation|artikelbeschreibung|produktbild|fotos|muster|produktmerkmale|warenbeschreibung|"
            "individuell|personalisier|gestaltung|korrekturvorlage|druckdaten|farbe|handelsueblich|masse|"
            "gewicht|illustration"
        ),
        "disposal": (
            "entsorg|batterie|akku|battg|elektrog|altgeraet|muelltonne|durchgestrichene|hausmuell|"
            "verpackungsverordnung|verpackungsgesetz|recycl|schadstoff|altoel|elektro- und elektronik|"
            "sammelstelle|quecksilber|cadmium|blei|rueckgabe von alt|wertstoff|unentgeltlich zurueck|"
            "kommunal|verkaufsverpackung|duales system|leuchtmittel|altbatterie|weee|stiftung ear"
        ),
        "intellectualProperty": (
            "urheber|nutzungsrecht|marken|schutzrecht|lizenz|vervielfaeltig|veroeffentlich|rechte dritter|"
            "copyright|gewerbliche|geistiges eigentum|patent|kopier|verbreit|oeffentlich|inhalte|logo|"
            "bilder|freistell|download|software|geistigen|unterlagen|zeichnungen|weitergabe|datenbank|"
            "domain|einraeum|motiv|rechtsverletzung|abmahn"
        ),
        "liability": (
            "haftung|haften|haftet|schadensersatz|schadenersatz|vorsatz|vorsaetzlich|fahrlaessig|grob|"
            "leben, koerper|verletzung des lebens|koerper|gesundheit|kardinalpflicht|"
            "wesentliche vertragspflicht|wesentlicher vertragspflicht|produkthaftung|prodhaftg|"
            "vertragstypisch|vorhersehbar|erfuellungsgehilfe|gesetzlichen vertreter|folgeschaden|mittelbare|"
            "entgangener gewinn|datenverlust|garantieuebernahme|arglistig|haftungsausschluss|"
            "haftungsbeschraenk|links|externe|verfuegbarkeit der website|ununterbrochen|unmoeglichkeit|"
            "telemedien"
        ),
        "payment": (
            "zahlung|bezahl|zahlbar|faellig|rechnung|vorkasse|vorauskasse|ueberweis|lastschrift|sepa|"
            "kreditkarte|paypal|klarna|sofort|giropay|nachnahme|barzahlung|ratenzahlung|ratenkauf|"
            "verzug|verzugszins|mahn|mahngebuehr|basiszins|aufrechn|zurueckbehalt|gegenforderung|abtret|"
            "bonitaet|schufa|billpay|amazon pay|apple pay|visa|mastercard|kontobelast|konto|iban|"
            "ruecklastschrift|inkasso|skonto|zahlungsziel|zahlungsart|geldinstitut|bank|gutschrift|"
            "zahlungsdienst|finanzierung|santander|geschenkgutschein|geschenkkarte|guthaben|einloes|"
            "unbestritten|rechtskraeftig festgestellt|288|teilzahlung|autorisier|abbuch|stornier|"
            "vorabankuendigung|pre-notification|mandat|ratepay|paydirekt|secupay|unzer|factoring|"
            "forderung"
        ),
        "personalData": (
            "datenschutz|personenbezogen|dsgvo|cookie|bdsg|einwilligung|newsletter|daten erhoben|"
            "datenverarbeit|auskunftei|weitergabe von daten|loeschung|auskunft|speicherung ihrer daten|"
            "privatsphaere|vertraulich|telemediengesetz|tmg|ip-adress|google analytics|tracking|"
            "datensicherheit|datenschutzerklaerung|datenschutzhinweis|nutzungsdaten|bestandsdaten|e-mail-"
            "adresse|werbung|creditreform|scoring|kundendaten|daten an dritte"
        ),
        "placeOfJurisdiction": (
            "gerichtsstand|zustaendiges gericht|gericht|kaufmann|juristische person des oeffentlichen|"
            "oeffentlich-rechtliches sondervermoegen|erfuellungsort|klage|zpo|sitz des verkaeufers|"
            "geschaeftssitz|kein allgemeiner|ausschliesslicher gerichts|prozess"
        ),
        "prices": (
            "preis|mehrwertsteuer|umsatzsteuer|mwst|endpreis|gesamtpreis|brutto|netto|versandkosten|"
            "zuzueglich|inklusive|inkl|versandkostenfrei|versandpauschale|mindestbestell|mindermengen|"
            "porto|euro|eur |listenpreis|preisaender|preisirr|preisanpass|gueltigen steuer|"
            "preisbestandteil|rabatt|sonderangebot|kleinunternehmer|19 ustg|differenzbesteuer|25a|"
            "kosten der lieferung|aufschlag|unverbindliche preisempfehlung|zollgebuehr|aktionspreis|steuern|"
            "frei haus|nachlass|kosten"
        ),
        "retentionOfTitle": (
            "eigentumsvorbehalt|eigentum|bleibt bis zur|vorbehaltsware|unser eigentum|"
            "vollstaendigen bezahlung|vollstaendiger zahlung|kontokorrent|verarbeitung|weiterveraeusser|"
            "verpfaend|sicherungsuebereign|pfaend|vermisch|umbild|miteigentum|sicherheiten|freigabe|"
            "herausgabe|saemtlicher forderungen|saldo|uebersicherung|verlaengerter|einziehung|"
            "zugriffe dritter|insolvenz"
        ),
        "severability": (
            "salvatorisch|unwirksam|nichtig|undurchfuehrbar|uebrigen bestimmungen|wirksamkeit der uebrigen|"
            "luecke|regelungsluecke|moeglichst nahe|wirtschaftlich|306|gesetzlichen vorschriften treten|"
            "einzelne bestimmung|teilnichtig|ersetzt|teilweise"
        ),
        "textStorage": (
            "vertragstext|speicherung des vertrag|gespeichert|vertragstext wird|zugaenglich|ausdrucken|"
            "druckfunktion|browser|archiv|abrufbar|text des vertrag|bestelldaten|nicht mehr zugaenglich|"
            "vertragsbestimmungen|speichern|einsehen|drucken|kundenlogin|kunden-login|reproduzier"
        ),
        "warranty": (
            "gewaehrleistung|maengel|mangel|mangelhaft|nacherfuellung|nachbesserung|ersatzlieferung|"
            "nachlieferung|minderung|sachmangel|sachmaengel|garantie|verjaehrung|verjaehrungsfrist|ruege|"
            "untersuch|437|438|434|439|377 hgb|hgb|reklamation|reklamier|transportschaden|"
            "transportschaeden|gebrauchte|zwei jahre|ein jahr|24 monate|12 monate|defekt|beanstand|"
            "herstellergarantie|verschleiss|unsachgemaess|fehlschlagen|umtausch|beweislast|maengelhaftung|"
            "haltbarkeitsgarantie|garantiebedingung|offensichtlich|kundendienst|reparatur|fehlerhaft|475|"
            "476|477|478|479|445a|abnutzung|austausch|beschaedigt"
        ),
        "withdrawal": (
            "widerruf|widerrufsrecht|widerrufsbelehrung|muster-widerruf|musterwiderruf|widerrufsformular|"
            "vierzehn tage|14 tage|vierzehn|312g|312d|355|357|rueckgaberecht|ruecksend|ruecksendung|"
            "rueckgabe|wertersatz|wertverlust|versiegel|kundenspezifikation|hygiene|verderb|rueckzahl|"
            "rueckerstatt|erstatt|retoure|ruecknahme|rueckgewaehr|fristwahrung|absendung|"
            "benannter dritter|befoerderer|erloesch|erlischt|eindeutige erklaerung|"
            "per post versandter brief|freiwillig|umgang mit ihnen|fernabsatz|entsiegelt|zeitschriften|"
            "unfreie|unfrei|funktionsweise|ohne angabe von gruenden|zurueckgeben|originalverpackung|"
            "umtauschen|zurueckzusenden"
        ),
    }.items()
}

# Towards a consumer each of these is worth a look; some (proof left open, life and body reserved) speak for a clause.
OBJECTIONS: Final[dict[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "goods-risk": (
            r"(auf|das|die) (rechnung und )?(versand|transport)?(gefahr|risiko) (des|der|geht|"
            r"traegt|liegt|trifft).{0,40}(kaeufer|kunde|besteller|auftraggeber|empfaenger)|(versand"
            r"|transport)(risiko|gefahr) (traegt|geht)|auf (ihre |eigene )?gefahr|uebergabe an (den"
            r"|die|das) (spedit|fracht|transport|post|logistik|versand)|gefahr.{0,60}(spedit|"
            r"frachtfuehrer|versandunternehm|transporteur).{0,60}ueber"
        ),
        "nonbinding-date": (
            r"liefer\w*.{0,60}unverbindlich|ca\.?.?angaben|in der regel|voraussichtlich|ungefaehr|"
            r"keine fixtermine|annaehernd"
        ),
        "lump-fee": (
            r"(mahn|bearbeitungs|storno|stornierungs|rueckbelastungs|ruecklast\w*|service)(gebuehr|"
            r"kosten|pauschale|entgelt)|pauschal\w*.{0,40}(euro|eur|€|%|prozent)|(€|eur|"
            r"euro) ?\d+[,.]?\d*.{0,40}(je|pro|fuer jede) (mahnung|rueck)|kostenpflichtig mit"
        ),
        "proof-open": r"nachweis.{0,80}(kein|geringer|niedriger|ueberhaupt)",
        "set-off": r"(aufrechn\w*).{0,120}(rechtskraeftig|unbestritten|anerkannt)",
        "set-off-carve": (
            r"(gleichen|demselben|selben) (vertrag|rechts)\w*|synallag|maengel\w*.{0,60}aufrech|"
            r"aufrech.{0,120}(maengel|widerruf)"
        ),
        "assign-ban": (
            r"(abtret|uebertrag)\w*.{0,60}(ausgeschlossen|nicht zulaessig|unzulaessig|nur mit|"
            r"zustimmung|nicht gestattet|darf)|nicht.{0,40}abtreten"
        ),
        "short-notice": (
            r"(innerhalb|binnen|spaetestens).{0,20}(\d|zwei|drei|fuenf|sieben|acht|zehn|einer|"
            r"vierzehn).{0,15}(tag|woche|stunde).{0,120}(mangel|maengel|ruege|reklam|beanstand|"
            r"anzeig|melden|schriftlich)|(mangel|maengel|ruege|reklam|beanstand|anzeig|"
            r"melden).{0,120}(innerhalb|binnen|unverzueglich|sofort|spaetestens)"
        ),
        "late-excluded": (
            r"spaetere (reklamation|ruegen|beanstand)|(reklamation|umtausch|rueckgabe|ruecknahme|"
            r"erstattung|garantie|gewaehrleistung|anspruch|ansprueche|haftung|"
            r"schadens?ersatz\w*).{0,60}ausgeschlossen|ausschluss (der|jeglicher|jeder)|keinerlei|"
            r"keine (haftung|gewaehr|garantie)|nicht haftbar|uebernehmen.{0,40}keine|"
            r"uebernimmt.{0,40}keine|haftet nicht|haften nicht|haften.{0,20}nur|haftet.{0,20}nur"
        ),
        "carve-body": r"leben|koerper|gesundheit|produkthaft|arglist",
        "carve-gross": r"vorsatz|vorsaetz|grob",
        "sellers-choice": (
            r"(nach|in) (unserer|seiner|ihrer|eigener|unserem|freier) (wahl|ermessen|belieben)|"
            r"nach (eigenem|freiem|billigem|unserem) ermessen|unseres ermessens"
        ),
        "change-right": (
            r"(behalten|behaelt).{0,40}vor.{0,120}(aender|anpass|ersatz|abweich|stornier|zurueck|"
            r"ablehn|aufheb|absag|ruecktritt|teil)|aenderungen? (und irrtuemer )?vorbehalten|"
            r"irrtuemer|jederzeit.{0,60}(aender|anpass)|technische aenderungen|"
            r"ohne (vorherige )?(ankuendigung|angabe von gruenden|begruendung|grund|"
            r"vorankuendigung)"
        ),
        "withdraw-right": (
            r"(sind|ist|behalten).{0,60}(berechtigt|recht|vor).{0,80}(stornier|zurueckzutreten|"
            r"ruecktritt|kuendig|beend|loesen|nicht anzunehmen|loeschen|sperr)|vom vertrag zurueck"
        ),
        "deemed": (
            r"gilt als (genehmigt|angenommen|akzeptiert|anerkannt|erteilt|zugestimmt|vereinbart|"
            r"zugegangen|erhalten|geliefert|bestaetig)|gelten als|als genehmigt|"
            r"gilt.{0,40}(einverstanden|anerkannt)|erklaer\w+ sich.{0,40}einverstanden|"
            r"mit der (nutzung|bestellung).{0,80}(akzept|anerkenn|erkenn|stimm)|setzt.{0,20}voraus|"
            r"fiktion"
        ),
        "form": r"schriftlich|schriftform|eingeschrieben|einschreiben|per brief|per fax",
        "form-oral": (
            r"muendliche|nebenabreden|schriftform.{0,80}(verzicht|aufheb|abbeding|aenderung)|"
            r"nur (wirksam|gueltig).{0,40}schriftl"
        ),
        "venue": r"gerichtsstand",
        "venue-merchant": r"kaufm|kaufleut|juristische person|sondervermoegen|unternehmer",
        "close-to": (
            r"(moeglichst|am) na(he|echsten)|wirtschaftlich.{0,60}(zweck|gewollt|nahe|naechst)|"
            r"sinngemaess|angestrebten|ersetz\w*.{0,80}(wirksame|gueltige)"
        ),
        "as-allowed": (
            r"soweit (gesetzlich|rechtlich|es gesetzlich)? ?(zulaessig|moeglich|erlaubt)|"
            r"im gesetzlich zulaessigen|gesetzlich zulaessig|maximal zulaessig|"
            r"im rahmen des gesetzlich"
        ),
        "stock": (
            r"solange (der )?vorrat|freibleibend|unverbindlich|vorrat reicht|selbstbeliefer|"
            r"vorbehalt.{0,40}(verfuegbar|lieferung|beliefer)"
        ),
        "partial": r"teillieferung|teilleistung",
        "transport-check": (
            r"(pruefen|untersuch|kontrollier|ueberpruef)\w*.{0,160}(anzeig|melden|mitteil|vermerk|"
            r"quittier|bestaetig|reklam)|(verpackung|ware|sendung|lieferung).{0,80}(pruefen|"
            r"untersuch|kontrollier|ueberpruef)"
        ),
        "original-pack": (
            r"original(verpackung|verpackt|karton|zustand|etikett)|in der original|unbenutzt|"
            r"ungebraucht|ungetragen|unbeschaedigt|etikett|rechnungskopie|kassenbon|lieferschein|"
            r"beleg"
        ),
        "return-fee": (
            r"(unfrei|unfreie|nicht ausreichend frankiert)|ruecksend\w*.{0,120}(kosten|euro|€|eur|"
            r"abzieh|abzug)|abzug|abzieh|einbehalt|wertminderung"
        ),
        "goodwill-return": r"gutschein|gutschrift|guthaben",
        "expiry": r"verfall|verfaellt|gueltig(keit)?.{0,60}(jahr|monat|tage)|ablauf|befristet",
        "default-at-once": (
            r"(kommt|geraet|geraten|befindet).{0,60}verzug|verzugszins|zinsen|% p\.? ?a|"
            r"sofort (faellig|zahlbar)|gesamtfaellig|gesamte.{0,40}faellig"
        ),
        "foreign": (
            r"(niederlaendisch|italienisch|englisch|irisch|luxemburgisch|schweizerisch|schweizer|"
            r"franzoesisch|spanisch|daenisch|oesterreichisch)\w* (recht|gesetz)|ital\.|"
            r"verbraucherschutzgesetz|zivilgesetzbuch"
        ),
        "two-weeks-accept": (
            r"(innerhalb|binnen).{0,30}(tag|woche|monat)\w*.{0,60}(annehm|anzunehmen|angenommen|"
            r"annahme)|(annehm|annahme|anzunehmen|gebunden).{0,80}(innerhalb|binnen|"
            r"fuer).{0,30}(tag|woche|monat)"
        ),
        "accept-delivery": (
            r"(annahme|vertrag|kaufvertrag|zustande).{0,160}(versand|auslieferung|lieferung|versend"
            r"|zusend|verschick)"
        ),
        "price-error": (
            r"preis\w*.{0,80}(irrtum|irrtuemer|fehler|aender|erhoeh|anpass)|druckfehler|"
            r"schreibfehler|irrtum"
        ),
        "delay-only": (
            r"(schadens?ersatz|anspruch|ansprueche|rechte).{0,80}(verzoeger|verspaet|lieferverzug|"
            r"nichtlieferung)|(verzoeger|verspaet|lieferverzug|nichteinhaltung).{0,160}(ansprueche|"
            r"berechtig|schadens?ersatz|recht|ruecktritt|annullier)"
        ),
        "force": r"hoehere\w* gewalt|streik|betriebsstoerung",
        "data-consent": (
            r"(einverstanden|einwillig|stimmt|zustimm).{0,120}(daten|werb|newsletter|speicher)|"
            r"daten.{0,120}(dritte|weiterge)|bonitaet|auskunftei"
        ),
        "burden": r"beweis|nachweis|nachzuweisen|belegen|glaubhaft",
        "cap": (
            r"(hoechstens|maximal|begrenzt|beschraenkt|uebersteig\w*|bis zu|hoehe).{0,80}(kaufpreis"
            r"|auftragswert|rechnungsbetrag|warenwert|schaden)"
        ),
        "garantie-one-year": (
            r"(ein jahr|12 monat|zwoelf monat|6 monat|sechs monat|einem jahr|1 jahr).{0,120}|"
            r"verjaehr\w*.{0,120}(ein|12|1) "
        ),
        "used": r"gebraucht",
        "obligation": (
            r"(verpflichtet sich|ist verpflichtet|sind verpflichtet|hat.{0,30}zu|haben.{0,40}zu|"
            r"muss|muessen)"
        ),
        "freistell": r"freistell|freizustellen|schadlos",
        "upfront": r"vorkasse|vorauszahl|vorauskasse|anzahlung|im voraus",
        "sole": r"allein|ausschliesslich|lediglich|nur ",
        "voluntary": r"kulanz|freiwillig|einmalig|ausnahmsweise",
        "kunde-traegt": (
            r"(traegt|tragen|zu lasten|gehen).{0,60}(kunde|kaeufer|besteller|sie|lasten)|zu (ihren|"
            r"seinen) lasten|auf kosten (des|der) (kaeufer|kunde|besteller)|in rechnung gestellt"
        ),
        "waive": r"verzicht",
    }.items()
}


def fold(text: str) -> str:
    """The text in lower case, its umlauts written out, with one space between words."""
    return " ".join(text.lower().translate(_FOLDED).split())


# Most stems do not even begin in a sentence: looking for these alone is ten times as fast.
_START_LETTERS = 3  # the shortest stem's length


def _by_start() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for topic, stems in TOPIC_STEMS.items():
        for stem in stems:
            found.setdefault(stem[:_START_LETTERS], []).append((topic, stem))
    return found


_STEMS_BY_START: Final = _by_start()


@lru_cache(maxsize=256)  # a heading is asked for with each of its sentences
def stems_in(text: str) -> dict[str, list[str]]:
    """The stems that stand in a text, by topic; topics without one are left out."""
    folded = fold(text)
    starts = {folded[place : place + _START_LETTERS] for place in range(len(folded) - _START_LETTERS + 1)}
    found: dict[str, list[str]] = {}
    for start in sorted(starts & _STEMS_BY_START.keys()):
        for topic, stem in _STEMS_BY_START[start]:
            if stem in folded:
                found.setdefault(topic, []).append(stem)
    return found


def objections_in(text: str) -> set[str]:
    """Names of the `OBJECTIONS` that stand in a text. No verdict: features of one."""
    folded = fold(text)
    return {name for name, pattern in OBJECTIONS.items() if pattern.search(folded)}
