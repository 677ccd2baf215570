"""What English attacks say.

Each pattern asks for more than one sign: contracts say 'ignore', 'system' and 'assistant' too.
"""

from typing import Final

from dealguard_analyzer.engines.integrity.grammar import START, Attack, anything

_YOU_MUST = (
    r"you (?:must|should|shall|will|are to|have to|need to|may|can)(?: now| only| always| simply| therefore)?"
    r"|you are (?:hereby |now )?(?:instructed|ordered|required|asked|requested|told|expected|permitted"
    r"|authori[sz]ed) to|i (?:want|need|order|command) you to|it is (?:important|essential|imperative|mandatory"
    r"|vital) to|your (?:new |only |real |actual |first )?(?:task|job|goal|mission|purpose|duty) is (?:now )?to"
)
_POLITE = r"please|kindly|now|just|then|immediately|simply|instead|always|only|first|therefore"
# Where an order to the reader begins.
_ORDER = rf"(?:{START}(?:(?:{_POLITE}),? ){{0,2}}|\b(?:please|kindly|{_YOU_MUST}) )"
_ORDER_OR_AND = rf"(?:{_ORDER}|\b(?:and|then|just|only|simply|instead) )"

_MODEL = (
    r"(?:(?:large )?language models?|llms?|chat ?bots?|chat-?gpt|gpt-?\d\w*|artificial intelligence|machine readers?"
    r"|(?:an?|the|this|any|every|all|each|your|our|dear|hey|hello|to|for) (?:\w+ )?(?:ai|a\.i\.|claude|gemini|copilot)"
    r"|ai(?: |-)(?:models?|systems?|assistants?|agents?|reviewers?|tools?|analysts?|analy[sz]ers?|readers?|software"
    r"|engines?|bots?|services?|review|analysis)|claude|chat ?bots?|(?:reviewer|reviewing) (?:ai|bots?)"
    r"|automat\w+ (?:\w+ )?(?:review|analysis|assessment|reading|processing)(?: (?:systems?|tools?|software|programs?"
    r"|engines?))?|automat\w+ (?:\w+ )?(?:reviewers?|readers?|analy[sz]ers?|systems?|tools?)|(?:analysis|analy[sz]ing"
    r"|review|reviewing|scanning) (?:programs?|software|engines?|tools?|systems?|models?|bots?|assistants?|agents?"
    r"|algorithms?)|virtual assistants?|neural networks?)"
)
_IGNORE = (
    r"(?:ignore|disregard|forget|override|overrule|bypass|overwrite|discard|neglect|erase|abandon|pay no attention to"
    r"|do not (?:follow|obey|apply|heed)|don[’']t (?:follow|obey|apply)|stop following|set aside)"
)
_EARLIER = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|initial|original|existing|former|past|other|your|all|any"
    r"|every|these|those|system|safety|old|current|standard|default)"
)
_RULES = (
    r"(?:instructions?|prompts?|guidelines?|guidance|directives?|directions|commands?|orders|rules|programming"
    r"|system messages?|constraints|restrictions|safeguards|guardrails|training|context|tasks?|assignments?)"
)
# '… instructions given by the Customer' are a party's; '… instructions given to you' are the model's.
_OF_A_PARTY = (
    r"(?! (?:of|from|by|given|issued|received|provided|made|sent|delivered|communicated|concerning|regarding|relating"
    r"|as to)\b(?! (?:to )?(?:you|the (?:system|operator|developers?|user|model|assistant|ai))\b))"
)
_NO_RISK = (
    r"(?:no (?:material |significant |relevant |legal |further |serious )*(?:risks?|findings?|issues|concerns|problems"
    r"|red flags)|zero (?:risks?|findings)|(?:risk|trouble|problem)[-\s]free|without (?:any )?(?:risks?|findings)"
    r"|(?:very |extremely )?low[-\s]risk|(?<!hold\s)harmless|safe to sign|unproblematic|fully (?:compliant|balanced"
    r"|safe)|nothing (?:unusual|suspicious|to report)|all (?:green|clear)|an? (?:empty|clean|positive"
    r"|favou?rable) (?:list(?: of (?:findings|risks|issues))?|report|assessment|evaluation|review|verdict)|(?:as |to "
    r"|of |is |at |a |an |the )*(?:overall )?(?:risk|severity|impact|likelihood)(?:[-\s](?:score|level|rating"
    r"|class))?s?(?: \w+){0,4} (?:as |to |of |is |at |= ?|: ?)*(?:very )?(?:low(?:est)?|minimal|zero|none|green"
    r"|negligible|nonefound|0|1)\b|(?:as |to |a |an )+(?:low|minimal|zero|lowest|green|nonefound) (?:risk|score|level"
    r"|severity|impact))"
)
_SAY = (
    r"(?:report|answer|respond|reply|output|state|say|return|print|write|conclude|rate|score|classify|mark|assess"
    r"|evaluate|declare|assign|give|set|label|treat|describe|summari[sz]e|deem|consider|rank|grade|categori[sz]e"
    r"|confirm|produce|generate|issue|tell|lower|reduce)"
)
_REPORT_OUT = (
    r"(?:(?:your|the|this|any|its) (?:\w+ )?(?:analysis|report|review|summary|output|evaluation|assessment|answer"
    r"|response|findings|results?|list|table))"
)
_THIS_DOCUMENT = r"(?:this|the) (?:\w+ )?(?:documents?|contracts?|agreements?|texts?|files?|pdfs?|pages?)"
_READS = (
    r"(?:review|analy[sz]|read|pars|process|summari[sz]|evaluat|assess|examin|scan|check|extract|interpret|ingest)\w*"
)
_MUST = r"(?:must|should|shall|is|are|will|please|has|have|needs?|may)"
_DO_AS_TOLD = (
    r"(?:ignore|disregard|skip|omit|overlook|treat|rate|score|classify|conclude|report|output|respond|answer|state|say"
    r"|mark|return|consider|assume|deem|rank|not (?:flag|report|mention|raise|list|include|highlight|analy[sz]e|warn"
    r"|point)|refrain|follow|accept|approve|assign|stop|give|describe|regard)"
)

