"""What people read in place of the report's names: categories, levels, units, in German and English.

Categories keep their names in the report itself (CUAD's and AGB-DE's), so that programs can match on them.
"""

from typing import Final

from dealguard_api.report import Language, RiskLevel

_CATEGORIES_DE: Final = {
    "Document Name": "Vertragsbezeichnung",
    "Parties": "Parteien",
    "Agreement Date": "Vertragsdatum",
    "Effective Date": "Beginn",
    "Expiration Date": "Laufzeit und Ende",
    "Renewal Term": "Verlängerung",
    "Notice Period To Terminate Renewal": "Frist gegen die Verlängerung",
    "Governing Law": "Anwendbares Recht",
    "Most Favored Nation": "Meistbegünstigung",
    "Competitive Restriction Exception": "Ausnahme vom Wettbewerbsverbot",
    "Non-Compete": "Wettbewerbsverbot",
    "Exclusivity": "Exklusivität",
    "No-Solicit Of Customers": "Abwerbeverbot für Kunden",
    "No-Solicit Of Employees": "Abwerbeverbot für Mitarbeiter",
    "Non-Disparagement": "Verbot herabsetzender Äußerungen",
    "Termination For Convenience": "Kündigung ohne Grund",
    "Rofr/Rofo/Rofn": "Vorkaufs- oder Erstverhandlungsrecht",
    "Change Of Control": "Kontrollwechsel",
    "Anti-Assignment": "Abtretungsverbot",
    "Revenue/Profit Sharing": "Umsatz- oder Gewinnbeteiligung",
    "Price Restrictions": "Preisbindung",
    "Minimum Commitment": "Mindestabnahme",
    "Volume Restriction": "Mengenbegrenzung",
    "Ip Ownership Assignment": "Übertragung von Schutzrechten",
    "Joint Ip Ownership": "Gemeinschaftliche Schutzrechte",
    "License Grant": "Lizenz",
    "Non-Transferable License": "Nicht übertragbare Lizenz",
    "Affiliate License-Licensor": "Lizenz verbundener Unternehmen des Lizenzgebers",
    "Affiliate License-Licensee": "Lizenz für verbundene Unternehmen des Lizenznehmers",
    "Unlimited/All-You-Can-Eat-License": "Unbegrenzte Lizenz",
    "Irrevocable Or Perpetual License": "Unwiderrufliche oder unbefristete Lizenz",
    "Source Code Escrow": "Hinterlegung des Quellcodes",
    "Post-Termination Services": "Pflichten nach Vertragsende",
    "Audit Rights": "Prüfungsrechte",
    "Uncapped Liability": "Unbeschränkte Haftung",
    "Cap On Liability": "Haftungsbeschränkung",
    "Liquidated Damages": "Vertragsstrafe, pauschalierter Schadensersatz",
    "Warranty Duration": "Gewährleistungsdauer",
    "Insurance": "Versicherung",
    "Covenant Not To Sue": "Klageverzicht",
    "Third Party Beneficiary": "Vertrag zugunsten Dritter",
}
_CATEGORIES_EN: Final = {  # where CUAD's spelling is no good reading
    "Ip Ownership Assignment": "IP Ownership Assignment",
    "Joint Ip Ownership": "Joint IP Ownership",
    "Rofr/Rofo/Rofn": "Right of First Refusal, Offer or Negotiation",
}
_TOPICS: Final = {  # AGB-DE's topics and the rules' own themes: English, German
    "age": ("Age", "Alter"),
    "applicability": ("Scope of the terms", "Geltungsbereich"),
    "applicableLaw": ("Applicable law", "Anwendbares Recht"),
    "arbitration": ("Dispute resolution", "Streitbeilegung, Schiedsgericht"),
    "changes": ("Changes of the terms", "Änderung der Bedingungen"),
    "codeOfConduct": ("Code of conduct", "Verhaltenskodex"),
    "conclusionOfContract": ("Conclusion of contract", "Vertragsschluss"),
    "contractLanguage": ("Language of the contract", "Vertragssprache"),
    "delivery": ("Delivery", "Lieferung"),
    "deposit": ("Deposit", "Kaution"),
    "description": ("Description of goods", "Warenbeschreibung"),
    "disposal": ("Disposal", "Entsorgung"),
    "form": ("Form", "Form"),
    "indemnity": ("Indemnity", "Freistellung"),
    "intellectualProperty": ("Intellectual property", "Geistiges Eigentum"),
    "liability": ("Liability", "Haftung"),
    "manipulation": ("Manipulation", "Manipulation"),
    "payment": ("Payment", "Zahlung"),
    "personalData": ("Personal data", "Personenbezogene Daten"),
    "placeOfJurisdiction": ("Place of jurisdiction", "Gerichtsstand"),
    "prices": ("Prices", "Preise"),
    "retentionOfTitle": ("Retention of title", "Eigentumsvorbehalt"),
    "severability": ("Severability", "Salvatorische Klausel"),
    "textStorage": ("Storage of the text", "Speicherung des Vertragstexts"),
    "waiver": ("Waiver", "Verzicht"),
    "warranty": ("Warranty", "Gewährleistung"),
    "withdrawal": ("Withdrawal", "Widerruf"),
}
_LEVELS: Final = {
    RiskLevel.NONE_FOUND: ("none found", "keine gefunden"),
    RiskLevel.LOW: ("low", "niedrig"),
    RiskLevel.MEDIUM: ("medium", "mittel"),
    RiskLevel.HIGH: ("high", "hoch"),
    RiskLevel.CRITICAL: ("critical", "kritisch"),
}
_UNITS: Final = {  # singular and plural
    "day": (("day", "days"), ("Tag", "Tage")),
    "businessDay": (("business day", "business days"), ("Werktag", "Werktage")),
    "week": (("week", "weeks"), ("Woche", "Wochen")),
    "month": (("month", "months"), ("Monat", "Monate")),
    "quarter": (("quarter", "quarters"), ("Quartal", "Quartale")),
    "year": (("year", "years"), ("Jahr", "Jahre")),
}


