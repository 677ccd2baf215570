"""Text that pretends to be part of the conversation with the model: its messages, its markers, our data format."""

from typing import Final

from dealguard_analyzer.engines.integrity.grammar import START, Attack, anything

_Q = r"[\"“”„'‘’«»]"
_ROLE = (
    r"(?:system|assistant|user|human|developer|tool|operator|admin(?:istrator)?|ai|claude|assistent|benutzer|nutzer)"
)
_MESSAGE = (
    r"(?:message|prompt|override|instructions?|note|notice|alert|update|command|nachricht|anweisung(?:en)?|hinweis"
    r"|meldung|befehl|prompt)"
)
# What makes a line that begins with 'System:' a message instead of a definition: it orders, or it speaks of the task.
_SPEAKS_TO_A_MODEL = (
    r"(?=[^\n]{0,160}\n?[^\n]{0,80}\b(?:ignore|disregard|instructions?|prompt|approved|unbedenklich|balanced|genehmigt"
    r"|ignorier\w+|anweisung\w*|(?:you|du) (?:are|must|will|should|have|bist|musst|sollst|wirst|hast)"
    r"|(?:language |sprach)model\w*|no (?:risks?|findings|issues)|kein\w* (?:risik\w+|befunde?)"
    r"|(?:say|answer|respond|output|return|rate|classify|skip|write|report (?:no|that|only|zero))\b"
    r"|(?:antworte|melde|bewerte|schreibe|gib|überspringe|bestätige)|your (?:analysis|report|task|role|findings)"
    r"|(?:risk )?(?:analysis|review|report|analyse) (?:is )?(?:complete\w*|done|finished|abgeschlossen|beendet))\b)"
)
# Names of fields that our report and the model's answer have.
_FIELD = (
    r"(?:findings|risks|severity|riskLevel|risk_level|riskScore|risk_score|likelihood|impact|not_?determined|absent"
    r"|assessment|clauses|citations|verified|recommendation|deviation|explanation|hurts|passages)"
)

