"""Names of legal systems, English and German, and the one name the report uses for each."""

import re

from dealguard_analyzer.engines.rules.word_list import words

_STATES = words(
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois"
    "|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri"
    "|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma"
    "|Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington"
    "|West Virginia|Wisconsin|Wyoming|District of Columbia|Puerto Rico",
    "|",
)
_PROVINCES = words("Ontario|Quebec|British Columbia|Alberta|Manitoba|Saskatchewan|Nova Scotia|New Brunswick", "|")
_COUNTRIES = words(
    "Canada|Israel|India|Japan|Netherlands|Italy|France|Spain|Portugal|Belgium|Luxembourg|Austria|Switzerland|Denmark"
    "|Sweden|Norway|Finland|Ireland|Scotland|Wales|England|Poland|Hungary|Greece|Turkey|Russia|Ukraine|Kazakhstan"
    "|China|Hong Kong|Taiwan|Singapore|Malaysia|Thailand|Vietnam|Indonesia|Philippines|Korea|Australia|New Zealand"
    "|Brazil|Argentina|Chile|Colombia|Peru|Mexico|Panama|Bermuda|Cayman Islands|British Virgin Islands|South Africa"
    "|Nigeria|Kenya|Egypt|Cyprus|Malta|Liechtenstein|Jersey|Guernsey|Papua New Guinea|United States|United Kingdom"
    "|Germany|Czech Republic|Romania|Bulgaria|Croatia|Slovenia|Slovakia|Estonia|Latvia|Lithuania|Iceland"
    "|United Arab Emirates|Saudi Arabia|Victoria|New South Wales|Queensland",
    "|",
)
_OTHER_NAMES = {
    "England and Wales": "England and Wales",
    "Commonwealth of Massachusetts": "Massachusetts",
    "People's Republic of China": "People's Republic of China",
    "People’s Republic of China": "People's Republic of China",
    "PRC": "People's Republic of China",
    "P.R.C": "People's Republic of China",
    "P.R. China": "People's Republic of China",
    "State of Israel": "Israel",
    "The Netherlands": "Netherlands",
    "Massachussets": "Massachusetts",
    "English law": "England",
    "German law": "Germany",
    "Dutch law": "Netherlands",
    "French law": "France",
    "Swiss law": "Switzerland",
    "Austrian law": "Austria",
    "Italian law": "Italy",
    "Israeli law": "Israel",
    "Bundesrepublik Deutschland": "Germany",
    "Deutschland": "Germany",
    "deutsches Recht": "Germany",
    "deutschem Recht": "Germany",
    "deutschen Recht": "Germany",
    "deutsche Recht": "Germany",
    "deutschen Rechts": "Germany",
    "Republik Österreich": "Austria",
    "österreichisches Recht": "Austria",
    "österreichischem Recht": "Austria",
    "Schweizer Recht": "Switzerland",
    "schweizerisches Recht": "Switzerland",
    "schweizerischem Recht": "Switzerland",
    "englisches Recht": "England",
    "englischem Recht": "England",
    "englischen Rechts": "England",
    "Irland": "Ireland",
    "irisches Recht": "Ireland",
    "irischem Recht": "Ireland",
    "französisches Recht": "France",
    "luxemburgisches Recht": "Luxembourg",
    "niederländisches Recht": "Netherlands",
}
_CANONICAL = {
    **{name.lower(): name for name in (*_STATES, *_COUNTRIES)},
    **{name.lower(): f"{name}, Canada" for name in _PROVINCES},
    **{name.lower(): name_used for name, name_used in _OTHER_NAMES.items()},
}
_NAME = re.compile(
    r"\b(?:"
    + "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(_CANONICAL, key=len, reverse=True))
    + r")\b",
    re.IGNORECASE,
)
_PROVINCE_COUNTRY = {f"{name}, Canada" for name in _PROVINCES}


def jurisdictions_in(text: str) -> list[str]:
    """The legal systems that `text` names, each once, by the report's name, in order."""
    names: list[str] = []
    for match in _NAME.finditer(text):
        name = _CANONICAL[" ".join(match.group().lower().split())]
        if name == "Canada" and any(found in _PROVINCE_COUNTRY for found in names):
            continue
        if name not in names:
            names.append(name)
    return names
