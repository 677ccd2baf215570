"""Text that speaks to a machine instead of a party."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, outcome
from dealguard_analyzer.engines.rules.text import ContractText, Sentence

_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your"
    r"|system)\b.{0,30}\b(?:instructions?|prompts?|rules|guidelines)"
    r"|\b(?:you are|act as|pretend to be) (?:now )?(?:an? )?(?:ai|assistant|language model|chatbot|llm|claude|gpt)\b"
    r"|\b(?:system prompt|as an ai (?:language )?model|reveal your (?:instructions|prompt)|<\|?(?:im_start|system)\|?>)"
    r"|\b(?:dear|note to|attention|instruction to|instructions? for) (?:the )?(?:ai|llm|language model|claude"
    r"|chatgpt|automated reviewer|assistant)\b"
    r"|\b(?:report|answer|respond|output|state|say)\b.{0,30}\b(?:no risks?|risk.free|no findings|low risk)\b"
    r"|\b(?:ignoriere|vergiss|missachte|übergehe)\w*\b.{0,60}\b(?:anweisung|anweisungen|vorgaben|regeln"
    r"|instruktionen|prompt)"
    r"|\b(?:hinweis|anweisung|nachricht) (?:an|für) (?:die |das |den )?(?:ki|künstliche intelligenz"
    r"|sprachmodell|llm|claude|assistent\w*)\b"
    r"|\b(?:du bist|sie sind) (?:jetzt )?(?:ein|eine) (?:ki|assistent|sprachmodell)\b"
    r"|\b(?:melde|berichte|antworte|gib aus|bewerte)\b.{0,40}\b(?:keine risiken|risikofrei|keine befunde|unbedenklich)"
)


def instruction_sentences(text: ContractText) -> list[Sentence]:
    """The sentences that speak to a program, in both languages whatever the contract's own."""
    return list(text.sentences_with(_INSTRUCTION))


def _instructions(case: Case) -> Outcome | None:
    return outcome(instruction_sentences(case.text))


INSTRUCTIONS_TO_THE_MODEL = Check(
    id="instructions-to-model",
    category="manipulation",
    title=Words(
        "Text that gives instructions to an analysis program", "Text, der einem Analyseprogramm Anweisungen gibt"
    ),
    explanation=Words(
        "The document contains words addressed to a machine that reads it, not to a party. Somebody may have"
        " tried to influence the analysis.",
        "Das Dokument enthält Worte, die sich an ein lesendes Programm richten und nicht an eine Partei."
        " Möglicherweise sollte die Analyse beeinflusst werden.",
    ),
    recommendation=Words(
        "Read these passages yourself, ask the other side why they are there, and have them removed.",
        "Diese Stellen selbst lesen, bei der Gegenseite nachfragen und sie entfernen lassen.",
    ),
    deviation=Words("No contract needs such text.", "Kein Vertrag braucht solchen Text."),
    likelihood=3,
    impact=4,
    find=_instructions,
    assessment="check",
)

CHECKS = (INSTRUCTIONS_TO_THE_MODEL,)
