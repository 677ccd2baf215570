"""Whether a sentence denies what it names: 'shall not automatically renew', 'ein Wettbewerbsverbot besteht nicht'."""

import re

_BEFORE = re.compile(r"\b(?:not|no|never|nor|without|nicht|kein\w*|ohne)\b(?P<between>(?: [\w()/-]+){0,4}) ?\W?$")
# With a verb between, the denial belongs to another statement: 'if notice is not given the term shall renew'.
_OTHER_STATEMENT = re.compile(r"\b(?:shall|will|may|must|unless|if|until|than|only|nur|sondern|wird|gilt|muss)\b")
_AFTER = re.compile(
    r"^\w*(?: [\w-]+){0,8}? nicht(?: (?:vereinbart|statt|begründet|vorgesehen))?\s*(?:[.;,]|$)"
    r"|^\w*(?: sich| er| es)? nicht\b"
    r"|^\w*(?: \w+){0,2}? (?:shall|does|do|will) not (?:apply|exist)\s*(?:[.;,]|$)"
)
_CLAUSE_END = re.compile(r"[,;:]")


def is_negated(lower: str, start: int, end: int) -> bool:
    """Whether the words at `lower[start:end]`, of a sentence in lower case, are denied within their clause."""
    clause = _CLAUSE_END.split(lower[max(0, start - 80) : start])[-1]
    before = _BEFORE.search(clause)
    if before is not None and not _OTHER_STATEMENT.search(before["between"]):
        return True
    return _AFTER.search(lower[end : end + 80]) is not None


def is_affirmed(pattern: re.Pattern[str], lower: str) -> bool:
    """Whether `pattern` matches somewhere in the sentence where it is not denied."""
    return any(not is_negated(lower, match.start(), match.end()) for match in pattern.finditer(lower))
