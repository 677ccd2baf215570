"""The checks on one clause that stands alone, as a data set of standard terms or a trained model sees it."""

from dealguard_analyzer.document import ExtractedDocument, Page
from dealguard_analyzer.engines.rules.checks import Case, Check
from dealguard_analyzer.engines.rules.checks.all import ALL_CHECKS
from dealguard_analyzer.engines.rules.clauses import find_clauses, german
from dealguard_analyzer.engines.rules.facts.all import find_facts
from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_api.report import DocumentInfo

VOID_CHECKS: tuple[Check, ...] = tuple(
    check for check in ALL_CHECKS if check.standard_term or check.id in {"liability-intent-gross-negligence"}
)


def void_reasons(text: str) -> tuple[str, ...]:
    """The ids of the checks that call this clause doubtful as a German standard term towards consumers.

    Args:
        text: one clause of German standard terms, of one sentence or several, without its heading.

    Returns:
        Ids of `VOID_CHECKS`, in their order; empty if none applies. No verdict: features of one.
    """
    digest = "0" * 64  # no report is made of it
    info = DocumentInfo(sha256=digest, bytes=len(text.encode()), pages=1, language="de")
    content = ContractText(ExtractedDocument(info, (Page(1, text),)))
    clauses = find_clauses(content, [german.CATALOGUE])
    case = Case(
        text=content,
        clauses=clauses,
        facts=find_facts(content, clauses),
        german=True,
        english=False,
        german_law=True,
        consumer=True,
    )
    return tuple(check.id for check in VOID_CHECKS if check.find(case) is not None)
