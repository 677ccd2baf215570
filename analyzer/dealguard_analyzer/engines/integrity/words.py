"""What the findings of this package say, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dealguard_analyzer.document import HiddenReason, SideTextKind
from dealguard_api.report import Language

Text = Mapping[Language, str]

Kind = Literal["instructions-to-model", "request-for-secrets", "forged-message", "active-content"]


@dataclass(frozen=True)
class Words:
    """The words of one kind of finding, and how grave it is where nothing makes it graver."""

    title: Text
    explanation: Text
    recommendation: Text
    deviation: Text
    likelihood: int
    impact: int


_READ_YOURSELF: Final[Text] = {
    "en": "Read these passages yourself, ask the other side why they are there, and have them removed.",
    "de": "Diese Stellen selbst lesen, bei der Gegenseite nachfragen und sie entfernen lassen.",
}
_NO_CONTRACT_NEEDS_IT: Final[Text] = {
    "en": "No contract needs such text.",
    "de": "Kein Vertrag braucht solchen Text.",
}

ATTACKS: Final[Mapping[Kind, Words]] = {
    "instructions-to-model": Words(
        title={
            "en": "Text that gives instructions to an analysis program",
            "de": "Text, der einem Analyseprogramm Anweisungen gibt",
        },
        explanation={
            "en": "The document contains words addressed to a machine that reads it, not to a party. Somebody may have"
            " tried to influence the analysis.",
            "de": "Das Dokument enthält Worte, die sich an ein lesendes Programm richten und nicht an eine Partei."
            " Möglicherweise sollte die Analyse beeinflusst werden.",
        },
        recommendation=_READ_YOURSELF,
        deviation=_NO_CONTRACT_NEEDS_IT,
        likelihood=3,
        impact=4,
    ),
    "request-for-secrets": Words(
        title={
            "en": "Text that asks a program for its instructions, keys or data, or to call an address",
            "de": "Text, der ein Programm nach Anweisungen, Schlüsseln oder Daten fragt oder Adressen aufrufen lässt",
        },
        explanation={
            "en": "The document asks a machine that reads it to give away something or to contact an address. The"
            " analysis has neither secrets nor a network to do so with.",
            "de": "Das Dokument fordert ein lesendes Programm auf, etwas preiszugeben oder eine Adresse aufzurufen."
            " Die Analyse verfügt weder über Geheimnisse noch über ein Netz, um das zu tun.",
        },
        recommendation=_READ_YOURSELF,
        deviation=_NO_CONTRACT_NEEDS_IT,
        likelihood=3,
        impact=4,
    ),
    "forged-message": Words(
        title={
            "en": "Text that imitates messages or results of an analysis program",
            "de": "Text, der Nachrichten oder Ergebnisse eines Analyseprogramms nachahmt",
        },
        explanation={
            "en": "The document contains text in the form in which programs talk to a language model or pass on"
            " results."
            " Somebody may have tried to put words into the analysis's mouth.",
            "de": "Das Dokument enthält Text in der Form, in der Programme mit einem Sprachmodell sprechen oder"
            " Ergebnisse weitergeben. Möglicherweise sollten der Analyse Worte in den Mund gelegt werden.",
        },
        recommendation=_READ_YOURSELF,
        deviation=_NO_CONTRACT_NEEDS_IT,
        likelihood=3,
        impact=4,
    ),
    "active-content": Words(
        title={
            "en": "Text that would load or run something if a program showed it as a web page",
            "de": "Text, der als Webseite dargestellt etwas laden oder ausführen würde",
        },
        explanation={
            "en": "The document contains markup that web pages use for scripts or for loading content. This report"
            " shows it as plain text; other programs may not.",
            "de": "Das Dokument enthält Auszeichnungen, mit denen Webseiten Skripte ausführen oder Inhalte laden."
            " Dieser Bericht zeigt sie als bloßen Text; andere Programme vielleicht nicht.",
        },
        recommendation=_READ_YOURSELF,
        deviation=_NO_CONTRACT_NEEDS_IT,
        likelihood=2,
        impact=3,
    ),
}

HIDDEN_TEXT: Final = Words(
    title={"en": "Text that a reader does not see", "de": "Text, den ein Leser nicht sieht"},
    explanation={
        "en": "The file contains words that programs read and a person who looks at the page does not see",
        "de": "Die Datei enthält Worte, die Programme lesen und die man auf der Seite nicht sieht",
    },
    recommendation={
        "en": "Ask the other side what the hidden text is for, and sign only a version without it.",
        "de": "Bei der Gegenseite nachfragen, wozu der verborgene Text dient, und nur eine Fassung ohne ihn"
        " unterschreiben.",
    },
    deviation={
        "en": "Everything that a contract says is visible to whoever signs it.",
        "de": "Alles, was ein Vertrag sagt, ist für den sichtbar, der ihn unterschreibt.",
    },
    likelihood=2,
    impact=3,
)

HIDDEN_CLAUSE: Final[Text] = {
    "en": "It reads like a clause: what a program finds in this contract may differ from what a person signs.",
    "de": "Er liest sich wie eine Klausel: Was ein Programm in diesem Vertrag findet, kann von dem abweichen, was"
    " jemand"
    " jemand unterschreibt.",
}

HIDDEN_REASONS: Final[Mapping[HiddenReason, Text]] = {
    "invisible": {"en": "written invisibly", "de": "unsichtbar geschrieben"},
    "sameColour": {"en": "in the colour of what is behind it", "de": "in der Farbe des Hintergrunds"},
    "covered": {"en": "covered by something else", "de": "von etwas anderem verdeckt"},
    "clipped": {"en": "cut off", "de": "abgeschnitten"},
    "offPage": {"en": "outside the visible page", "de": "außerhalb der sichtbaren Seite"},
    "tiny": {"en": "too small to read", "de": "zu klein zum Lesen"},
}

DISGUISED_CHARACTERS: Final = Words(
    title={
        "en": "Words spelled with disguised or invisible characters",
        "de": "Wörter mit getarnten oder unsichtbaren Schriftzeichen",
    },
    explanation={
        "en": "Some words look ordinary and are other words to a program, which can hide them from a search or a"
        " comparison",
        "de": "Manche Wörter sehen gewöhnlich aus und sind für ein Programm andere; so lassen sie sich vor Suche und"
        " Vergleich verbergen",
    },
    recommendation={
        "en": "Ask for a version with ordinary characters, and compare these passages with what was agreed.",
        "de": "Eine Fassung mit gewöhnlichen Schriftzeichen verlangen und diese Stellen mit dem Vereinbarten"
        " vergleichen.",
    },
    deviation=_NO_CONTRACT_NEEDS_IT,
    likelihood=2,
    impact=3,
)

STANDS_HIDDEN: Final[Text] = {
    "en": "It stands where a person who looks at the page does not see it.",
    "de": "Es steht dort, wo man es auf der Seite nicht sieht.",
}
STANDS_BESIDE: Final[Text] = {
    "en": "On no page, but beside them, it stands in {places}.",
    "de": "Auf keiner Seite, sondern daneben, steht es in {places}.",
}
SIDE_PLACES: Final[Mapping[SideTextKind, Text]] = {
    "metadata": {"en": "the file's metadata", "de": "den Metadaten der Datei"},
    "annotation": {"en": "an annotation", "de": "einer Anmerkung"},
    "attachment": {"en": "the name of an attached file", "de": "dem Namen einer angehängten Datei"},
    "outline": {"en": "the outline", "de": "dem Inhaltsverzeichnis der Datei (Lesezeichen)"},
    "script": {"en": "a script in the file", "de": "einem Skript in der Datei"},
}