FORGERIES: Final = Attack.of(
    (
        r"<\|?\s?/?(?:[a-z_]+)|\[/?inst|##|\[(?:system|avail|assist|user|human|dev|tool|oper|admin|ai|claude|benutzer"
        r"|nutzer)",
        r"\n\W{0,3}(?:system|assist|user|human|developer|tool|operator|admin|ai|claude|benutzer"
        r"|nutzer)[^\n]{0,14}[:\]>]",
        r"(?:system|developer|assistant|operator|admin(?:istrator)?).?(?:mess|prompt|override|instr|command)",
        r"(?:system|entwickler|betreiber)-?(?:nachr|anwei|meldung|hinweis|befehl|prompt)|(?:human|user|nutzer)\s*:",
        r"[\"“”„'‘’«»](?:role|type|stop_reason|is_contract|schemaversion|risk|"
        + _FIELD.lower()[3:-1]
        + r")[\"“”„'‘’«»]",
        r"(?:new|system|hidden|secret|developer|neuen?|versteckten?) (?:instr|prompt|mess|anw|nach)",
        r"(?:end of|ende de[sr]) (?:the )?(?:contract|document|data|input|vertrag|dokument|eingabe|daten)",
        r"instructions_in|dealguard\.io|```|^(?:system|assist|user|human)",
    ),
    (
        # Markers of chat templates.
        r"<\|\s?/?(?:im_start|im_end|system|user|assistant|endoftext|end|eot_id|eom_id|begin_of_text|start_header_id"
        r"|end_header_id|tool|python_tag|channel|message)\s?\|>",
        r"\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\[(?:SYSTEM|AVAILABLE)_(?:PROMPT|TOOLS)\]",
        r"</?\s?(?:system|assistant|human|developer|tool_results?|tool_use|tool_call|function_calls?|function_results?"
        r"|invoke|antml:\w+|system[-_](?:reminder|prompt|message|instructions?)|instructions?|thinking|admin"
        r"|override)\s?/?>",
        rf"#{{2,}} ?(?:{_ROLE}|instructions?|response|anweisung(?:en)?)(?: {_MESSAGE})?\s*:",
        # Messages in somebody else's name.
        rf"(?:{START}|\[)\s*\[?(?:system|developer|assistant|operator|admin(?:istrator)?)[-\s]?(?:message|prompt"
        rf"|override"
        r"|instructions?|command)\b(?: \w+)?\s*[\]:]",
        r"\b(?:system|entwickler|betreiber)-?(?:nachricht|anweisung|meldung|hinweis|befehl"
        r"|prompt)(?: \w+){0,2}\s*[\]:]",
        rf"(?:\A|\n)\W{{0,3}}{_ROLE}(?: {_MESSAGE})?\W{{0,2}}[:\]>]{_SPEAKS_TO_A_MODEL}",
        rf"\[(?:{_ROLE})(?:[-\s]{_MESSAGE})?\]\s*:?{_SPEAKS_TO_A_MODEL}",
        r"\b(?:human|user|benutzer|nutzer)\s*:[^\n]{0,200}\n+\s*(?:assistant|ai|claude|assistent|ki)\s*:",
        rf"{_Q}role{_Q}\s*:\s*{_Q}{_ROLE}{_Q}",
        rf"{_Q}type{_Q}\s*:\s*{_Q}(?:tool_result|tool_use|server_tool_use|text_delta|message_start){_Q}",
        rf"{_Q}stop_reason{_Q}\s*:",
        r"\b(?:begin(?:ning)?|start|end)(?: of)?(?: the)? (?:new |system |hidden |secret |developer )+(?:instructions?"
        r"|prompts?|messages?)\b",
        r"\b(?:beginn|anfang|ende) (?:der |des )?(?:neuen? |versteckten? |system-?)+(?:anweisung(?:en)?|prompts?"
        r"|nachricht)\b",
        r"\b(?:this|following|above)(?: \w+){0,2} (?:is|are) (?:an? |the )?(?:new |official )?system (?:instructions?"
        r"|messages?|prompts?|commands?)\b",
        # The end of the data, pretended.
        r"</?\s?contract(?:-[0-9a-f…]+)?\s?>|<page number\s?=|<contract-",
        r"\b(?:end of|ende des|ende der) (?:the )?(?:contract|document|data|input|vertrag(?:e?s)?(?:textes)?"
        r"|dokument(?:e?s)?|eingabe|daten)\W{1,12}(?:\w+ ){0,4}(?:(?:new|system|neue|your|deine) )+(?:instructions?"
        r"|message|prompt|task|anweisung\w*|nachricht|aufgabe|system\w*)",
        # Our own data formats.
        rf"{_Q}(?:is_contract|schemaVersion){_Q}\s*:",
        rf"{_Q}{_FIELD}{_Q}\s*:[^\n]{{0,120}}\n?[^\n]{{0,120}}{_Q}{_FIELD}{_Q}\s*:",
        rf"{_Q}(?:findings|risks|not_determined|passages){_Q}\s*:\s*\[\s*\]",
        rf"{_Q}risk{_Q}\s*:\s*\{{\s*{_Q}(?:level|score){_Q}\s*:",
        rf"```(?:json|system)?\s*[\[{{]{anything(200)}{_Q}{_FIELD}{_Q}",
    ),
    (r"instructions_in_document", r"dealguard\.io/report"),
)

# Words that become a request once a program shows them as HTML or Markdown.
ACTIVE_CONTENT: Final = Attack.of(
    (r"\]\(|<\s?(?:scr|ifr|obj|emb|svg|img|form|meta|link)|javascript",),
    (
        r"!\[[^\]\n]{0,80}\]\(\s*(?:https?:|//|data:)",
        r"\[[^\]\n]{1,80}\]\(\s*(?:javascript|data|vbscript):",
        r"<\s?(?:script|iframe|object|embed|svg|img|form|meta|link)\b[^>\n]{0,200}(?:>|\b(?:src|href|on\w+)\s?=)",
        r"\bjavascript\s?:\s?(?:alert|fetch|eval|document|window)",
    ),
)