_JURISDICTIONS_DE: Final = {
    "Austria": "Österreich",
    "Belgium": "Belgien",
    "California": "Kalifornien",
    "England": "England",
    "England and Wales": "England und Wales",
    "France": "Frankreich",
    "Germany": "Deutschland",
    "Ireland": "Irland",
    "Italy": "Italien",
    "Luxembourg": "Luxemburg",
    "Netherlands": "Niederlande",
    "Spain": "Spanien",
    "Switzerland": "Schweiz",
    "United Kingdom": "Vereinigtes Königreich",
    "United States": "Vereinigte Staaten",
}


def jurisdiction_label(name: str, language: Language) -> str:
    """The state or country in words; unknown ones as they are."""
    return _JURISDICTIONS_DE.get(name, name) if language == "de" else name


def category_label(category: str, language: Language) -> str:
    """The category in words; unknown ones as they are."""
    if category in _TOPICS:
        return _TOPICS[category][language == "de"]
    return (_CATEGORIES_DE if language == "de" else _CATEGORIES_EN).get(category, category)


def date_label(iso: str, language: Language) -> str:
    """German readers know 31.12.2026; English ones disagree on 1/2, so ISO it stays."""
    return ".".join(reversed(iso.split("-"))) if language == "de" else iso


def level_label(level: RiskLevel, language: Language) -> str:
    """The level in words."""
    return _LEVELS[level][language == "de"]


def unit_label(unit: str, plural: bool, language: Language) -> str:
    """The unit of a period in words."""
    return _UNITS[unit][language == "de"][plural]


def label_tables(language: Language) -> dict[str, dict[str, object]]:
    """All labels of one language, for programs that read reports without this package: `categories` and
    `jurisdictions` (those that read otherwise than they are called), `units` (singular, plural).
    """
    german = language == "de"
    topics = {name: words[german] for name, words in _TOPICS.items()}
    return {
        "categories": {**(_CATEGORIES_DE if german else _CATEGORIES_EN), **topics},
        "jurisdictions": dict(_JURISDICTIONS_DE) if german else {},
        "units": {unit: list(words[german]) for unit, words in _UNITS.items()},
    }