_ORDER_SIGNS: Final = (
    r"ignor|disregard|forget|overrid|overrul|bypass|overwrit|discard|neglect|erase|abandon|no attention|stop following",
    r"set aside|skip|overlook|pass over|jump over|leave out|suppress|withhold",
    r"(?:not|n[’']t) (?:follow|obey|apply|heed|report|mention|flag|raise|list|highlight|disclose|point|warn|comment"
    r"|note|show|include|identify|output|analy|extract|quote|summari|read|evaluate|assess|review)",
    r"(?:ai|a\.i|llms?|claude|gemini|copilot|bots?|dan)\b|language model|artificial intel|automat|neural net"
    r"|machine read",
    r"assistants?(?:,|:| (?:that|who|which|read|review|proc|analy))|your (?:task|instruction|role|objective|goal"
    r"|assignment)",
    r"(?:instructions?|rules|guidelines|prompts?) (?:above|below|so far)|(?:only|instead) (?:the |these |my "
    r"|this )*(?:\w+ )?(?:instr|rules|guid|prompt)",
    r"be (?:reported|rated|classified|scored|marked|flagged|assessed|set|assigned|graded)\b",
    r"model[,:]|(?:answer|respond to) (?:every|all|any|each) |(?:treat|consider|regard) (?:this|the) (?:contract|agree"
    r"|docu)",
    r"(?:summari[sz]|analy[sz]|review|report|assess|evaluat)ing,? (?:please )?(?:leave|omit|ignor|skip|do|excl|treat"
    r"|rate|nev)",
    r"chat ?-?(?:bot|gpt)|gpt-?\d|virtual assist",
    r"(?:analysis|analy[sz]ing|review|reviewing|scanning) (?:program|software|engine|tool|system|model|bot|assist"
    r"|agent|algo)",
    r"you are (?:an? |the |now|dan\b|in )|you (?:were|are) (?:only )?(?:programmed|trained|prompted|config)"
    r"|you (?:will|now) (?:play|be) |act as|pretend|behave|from now on|mode\b",
    r"(?:new|updated|revised|actual|real|additional) (?:system )?(?:instruction|task|prompt|objective|directive|order)",
    r"risk|findings|(?:no|zero) (?:\w+ ){0,2}(?:issues|concerns|problems|finding)|red flag|harmless|safe to sign"
    r"|trouble.free|problem.free",
    r"unproblematic|fully (?:compliant|balanced|safe)|nothing (?:unusual|suspicious|to report)|all (?:green|clear)",
    r"(?:empty|clean|positive|favou?rable) (?:list|report|assess|eval|review|verdict)|severity|likelihood|impact",
    r"(?:deemed|considered|treated|rated|classified|regarded|scored|assessed|marked|reported|flagged) (?:as |to be "
    r"|with )*(?:an? )?(?:green|safe)",
    r"(?:correct|expected|right|desired|final|valid) (?:answer|output|response|result|assess|report|rating|verdict)",
    r"(?:your|the|this|any|its) (?:\w+ )?(?:analysis|report|review|summary|output|evaluation|answer|response"
    r"|results?)\b",
    r"(?:stop|end|abort|terminate|finish|from|refuse) (?:the |this |your |any |further |all )*(?:analy|review|reading"
    r"|processing|output)",
    r"(?:answer|respond|reply|output|return)(?: \w+)? (?:only|just|exactly|solely|with|in|nothing)\b",
    r"no (?:further|additional|more) (?:analysis|review|check|assessment)",
)
ORDERS: Final = Attack.of(
    _ORDER_SIGNS,
    (
        # Ignore all previous instructions.
        rf"{_ORDER}{_IGNORE}\b{anything(40)}\b{_EARLIER}\b{anything(40)}\b{_RULES}\b{_OF_A_PARTY}",
        rf"\b(?:and|then|must|should|to) {_IGNORE} (?:\w+ ){{0,3}}(?:your"
        rf"|system) (?:\w+ ){{0,2}}{_RULES}\b{_OF_A_PARTY}",
        rf"{_ORDER}(?:forget|ignore|disregard) (?:everything|all|anything|whatever)(?: that| which)? (?:above|before"
        rf"|prior"
        r"|previous|so far|i said|said|written|(?:came|was (?:said|written)) (?:before|above)|you (?:were|have been"
        r"|know|[’']?ve|learned|read))",
        rf"{_ORDER}{_IGNORE} (?:the |all |any |these |those )*{_RULES} (?:above|before|below|so far|you (?:were"
        rf"|have))\b",
        rf"{_ORDER}(?:follow|obey|apply) (?:only |exclusively |instead )+(?:the |these |my "
        rf"|this )*(?:\w+ )?{_RULES}\b{_OF_A_PARTY}",
        r"\byour (?:task|instructions?|role|objective|goal|assignment)s? (?:has|have|is|are|was) (?:now "
        r"|been )*(?:changed|updated|replaced|modified|cancell?ed|over|suspended|finished|complete)\b",
        rf"{_ORDER}(?:answer|respond to) (?:every|all|any|each) (?:\w+ )?(?:questions?|requests?) (?:with|by|as)\b",
        # Note to AI reviewers: …
        rf"(?:{START}|\b)(?:(?:note|message|notice|memo|attention|warning|reminder|request|hint) (?:to|for)|dear"
        rf"|attention|attn\.?|hello|hey|hi|instructions? to)[:,]? (?:the |any |all |our |every |whichever )*{_MODEL}\b",
        rf"{START}(?:instructions?|directives?|rules|guidance|commands?) for (?:the |any |all |every )*{_MODEL}\b\W",
        rf"{START}(?:if|when|since|because|as) you are (?:an? |the )?(?:\w+ )?(?:{_MODEL}|ai)\b",
        rf"{START}(?:{_MODEL}|assistant|ai|bot|machine|model)[,:] (?:please|you|do|your|say|be|ignore|report|give|rate"
        rf"|tell|write"
        r"|answer|respond|mark|treat|skip|return|disregard)\b",
        rf"\b(?:to|for) (?:the |any |every |all |our |whichever )*{_MODEL}\b{anything(20)}\b{_READS} (?:this"
        rf"|it)\b{anything(20)}[:,–—-]",
        r"\b(?:ai|llm|model|machine|bot)[-\s](?:instructions?|prompt|command|directive|note)s?\s*:",
        rf"{START}(?:(?:admin|system|risk) )?override\s*:",
        # Any AI system that reads this document must …
        rf"\b(?:{_MODEL}|ai|bots?|programs?|assistants?|models?"
        rf"|machines?)\b{anything(50)}"
        rf"\b{_READS} (?:\w+ )?{_THIS_DOCUMENT}\b{anything(40)}\b{_MUST}\b{anything(40)}\b{_DO_AS_TOLD}\b",
        rf"\b{_MODEL}\b{anything(40)}\b{_MUST} (?:\w+ )?{_DO_AS_TOLD}\b{anything(50)}\b(?:{_NO_RISK}|{_RULES}"
        rf"|{_THIS_DOCUMENT}|this (?:clause|section|paragraph)|as (?:market )?(?:standard|fair|balanced|customary"
        rf"|harmless|approved))\b{_OF_A_PARTY}",
        # A new role.
        rf"\b(?:you are|act as|pretend (?:to be|you are)|behave (?:like|as)|you will (?:play|be)"
        rf"|you now play)(?: now)?(?: an?| the)?(?: \w+){{0,3}} (?:{_MODEL}|ai\b(?! act)|assistants?(?=[\s,]*(?:[.!:]"
        rf"|that|who|which|without"
        r"|with no|and))|dan\b)",
        r"\byou are now (?:in |an? |the |free|no longer|dan\b|unrestricted)",
        r"\b(?:enter|enable|activate|switch to|now in|you are in) (?:the )?(?:developer|debug|admin|maintenance|god"
        r"|jailbreak|unrestricted|dan|root|test) mode\b",
        r"\b(?:as|being) an ai (?:language )?(?:model|assistant)\b",
        rf"{START}(?:your )?(?:new|updated|revised|actual|real|additional) (?:system )?(?:instructions?|task|prompt"
        rf"|objective"
        r"|directives?|orders)\s*(?:[:]|(?:is|are)(?: now| as follows| to| in| below| these)\b)",
        rf"{START}from now on,? (?:you|ignore|only|always|every|answer|respond|treat)\b",
        r"\byou (?:were|are) (?:only )?(?:programmed|trained|prompted|configured) (?:to|as)\b",
        # Report no risks.
        rf"{_ORDER_OR_AND}{_SAY}\b{anything(60)}\b{_NO_RISK}{_OF_A_PARTY}(?! (?:of|to|for) (?:the|its|such|any)\b)",
        rf"\b(?:clauses?|provisions?|sections?|contract|agreement|document|everything)\b{anything(60)}\b(?:deemed"
        rf"|considered"
        r"|treated|rated|classified|regarded|scored|assessed|marked|reported|flagged) (?:as |to be "
        r"|with )*(?:an? )?(?:low[-\s]risk|risk[-\s]free|no[-\s]risk|zero[-\s]risk|green|harmless|unproblematic"
        r"|safe\b)",
        r"\b(?:findings?|risks?|clauses?|provisions?|sections?)\b[^.!?;]{0,30}?\b(?:must|shall|should|are to|is to"
        r"|have to) be (?:reported|rated|classified|scored|marked|flagged|assessed|set|assigned"
        r"|graded)\b[^.!?;]{0,30}?\b(?:low|lowest|minimal|green|zero|standard|balanced|acceptable|fair|harmless|1)\b",
        rf"(?:{START}never|\byou (?:must|should|shall|may|are|can) ?not(?: to)?) (?:flag|mention|highlight|point out"
        rf"|raise){anything(40)}\b(?:risks?|findings?|issues|concerns|clauses?|sections?)\b",
        rf"{_ORDER}(?:begin|start|end|close|open|finish) {_REPORT_OUT} with\b",
        rf"{_ORDER}(?:treat|consider|regard) (?:this|the) (?:contract|agreement|document)(?: \w+)? as (?:already "
        rf"|fully |pre-?)*"
        r"(?:approved|reviewed|accepted|safe|cleared|standard|balanced)\b",
        r"\b(?:when|while|in|before|after) (?:summari[sz]|analy[sz]|review|report|assess"
        r"|evaluat)ing,? (?:please )?(?:leave out|omit|ignore|skip|do not|don[’']t|exclude|treat|rate|never)\b",
        r"\bthat you (?:do not|don[’']t|never) (?:list|report|mention|flag|raise|include"
        r"|show)\b[^.!?;]{0,50}?\b(?:risks?|findings?|issues|concerns|clauses?|sections?|report|summary)\b",
        rf"{START}(?:the )?(?:correct|only correct|expected|right|desired|final|only valid) (?:answer|output|response"
        rf"|result|assessment|report|rating|verdict)\b{anything(40)}\b(?:is|are|reads)\b{anything(40)}(?:{_NO_RISK}"
        rf"|[\[{{“\"])",
        rf"(?:{_ORDER}|[;,] (?:and )?)do(?: not|n[’']t) (?:report|mention|flag|raise|list|highlight|disclose|point out"
        rf"|warn|comment on|note|show|include|identify|output){anything(50)}\b(?:risks?|findings?|issues|concerns"
        rf"|red flags|in {_REPORT_OUT})\b{_OF_A_PARTY}",
        rf"{_ORDER}do(?: not|n[’']t) (?:report|mention|flag|raise|highlight|warn|analy[sz]e|extract|quote|summari[sz]e"
        rf"|read|evaluate|assess|review){anything(30)}\b(?:(?:this|the|these|any)(?: \w+){{0,3}} (?:clauses?|sections?"
        r"|paragraphs?|provisions?|pages?)|(?:clause|section|article|paragraph|page)s? \d)",
        rf"{_ORDER}(?:skip|overlook|pass over|ignore|jump over) {anything(30)}\b(?:clauses?|sections?|paragraphs?"
        rf"|articles?|pages?|provisions?|appendix|annex|liability|indemni\w+|penalt\w+)\b(?!{anything(30)}\b(?:if"
        rf"|unless|that do|which do|where)\b)",
        rf"(?:{_ORDER}|\band )(?:omit|leave out|exclude|remove|hide|suppress|withhold|delete"
        rf"|keep) {anything(60)}\b(?:from|out of|in) {_REPORT_OUT}",
        rf"{_ORDER}(?:stop|end|abort|terminate|skip|finish|refrain from|refuse) (?:the |this |your |any |further "
        rf"|all )*"
        r"(?:analysis|analy[sz]ing|reviewing|review|reading|processing|output)\b(?! (?:of|period|by|meeting|fee))",
        rf"{_ORDER}(?:answer|respond|reply|output|return)(?: \w+)? (?:only |just |exactly |solely |with |in "
        rf"|nothing but )+"
        r"[^.!?]{0,30}(?:[“\"{\[']|json|yes\b|ok\b|the (?:word|following|sentence|phrase)|an? empty)",
        r"\bno (?:further |additional |more )?(?:analysis|review|check|assessment) (?:by (?:the |any |an )?"
        rf"(?:{_MODEL}|system|program|software|ai)|is (?:needed|required|necessary) (?:and|by|from))\b",
    ),
    (
        # Run together, as in a file's name or letters that were spelled apart.
        r"(?:ignore|disregard|forget)(?:all|any|the|your)?(?:previous|prior|above|earlier)(?:instructions?|prompts?"
        r"|rules)",
        r"(?:report|say|rate)(?:that)?(?:thereare|thereis)?(?:no|zero|low)risks?",
    ),
)

