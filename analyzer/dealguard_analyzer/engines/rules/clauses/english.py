"""English patterns for the categories of CUAD, after the wording of contracts and CUAD's labelling guide.

A pattern need not be right: the trained model weighs its hits together with the words (see `model`).
"""

from dealguard_analyzer.engines.rules.clauses import Pattern, compile_catalogue

_NEGATED = (
    r"\b(?:shall not|will not|may not|must not|agrees? not to|not to|neither|nor shall|no party|cannot|refrain)\b"
)
_LICENSED = r"\b(?:licen[sc]e|right)\b"

PATTERNS = {
    "Effective Date": [
        Pattern(
            r"\beffective date\b",
            require=(r"\b(?:means|shall be|is|shall mean|of this agreement)\b", r"\b(?:date|agreement)"),
            forbid=(
                r"\bafter the effective date\b|\bas of the effective date\b|\bprior to the effective date\b"
                r"|\bfrom the effective date|\bsince the effective date|\bon the effective date|\btermination\b",
            ),
        ),
        Pattern(
            r"\b(?:agreement|contract|amendment|addendum)\b.{0,60}\b(?:shall (?:become|be|take|come|commence)"
            r"|becomes|is|takes|will be(?:come)?) (?:\w+ ){0,2}(?:effective|effect|into force|in force|into"
            r" effect)\b",
            forbid=(r"\binvalid|\bunenforceable|\bterminat",),
        ),
        Pattern(
            r"\b(?:term|agreement|contract)\b.{0,40}\b(?:shall |will )?(?:commence|begin)s? (?:\w+ ){0,2}"
            r"(?:on|as of|upon|with)\b"
        ),
    ],
    "Expiration Date": [
        Pattern(
            r"\b(?:initial )?term of (?:this|the) (?:\w+ )?(?:agreement|contract)\b",
            require=(r"\b(?:shall|will|is)\b", r"\b(?:year|month|until|expir|end|continue|commence)"),
            forbid=(r"\bduring the term\b",),
        ),
        Pattern(
            r"\b(?:agreement|contract|term|arrangement)\b.{0,60}\b(?:shall|will) (?:\w+ ){0,6}(?:continue"
            r"|remain|expire|terminate on|end|be in effect|be for|have a term)",
            require=(r"\b(?:year|month|until|anniversary|through|days|term|date)",),
            forbid=(r"\bif\b.{0,40}\bbreach|\bconfidential|\bsurviv|\bas though",),
        ),
        Pattern(
            r"\bfor (?:a|an) (?:initial )?(?:term|period) of\b",
            require=(r"\b(?:agreement|term|contract)\b", r"\b(?:effective|commenc|from|begin)"),
            forbid=(r"\bterminat|\bwarrant|\bconfidential|\brenew",),
        ),
        Pattern(
            r"\b(?:expires?|expiration date|terminates) (?:\w+ ){0,3}(?:on|at|is|shall be|means|upon)\b",
            require=(r"\b(?:agreement|term|contract)\b",),
            forbid=(r"\bbreach|\bconfidential",),
        ),
    ],
    "Renewal Term": [
        Pattern(
            r"\b(?:automatically|automatic(?:al)?) (?:be )?(?:renew|extend|continue)",
            forbid=(r"\bwarranty period\b|\bforce majeure\b|\bperiod shall\b",),
        ),
        Pattern(
            r"\b(?:shall|will) (?:be )?(?:\w+ )?(?:automatically )?(?:renew|be renewed|be extended)\b",
            require=(r"\b(?:term|agreement|contract)\b",),
            forbid=(r"\bwarranty|\bforce majeure|\bact of god|\bpolic(?:y|ies)|\bmutual|\bimpressions\b",),
        ),
        Pattern(r"\b(?:option|right) to (?:renew|extend)\b", require=(r"\b(?:term|agreement|contract|period|year)",)),
        Pattern(
            r"\bmay (?:be )?(?:renew|extend)(?:ed)?\b",
            require=(r"\b(?:term|agreement)\b", r"\b(?:year|month|additional|successive)"),
            forbid=(r"\bmutual|\bby agreement|\bcommon agreement|\breview period|\bagree in writing",),
        ),
        Pattern(
            r"\b(?:successive|additional|consecutive) .{0,30}\b(?:terms|periods|year)\b",
            require=(r"\b(?:renew|extend|continue)",),
            forbid=(r"\bmutual",),
        ),
        Pattern(
            r"\b(?:month[- ]to[- ]month|year[- ]to[- ]year|from year to year)\b|\b(?:thereafter|and"
            r" indefinitely after|automatic) .{0,50}\b(?:until terminated|extensions?|renew)"
        ),
    ],
    "Notice Period To Terminate Renewal": [
        Pattern(
            r"\b(?:renew|extend|extension|continue|extended|month to month|year to year|prolonged)",
            require=(
                r"\b(?:not(?:ice|ify|ifies|ification)|advised)\b|\bterminated by\b",
                r"\b(?:days?|months?|year)\b|\[\*",
                r"\b(?:unless|not to renew|non-? ?renew|not renew|does not|elect|until terminated|not to extend)",
                r"\b(?:agreement|term|contract)\b",
            ),
            forbid=(r"\bpolic(?:y|ies)\b", r"\bcancellation\b", r"\bfiling\b", r"\bcure"),
        ),
    ],
    "Most Favored Nation": [
        Pattern(r"\bmost[- ]favou?red\b", forbid=(r"\bexcluding\b",)),
        Pattern(
            r"\b(?:no|not|never|at least as|not be|any|terms)[^.;]{0,30}\b(?:less|more|higher|greater|lower|as)"
            r" (?:favou?rable|than)\b",
            require=(
                r"\b(?:price|prices|pricing|terms|rate|rates|fee|fees|discount|conditions|royalt\w+)\b",
                r"\b(?:any other|third part(?:y|ies)|other customers?|other clients?|another|similarly situated"
                r"|other distributors?|customers)\b",
                r"\b(?:offer|charge|grant|provid|agree|shall|sell|sold)",
            ),
            forbid=(r"\btransferor\b", r"\baffiliate.{0,40}\barm", r"\bemploy"),
        ),
        Pattern(
            r"\b(?:(?:more|less|as|least as) favou?rabl[ey]|lowest (?:price|rate|fee)|best (?:price|pricing|rate)"
            r"|(?:higher|lower) (?:fee|price|rate)s? than)\b",
            require=(
                r"\b(?:prices?|pricing|terms|rates?|fees?|royalt\w+|conditions|manner)\b",
                r"\b(?:other|others|another|third part(?:y|ies)|customers?|clients?|licensees?|any (?:person|entity)"
                r"|similarly|equivalently)\b",
            ),
        ),
    ],
    "Competitive Restriction Exception": [
        Pattern(
            r"\b(?:notwithstanding|foregoing|however|provided|except|nothing (?:herein|in this|contained)"
            r"|for clarity|avoidance of doubt)\b",
            require=(
                r"\b(?:shall not (?:apply|prevent|prohibit|preclude|restrict|be prohibited|be precluded)"
                r"|does not (?:apply|prevent|prohibit)|will not (?:apply|prevent|prohibit)"
                r"|(?:shall|will|may) be (?:permitted|entitled|allowed|free) to|is (?:permitted|allowed) to"
                r"|not be prohibited|may continue|intended to prevent|not be deemed)\b",
                r"\b(?:compet\w+|exclusiv\w+|solicit\w*|restrictions?|sell|market|promot\w+|distribut\w+)\b",
            ),
            forbid=(r"\bconfidential|\bindemnif|\bliabilit",),
        ),
        Pattern(
            r"\b(?:exclusiv\w+)\b",
            require=(
                r"\b(?:fails?|failure|in order to (?:maintain|retain)|subject to .{0,40}(?:achiev|meet|minimum)"
                r"|unless you|no longer be)\b",
            ),
        ),
        Pattern(
            r"\b(?:less than|no more than|not more than|or less|up to)\b",
            require=(
                r"%|\bpercent\b",
                r"\b(?:outstanding|publicly|securities|shares|stock|voting)\b",
                r"\b(?:owner\w*|own|owning|passive|invest\w*|beneficial\w*|hold\w*)\b",
                r"\b(?:compet\w+|prohibit\w*|restrict\w*|violat\w+|this section|not apply|not be deemed|publicly)",
            ),
        ),
    ],
    "Non-Compete": [
        Pattern(
            r"\b(?<!non-)compet(?:e|es|ing|itive|itor|itors|ition)\b",
            require=(
                _NEGATED,
                r"\b(?:engage|compete|participat|sell|market|distribut|develop|promot|manufactur|own|operat"
                r"|assist|business|advertis|endorse)",
            ),
            forbid=(
                r"\bunfair competition\b",
                r"\bcompetitive (?:bid|pric)",
                r"\breasonably competitive\b",
                r"\banti-?trust\b",
            ),
        ),
        Pattern(r"\bnon-?compet(?:e|ition)\b", affirmed=True),
        Pattern(r"\bcovenants? not to compete\b", affirmed=True),
    ],
    "Exclusivity": [
        Pattern(
            r"\bexclusiv(?:e|ely|ity)\b",
            require=(
                r"\b(?:grants?|appoints?|licen[sc]e|distribut|suppl|purchas|provider|partner|agent|sponsor"
                r"|engage|territory|deal|source)",
                r"\b(?:shall|hereby|will|agrees?|has the|have the|grants?|during)\b",
            ),
            forbid=(
                r"\bnon-? ?exclusiv",
                r"\bnon -exclusiv",
                r"\bexclusive (?:of|remed|jurisdiction|venue|propert|owner|benefit|control|obligation|responsib"
                r"|terms|contact|purpose)",
                r"\bexclusively (?:by|in|to) (?:the )?(?:laws|courts|terms)",
                r"\bexclusive .{0,30}\b(?:remed|jurisdiction|forum|title|benefit)",
                r"\bfiduciar",
                r"\bwhereas\b",
                r"\bexclusive right,? title",
                r"\bnot (?:be )?(?:\w+ ){0,3}exclusive\b",
                r"\bsubject exclusively\b",
            ),
        ),
        Pattern(
            r"\b(?:sole|only) (?:and exclusive )?(?:supplier|distributor|provider|source|agent)\b",
            forbid=(r"\bnot be\b",),
        ),
        Pattern(
            r"\b(?:solely|only) from\b",
            require=(r"\b(?:purchas|obtain|buy|order|sourc)", r"\b(?:product|require|suppl)"),
        ),
        Pattern(r"\ball (?:of )?(?:its|their|the) requirements\b"),
        Pattern(
            r"\b(?:shall|will|agrees?) not (?:to )?(?:\w+ ){0,4}(?:grant|appoint|enter into|engage|licen[sc]e"
            r"|provide|place|permit)\b",
            require=(
                r"\b(?:any (?:other (?:person|party|distributor|entity|compan\w+)|third part(?:y|ies))|other)\b",
                r"\b(?:territory|similar|compet|same)\b",
            ),
        ),
    ],
    "No-Solicit Of Customers": [
        Pattern(r"\bsolicit", require=(_NEGATED, r"\b(?:customer|client|patron|account)s?\b")),
        Pattern(
            r"\b(?:divert|interfere with|entice|induce)\b",
            require=(
                _NEGATED,
                r"\b(?:customer|client|patron|account)s?\b",
                r"\b(?:business|away|cease|relationship)\b",
            ),
        ),
    ],
    "No-Solicit Of Employees": [
        Pattern(
            r"\b(?:solicit|hire|employ|recruit|induce|entice)\b",
            require=(
                _NEGATED,
                r"\b(?:employees?|personnel|staff|officers?|person who)\b",
                r"\b(?:solicit|hire|recruit|entice|induce|seek to employ|employ or|employ any)",
            ),
            forbid=(r"\bdiscriminat", r"\bwithholding"),
        ),
        Pattern(r"\bnon-?solicitation\b"),
    ],
    "Non-Disparagement": [
        Pattern(r"\bdisparag"),
        Pattern(r"\bderogatory|\bdefam(?:e|atory)", require=(_NEGATED,)),
        Pattern(
            r"\b(?:adversely|negatively) (?:affect|reflect)|\bdamaging to the (?:reputation|goodwill)|\binjure"
            r" the (?:reputation|goodwill)|\breflects? (?:adversely|unfavou?rably)",
            require=(r"\b(?:reputation|goodwill|image|name)\b", _NEGATED),
        ),
    ],
    "Termination For Convenience": [
        Pattern(
            r"\b(?:terminat|cancel)",
            require=(
                r"\b(?:for (?:its |their )?convenience|without cause|for any reason|at any time|for any or no"
                r" reason|with or without cause|at will|no reason|without reason|non-cause)\b",
                r"\b(?:may|right|option|entitled|can|terminable|be terminated|upon)\b",
            ),
            forbid=(
                r"\bif\b",
                r"\bin the event\b",
                r"\bupon (?:the occurrence|any breach|the expiration|termination|expir)",
                r"\bbreach|\bdefault|\bfail|\bfollowing events|\bas follows\b|\bgrounds\b|\bbankrupt",
                r"\b(?:expiration|termination) (?:or (?:expiration|termination) )?(?:of (?:this|the) agreement"
                r" )?for any reason",
                r"\bterminated for any reason",
                r"\bsurviv",
                r"\btermination \(?but",
            ),
        ),
        Pattern(
            r"\b(?:may|right to|entitled to|can) (?:\w+ ){0,3}(?:terminated?|cancel) (?:this |the )?(?:\w+"
            r" )?(?:agreement|contract|(?:by|upon)) (?:\w+ ){0,9}(?:upon|by|on|with|at) ",
            require=(r"\b(?:days|months?|day|notice|notification)\b",),
            forbid=(
                r"\bif\b",
                r"\bin the event\b",
                r"\bbreach",
                r"\bdefault",
                r"\bfail",
                r"\bbecomes\b|\bbankrupt|\binsolven",
                r"\bfollowing events|\bgrounds\b|\bcure\b|\bcured\b",
            ),
        ),
        Pattern(
            r"\b(?:until|unless) (?:\w+ ){0,2}terminated (?:\w+ ){0,3}by (?:either|any)\b",
            require=(r"\b(?:days|months?)\b",),
            forbid=(r"\bprior to the (?:end|expir)",),
        ),
    ],
    "Rofr/Rofo/Rofn": [
        Pattern(
            r"\bright of first (?:refusal|offer|negotiation|opportunity|notice|discussion)|\bfirst right (?:of"
            r" refusal|to negotiate|to purchase|of negotiation|of offer|to license|to acquire|to act|to)"
            r"|\brights? of first (?:and last )?refusal|\bfirst (?:option|opportunity|refusal) to\b|\bexclusive"
            r" (?:option|right) to negotiate\b",
            forbid=(
                r"\bencumbrance",
                r"\bfree and clear",
                r"\bshall not constitute\b",
                r"\bfirst (?:option|opportunity) to cure",
            ),
        ),
        Pattern(r"\bfirst offer\b", require=(r"\b(?:shall|right|must)\b",)),
        Pattern(r"\bright to match\b|\bmatching right\b|\boffer .{0,40}\bbefore (?:it )?(?:offers|offering)"),
    ],
    "Change Of Control": [
        Pattern(
            r"\bchange (?:of|in) (?:the )?(?:\w+ )?(?:control|ownership)\b",
            require=(r"\b(?:terminat|consent|assign|notif|notice|option|acquir|payable|accelerat)",),
            forbid=(
                r"\bmeans\b",
                r"\bwithout (?:such |the |its |prior |written |other \w+ )*consent",
                r"\bexcept (?:that|in|to)\b",
            ),
        ),
        Pattern(
            r"\b(?:merger|merges|merged|consolidat|acquired by|acquisition of|sale of all or substantially all"
            r"|substantially all of (?:its|the) (?:assets|stock|business)|controlling interest)",
            require=(
                r"\b(?:terminat|consent (?:of|shall)|deemed (?:to be )?(?:an |a )?(?:assignment|transfer)|prior"
                r" written)",
            ),
            forbid=(
                r"\bentire (?:agreement|understanding)",
                r"\bmerge[sd]? (?:all|into|and)\b",
                r"\bwithout (?:such |the |its |prior |written |other \w+ |\w+['’]s )*consent",
                r"\bexcept (?:that|in|to|for)\b",
                r"\bprovided,? (?:however,? )?that",
                r"\bmay assign\b",
                r"\bfinancial statements\b",
            ),
        ),
        Pattern(
            r"\boperation of law\b",
            require=(r"\b(?:assign|transfer)", r"\b(?:merger|stock|control|reorgani[sz]ation)\b"),
            forbid=(r"\bnon-?assignable\b",),
        ),
        Pattern(
            r"\btransfer of (?:more than )?.{0,20}\b(?:shares|stock|voting|interest)",
            require=(r"\b(?:control|franchis|consent)",),
        ),
        Pattern(r"\bundergo", require=(r"\b(?:control|ownership|reorgani[sz]ation)\b", r"\bterminat")),
    ],
    "Anti-Assignment": [
        Pattern(
            r"\bassign(?:ed|able|s|ment|ments)?\b",
            require=(
                r"\b(?:agreement|contract|rights?|obligations|franchise|hereunder|herein)\b",
                rf"{_NEGATED}|\bnot\b",
                r"\b(?:consent|approval|void|not assignable|prohibited|permission|may not)\b",
            ),
            forbid=(r"\bassigned (?:duties|tasks|personnel)\b",),
        ),
        Pattern(r"\b(?:not|non)[- ]?assignable\b|\bnot be assignable\b"),
        Pattern(
            r"\b(?:attempted|purported|any) (?:assignment|transfer)\b", require=(r"\b(?:void|breach|null|consent)\b",)
        ),
        Pattern(
            r"\b(?:may|shall) not (?:\w+ ){0,6}(?:assign|transfer|delegate)\b",
            require=(r"\b(?:agreement|rights|obligations|contract)\b",),
            forbid=(r"\bsublicens",),
        ),
    ],
    "Revenue/Profit Sharing": [
        Pattern(
            r"\b(?:royalt(?:y|ies)|commissions?)\b",
            require=(
                r"\b(?:pay|paid|equal to|entitled|receive|percent|rate of)\b",
                r"%|\bpercent|\bnet sales\b|\bgross\b|\brevenue",
            ),
            forbid=(r"\broyalty-free", r"\bsecurities and exchange commission\b"),
        ),
        Pattern(
            r"\b(?:revenue|profit)[- ]?(?:share|sharing)\b|\bshare of (?:the )?(?:net |gross )?(?:revenue"
            r"|profit|proceeds)|\bprofit split\b"
        ),
        Pattern(
            r"(?:%|\bpercent\b|\bpercentage\b)(?: \(.{0,8}\))? of (?:the |all |any |its |such |total |\w+['’]s"
            r" )*(?:net |gross |adjusted |monthly |annual |advertising |sublicens\w+ |subscription |operating "
            r"|license )*(?:revenue|sales|profit|proceeds|receipts|income|fees)",
            forbid=(r"\bexcess of\b",),
        ),
    ],
    "Price Restrictions": [
        Pattern(
            r"\b(?:price|prices|fees?|rates?)\b",
            require=(
                r"\b(?:increases?|increased|raise)\b",
                r"\b(?:shall not|may not|not exceed|no increase|no more than|not more than|will not|not be"
                r" increased|only (?:be )?(?:subject to )?increase)\b",
                r"\b(?:year|annual|anniversary|consumer price|cpi|percent|term|%)",
            ),
            forbid=(r"\b(?:interest|late|liabilit|legal fees|attorney|trading|securities|royalt)",),
        ),
        Pattern(
            r"\b(?:price|prices|fees?|rates?|charges?)\b",
            require=(
                r"\b(?:adjust\w*|increas\w*|chang\w*|remain)\b",
                r"\b(?:consumer price index|cpi|ppi|no more (?:often )?than|not more often than|not more than once"
                r"|once (?:per|a|each|in any)|shall remain (?:the same|fixed|firm|unchanged)|without markup)\b",
            ),
            forbid=(r"\b(?:interest|late|royalt|securities)",),
        ),
    ],
    "Volume Restriction": [
        Pattern(
            r"\b(?:in excess of|exceeds?|more than|maximum|up to|additional|over|beyond|limited to|limit of)\b",
            require=(
                r"\b(?:users?|copies|units|transactions|impressions|installations|seats|hours|gigabytes?|requests"
                r"|employees|orders|quantit\w+|capacity|forecast\w*|volume)\b",
                r"\b(?:additional (?:fee|charge|cost)|fee for each|per (?:user|unit|hour|additional)|excess|shall pay"
                r"|will pay|not be obligated|no obligation|not (?:be )?required|maximum (?:number|quantity|volume))\b",
            ),
            forbid=(r"\b(?:liabilit|indemnif|insurance|damages)",),
        ),
    ],
    "Minimum Commitment": [
        Pattern(
            r"\bminimum (?:\w+ ){0,3}(?:purchase|order|commitment|quantit|royalt|guarantee|payment|annual"
            r"|volume|fee|amount|sales|requirement|number|level|guaranteed|spend|transport|monthly|revenue)",
            forbid=(r"\bminimum (?:\w+ ){0,2}(?:insurance|coverage|limits?|wage)", r"\binsurance\b"),
        ),
        Pattern(
            r"\b(?:at least|no less than|not less than|no fewer than|a minimum of)\b",
            require=(
                r"\b(?:purchase|order|spend|expend|buy|guarantee|units|impressions|sales)\b",
                r"\b(?:shall|agrees?|will|must)\b",
                r"\d|\[\*|\*\*",
            ),
            forbid=(r"\bnotice\b", r"\binsurance\b", r"\bdays (?:prior|before|in advance)", r"\bshares\b"),
        ),
        Pattern(r"\btake[- ]or[- ]pay\b|\bquota\b"),
    ],
    "Ip Ownership Assignment": [
        Pattern(
            r"\b(?:hereby |agrees? to |shall |does hereby |will )(?:\w+ ){0,4}(?:assigns?|convey|transfer)s?\b",
            require=(
                r"\b(?:intellectual property|copyright|patent|trade ?mark|inventions?|work product"
                r"|developments?|improvements?|moral rights|domain name|goodwill|know-how|title and interest"
                r"|title, and interest|ownership)",
            ),
            forbid=(
                r"\b(?:shall|may|will) not\b",
                r"\bsublicens",
                r"\bsuccessors and (?:permitted )?assigns shall",
                r"\bwithout (?:the )?(?:prior )?(?:express )?(?:written )?consent",
            ),
        ),
        Pattern(r"\bworks? (?:made )?for[- ]hire\b"),
        Pattern(r"\bassign and (?:transfer|convey)|\bassigns? to .{0,60}\ball (?:of (?:its|his|their) )?right,? title"),
        Pattern(
            r"\bshall (?:be )?(?:the )?(?:sole (?:and exclusive )?)?(?:property|owned)\b",
            require=(
                r"\b(?:developed|created|conceived|made|prepared|inventions?|work product|improvements?)\b",
                r"\b(?:sole|exclusive|own)",
            ),
        ),
    ],
    "Joint Ip Ownership": [
        Pattern(
            r"\b(?:joint(?:ly)?|co-?) ?-?own(?:ed|ership|ers?|s)?\b|\bown(?:ed)? jointly\b|\bjoint"
            r" (?:inventions?|patents?|intellectual property|technology|know-how|work product|collaboration ip"
            r"|ip)\b|\bjoint and equal owner|\bjoint ownership\b|\bequal(?:ly)? .{0,20}\bundivided",
            forbid=(r"\bjoint venture company",),
        ),
        Pattern(r"\bundivided (?:one-half|half|equal|interest|50)"),
    ],
    "License Grant": [
        Pattern(
            r"\bgrants?\b",
            require=(r"\b(?:sub)?licen[sc]es?\b|\bright to use\b",),
            forbid=(
                r"\bno licen[sc]e",
                r"\bnot (?:be construed|constitute|grant)",
                r"\bdoes not grant",
                r"\bnothing (?:in|herein|contained)",
            ),
        ),
        Pattern(r"\b(?:is|are) (?:hereby )?(?:licensed|granted) .{0,60}\b(?:licen[sc]e|right to use|right)"),
        Pattern(r"\bhereby licen[sc]es\b|\bshall have (?:a|the|an) (?:\w+[, -]+){0,6}licen[sc]e\b"),
        Pattern(
            r"\bgrants? .{0,60}\b(?:right|permission)(?: and \w+)? to (?:use|reproduce|display|distribute"
            r"|market|sell|operate|promote|broadcast|copy|publish)"
        ),
    ],
    "Non-Transferable License": [
        Pattern(
            r"\bnon-?[- ]?transferr?able\b|\bnon-?[- ]?assignable\b|\bnontransferr?able\b|\bnon-?[-"
            r" ]?sub-?licen[sc]e?able\b",
            require=(r"\blicen[sc]e|\bright\b",),
        ),
        Pattern(
            r"\b(?:may not|shall not|no right to|without the right to|neither) (?:\w+ ){0,6}(?:sub-?licen[sc]e"
            r"|assign|transfer)",
            require=(r"\blicen[sc]e|\bsub-?licen",),
        ),
        Pattern(r"\b(?:not|without) .{0,40}\b(?:right|permission) to (?:grant )?sub-?licen[sc]es?\b"),
    ],
    "Affiliate License-Licensor": [
        Pattern(
            r"\b(?:on behalf of (?:itself|themselves)|for itself|(?:shall|agrees? to|will) cause|agree to obtain"
            r"|grants? (?:to|and shall))\b",
            require=(
                r"\bgrants?\b",
                _LICENSED,
                r"\b(?:cause|behalf of|for itself|obtain from)\b.{0,120}\b(?:affiliates?|subsidiar\w+|members? of"
                r"|group)\b",
            ),
        ),
        Pattern(
            r"\b(?:owned|own|controlled?|held|developed|licensed)\b",
            require=(
                r"\b(?:affiliates?|subsidiar\w+|group)\b",
                r"\b(?:patents?|know-how|intellectual property|trademarks?|technology|software|marks|data)\b",
                r"\bmeans\b|\bshall mean\b|\bgrants?\b",
            ),
            forbid=(r"\bindemnif|\bconfidential",),
        ),
    ],
    "Affiliate License-Licensee": [
        Pattern(r"\bgrants? to .{0,60}\b(?:affiliates?|subsidiaries|group)\b", require=(_LICENSED,)),
        Pattern(
            r"\bsub-?licen[sc]e\w*\b",
            require=(r"\b(?:affiliates?|subsidiaries|related compan)", r"\b(?:may|right|grant|to its)\b"),
            forbid=(r"\b(?:may not|shall not|no right)\b",),
        ),
    ],
    "Unlimited/All-You-Can-Eat-License": [
        Pattern(
            r"\bunlimited\b",
            require=(
                r"\b(?:licen[sc]e|users?|copies|use|usage|right|seats|enterprise)\b",
                r"\b(?:grant|licen[sc]e|right)",
            ),
            forbid=(r"\bliabilit|\bunlimited power|\bregistration",),
        ),
        Pattern(r"\benterprise[- ](?:wide )?licen[sc]e\b|\bsite licen[sc]e\b"),
    ],
    "Irrevocable Or Perpetual License": [
        Pattern(
            r"\b(?:irrevocabl[ey]|perpetual(?:ly)?|in perpetuity)\b",
            require=(r"\blicen[sc]e|\bright\b|\brights\b", r"\b(?:grant|licen[sc]e|use)"),
            forbid=(r"\bappoint|\bjurisdiction|\bletter of credit|\bconsents?\b|\bproxy\b|\bguarant",),
        ),
    ],
    "Source Code Escrow": [
        Pattern(r"\bescrow\b", require=(r"\b(?:source|code|software|deposit materials|technology)\b",)),
        Pattern(r"\bescrow agent\b", require=(r"\bsource\b",)),
    ],
    "Post-Termination Services": [
        Pattern(
            r"\b(?:upon|after|following|on) (?:the |any )?(?:\w+ ){0,4}(?:termination|expiration|expiry)\b",
            require=(
                r"\b(?:continue|sell[- ]?off|remaining inventory|wind[- ]?down|transition|assist|cooperat|shall"
                r" (?:return|pay|cease|remain|provide|deliver)|period of|for (?:a|up to)|refund|buy back"
                r"|repurchase)\b",
            ),
            forbid=(r"\bshall survive\b", r"\bconfidential"),
        ),
        Pattern(
            r"\b(?:wind[- ]down|sell[- ]off|transition|phase[- ]out|run[- ]off) (?:period|services|assistance|plan)"
        ),
        Pattern(r"\btermination assistance\b|\btransition(?:al)? services\b"),
    ],
    "Audit Rights": [
        Pattern(
            r"\baudit(?:s|ed|ing)?\b",
            require=(r"\b(?:right|may|shall|entitled|permit|allow|access|books|records|conduct)",),
            forbid=(
                r"\baudited financial|\baudited (?:consolidated )?(?:annual )?(?:balance|statements)|\baudit committee",
            ),
        ),
        Pattern(
            r"\b(?:inspect|inspection|examin)",
            require=(
                r"\b(?:books|records|accounts|facilit|premises)",
                r"\b(?:right|may|shall|entitled|permit|allow|available|access)\b",
            ),
            forbid=(r"\bpublic\b",),
        ),
        Pattern(r"\b(?:access to|make available)\b", require=(r"\b(?:books|records)\b",)),
    ],
    "Uncapped Liability": [
        Pattern(
            r"\b(?:except|excepting|other than|excluding|with the exception|save)\b",
            require=(
                r"\b(?:liabl|liabilit|damages)",
                r"\b(?:in no event|exceed|limit|consequential|special|incidental|under no circumstances|\[\*)",
                r"\b(?:indemnif|confidential|infring|gross(?:ly)? negligen|wil+ful|breach|fraud|sections?"
                r"|misconduct|article|paragraph|\[\*|arising (?:under|from))",
            ),
            forbid=(
                r"\bindemnifying part(?:y|ies) (?:shall|will) not be liable",
                r"\bhold harmless\b",
                r"\bforce majeure|\breasonable control",
                r"\bprior written consent\b",
            ),
        ),
        Pattern(
            r"\b(?:limitations?|exclusions?|cap|sections?)\b",
            require=(
                r"\b(?:shall not apply|will not apply|not apply|do not apply|inapplicable|not be applicable|not"
                r" limit)\b",
                r"\b(?:liabilit|damages|loss|indemnif)",
                r"\b(?:limitations?|limit|exclusions?|cap)\b",
            ),
            forbid=(r"\bconfidentiality (?:shall|do)",),
        ),
        Pattern(
            r"\b(?:nothing (?:in|herein|contained)|none of the foregoing limitations)",
            require=(
                r"\b(?:exclude|limit|restrict|limitations)",
                r"\bliabilit(?:y|ies)\b|\bindemnification (?:rights|obligations)",
            ),
        ),
        Pattern(
            r"\bunlimited\b",
            require=(r"\bliabilit(?:y|ies) (?:\w+ ){0,4}(?:unlimited|without limit)|\bunlimited liabilit",),
        ),
    ],
    "Cap On Liability": [
        Pattern(
            r"\bliabilit(?:y|ies)\b",
            require=(r"\b(?:exceed|limited to|maximum|in excess of|not be greater|cap)\b",),
            forbid=(r"\binsurance (?:with|cover|polic)", r"\blimited liability (?:company|partnership)"),
        ),
        Pattern(
            r"\b(?:consequential|incidental|punitive|indirect|exemplary)\b",
            require=(
                r"\bdamages?|\bloss",
                r"\b(?:in no event|neither|not be liable|no liability|shall not|excluded|waive|nor shall|not be"
                r" responsible|under no circumstances|no party|not include|nor)\b",
            ),
        ),
        Pattern(
            r"\b(?:sole|exclusive) (?:and exclusive )?(?:remedy|liability|obligation)",
            require=(r"\b(?:breach|defect|warrant|refund|replace|repair|liab)",),
        ),
        Pattern(
            r"\b(?:not|no) (?:be )?(?:liable|liability|responsible)\b",
            require=(r"\b(?:any (?:loss|damage)|damages)\b", r"\b(?:delay|lost profits|loss of)\b"),
        ),
        Pattern(
            r"\bno (?:action|claim|suit|legal action)\b",
            require=(r"\b(?:may be brought|shall be brought|more than)\b", r"\b(?:year|months)\b"),
        ),
    ],
    "Liquidated Damages": [
        Pattern(r"\bliquidated damages\b|\bliquidated sum\b"),
        Pattern(
            r"\b(?:not (?:as )?a penalty|as a penalty|termination fee|cancellation fee|break-?up fee|early"
            r" termination (?:fee|charge))\b",
            require=(r"\b(?:pay|paid|fee|sum|amount|charge)",),
        ),
    ],
    "Warranty Duration": [
        Pattern(
            r"\bwarrant(?:y|s|ies|ed)\b",
            require=(
                r"\b(?:for a period of|for a (?:\w+ ){0,4}\(?\d*\)? ?(?:year|month|day)|warranty period|period"
                r" of|within \w+|from (?:the )?date of (?:delivery|shipment|acceptance|purchase|installation)"
                r"|(?:year|months|days) (?:from|after|following))\b",
                r"\b(?:day|month|year|period)s?\b",
                r"\b(?:product|software|defect|workmanship|material|service|equipment|goods|work|deliverable"
                r"|part|perform)",
            ),
            forbid=(r"\bsurviv", r"\brepresents? and warrants? that (?:it|he|she) (?:is|has)"),
        ),
        Pattern(r"\b(?:warranty|inspection|acceptance) period\b"),
        Pattern(
            r"\b(?:defect|nonconform|non-conform|reject)",
            require=(
                r"\bwithin (?:\w+ )?\(?\d+\)? ?(?:business |calendar |working )?(?:days|months)",
                r"\b(?:product|goods|software|deliver|shipment)",
            ),
            forbid=(r"\bterminat|\bcure\b",),
        ),
    ],
    "Insurance": [
        Pattern(
            r"\binsurance\b",
            require=(
                r"\b(?:maintain|obtain|carry|procure|keep|provide|purchase|policy|policies|coverage|certificate"
                r"|additional insured)",
                r"\b(?:shall|will|must|agrees?|required|is to)\b",
            ),
            forbid=(r"\binsurance (?:agent|business|products|laws|commission)", r"\bfederal deposit insurance"),
        ),
        Pattern(r"\badditional insureds?\b|\bnamed insured\b|\bcertificates? of insurance\b"),
    ],
    "Covenant Not To Sue": [
        Pattern(r"\bcovenants? not to (?:sue|assert)\b", forbid=(r"\bdoes not prevent",)),
        Pattern(
            r"\b(?:contest|challeng|attack|oppose|question|impair|inconsistent with)(?:e|ing|s)?\b",
            require=(
                _NEGATED + r"|\bnever\b|\bterminate this",
                r"\b(?:validity|ownership|title|registration|enforceability|rights? (?:in|to)|trade ?marks?"
                r"|marks?|patents?|goodwill)\b",
            ),
            forbid=(r"\barbitrat|\bjurisdiction|\bvenue|\bstrike|\bfire, explosion",),
        ),
        Pattern(
            r"\b(?:forever )?(?:releases?|discharges?) (?:and |any |all |forever )",
            require=(r"\b(?:claims?|causes of action)", r"\b(?:hereby|agrees?|shall)\b"),
            forbid=(r"\bjury\b",),
        ),
        Pattern(
            r"\b(?:not|never) (?:to )?(?:assert|claim) (?:any |or )",
            require=(r"\b(?:claim|right|interest)", r"\b(?:trade ?mark|marks?|patent|intellectual|title|ownership)"),
        ),
    ],
    "Third Party Beneficiary": [
        Pattern(
            r"\bthird[- ]party beneficiar",
            require=(r"\b(?:is an?|are|shall be|as|except|intended|intend|express)\b",),
            forbid=(r"\b(?:no|not|nor|nothing|neither|without)\b(?!.{0,120}\b(?:except|other than)\b)",),
        ),
        Pattern(r"\bthird[- ]party beneficiar", require=(r"\b(?:except (?:as|that|for)|other than|provided that)\b",)),
        Pattern(
            r"\binure to the benefit of\b",
            require=(r"\b(?:indemnif|officers|directors|controlling persons|affiliates)\b",),
        ),
    ],
}

CATALOGUE = compile_catalogue(PATTERNS)