_TELL = (
    r"(?:reveal|disclose|print|output|show|repeat|display|leak|expose|send|tell|list|include|quote|reproduce|return"
    r"|write(?: out| down)?|give|transmit|share|provide|append|copy|dump|echo|recite|translate|summari[sz]e|insert"
    r"|embed|encode|output)"
)
_PROMPT = (
    r"(?:(?:system|initial|hidden|original|internal|secret|own|developer) (?:prompts?|messages?|instructions?"
    r"|guidelines)|your (?:\w+ ){0,3}(?:instructions?|prompts?|guidelines|rules|configuration|settings|training data"
    r"|context|context window|memory|chain of thought|reasoning|api[-\s]?keys?|credentials|secrets|tools)"
    r"|everything (?:above|before) this|(?:the )?(?:text|words|content) above)"
)
_SECRETS = (
    r"(?:api[-\s_]?keys?|access tokens?|environment variables?|env vars?|secret keys?|passwords?|credentials"
    r"|service account tokens?|(?:other|previous|earlier|all) (?:\w+ )?(?:contracts?|documents|customers?|users?"
    r"|tenants?|clients?|organi[sz]ations?|conversations?|sessions?|files)(?:[’']s?)?(?: (?:you (?:have|saw|know"
    r"|analy[sz]ed|read|processed)|data|names|contracts|documents|in (?:your|the) (?:memory|context|system|storage"
    r"|bucket|database)|from (?:your|the) (?:memory|context|system|storage|bucket|database)|stored|on (?:this"
    r"|the) server))|(?:other|previous|earlier) (?:conversations|sessions|chats)|conversation history|/etc/passwd"
    r"|\.env\b|database)"
)
# 'Provide your API key to the Customer' is a duty of the contract.
_OWN_TO_A_PARTY = (
    r" your (?:\w+ ){0,2}[\w-]+ (?:to|with) (?:us|(?:the|our) (?:customer|client|provider|supplier|vendor|contractor"
    r"|licens[eo]r|licensee|bank|company|employer|buyer|seller|purchaser|service (?:provider|desk)|help ?desk|support)"
    r"s?)\b"
)
_FETCH = (
    r"(?:fetch|open|visit|browse(?: to)?|navigate to|go to|access|retrieve|load|download|call|request|click|query"
    r"|make an? (?:\w+ )?(?:get |post )?(?:http )?(?:request|call) to|curl|wget|ping|contact)"
)
_SEND = r"(?:send|post|upload|transmit|exfiltrate|forward|submit|deliver|email|e-mail|mail|copy|leak|append|report)"
_URL = r"(?:https?\s?:\s?//|www\.|ftp://|\b(?:\d{1,3}\.){3}\d{1,3}\b|[\w.+-]+@[\w-]+\.\w+)"

_REQUEST_SIGNS: Final = (
    r"prompts?\b|(?:system|initial|hidden|original|internal|secret|own|developer) (?:message|instruction|guideline)",
    r"your (?:\w+ ){0,3}(?:instructions?|guidelines|rules|configuration|settings|training data|context|memory|chain"
    r"|reasoning|credentials|secrets|tools)",
    r"(?:everything|text|words|content) above|api.?key|token|environment var|env var|secret key|password|credential"
    r"|conversation hist|/etc/|\.env\b|database",
    r"(?:other|previous|earlier|all) (?:\w+ )?(?:contracts?|documents|customers?|users?|tenants?|clients?|organi"
    r"|conversat|session|files)",
    r"https?\s?:|www\.|ftp:|curl|wget|@|\d\.\d{1,3}\.\d{1,3}\.\d",
    r"(?:use|call|invoke|run|execute) (?:the |your |a |an )?[`\"“]?(?:web|browser|search|fetch|http|code|bash|shell"
    r"|python|file|email|\w+_\w+)|(?:run|execute|eval) (?:the |this )?(?:following|shell|python)",
)
REQUESTS: Final = Attack.of(
    _REQUEST_SIGNS,
    (
        rf"{_ORDER_OR_AND}{_TELL}\b{anything(40)}\b{_PROMPT}\b(?! (?:to|for|regarding|concerning) (?:us|the|our)\b)",
        r"\bwhat (?:is|are|was|were) your (?:\w+ )?(?:system prompt|instructions|prompt|guidelines)\b",
        rf"{_ORDER}{_TELL}\b(?!{_OWN_TO_A_PARTY}){anything(50)}(?:\b|(?=[/.])){_SECRETS}",
        rf"{_ORDER}{_FETCH}\b{anything(40)}(?:https?\s?:\s?//|www\.)\S+{anything(40)}\b(?:and|for|then"
        rf"|to) (?:\w+ ){{0,3}}"
        r"(?:follow|execute|obey|apply|instructions?|rules|commands?|run|include|load|use|summari[sz]e|continue)\b",
        rf"{_ORDER}(?:fetch|curl|wget|ping|query|make an? (?:\w+ )?(?:get |post )?(?:http )?(?:request"
        rf"|call) to)\b{anything(40)}{_URL}",
        rf"{_ORDER_OR_AND}{_SEND}\b{anything(60)}\b(?:this (?:contract|document)|(?:your|the) (?:analysis|answer"
        rf"|findings"
        r"|output|results?|reports?|summary|prompt|keys?)|(?:the )?(?:contents?|full text|data|extracted \w+)(?: of"
        r"| from)?)"
        rf"{anything(50)}\b(?:to|at|via) (?:\w+ ){{0,4}}{_URL}",
        rf"{_ORDER}(?:use|call|invoke|run|execute) (?:the |your |a |an )?[`\"“]?(?:web|browser|search|fetch|http|code"
        r"|bash|shell|python|file|email|\w+_\w+)[`\"”]?(?: \w+)? (?:tools?|functions?|interpreter|commands?|plugin)\b",
        rf"{_ORDER}(?:run|execute|eval) (?:the |this )?(?:following |shell |python )+(?:code|commands?|script"
        rf"|program)\b",
    ),
)
