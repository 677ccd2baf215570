"""Reports that the tests of models and renderers share."""

from decimal import Decimal

from dealguard_api.report import (
    Citation,
    Clause,
    DocumentInfo,
    EngineInfo,
    Fact,
    Finding,
    Language,
    Money,
    Party,
    Period,
    Renewal,
    Report,
    Severity,
    UnreadablePage,
    Usage,
    Venue,
)


def cite(quote: str, page: int = 3, verified: bool = True, end_page: int | None = None) -> Citation:
    """A citation; a verified one has offsets."""
    return Citation(
        quote=quote,
        page=page,
        start=0 if verified else None,
        end=len(quote) if verified else None,
        end_page=end_page,
        verified=verified,
    )


def report_with(text: str, language: Language = "en", *, every_page_was_read: bool = True) -> Report:
    """A report in which `text` stands wherever the contract or a model puts words."""
    not_found = ["Insurance", text]
    return Report(
        document=DocumentInfo(sha256="a" * 64, bytes=10, pages=9, language=language),
        engine=EngineInfo(name="claude", version="1.0", model="claude-sonnet-5-5"),
        perspective=text,
        contract_type=Fact(value=text, citation=cite(text, 1)),
        parties=[Party(name=text, role=text[:100], citation=cite(text, 1))],
        agreement_date=Fact(value="2024-03-31", citation=cite(text, 1)),
        initial_term=Fact(value=Period(value=Decimal(3), unit="year"), citation=cite(text)),
        renewal=Fact(value=Renewal(automatic=True, period=Period(value=Decimal(1), unit="year")), citation=cite(text)),
        notice_period=Fact(value=Period(value=Decimal(90), unit="day", reference_point=text), citation=cite(text)),
        prices=[Fact(value=Money(amount=Decimal("12500.5"), currency="EUR"), citation=cite(text))],
        governing_law=Fact(value="Germany", citation=cite(text)),
        venue=Fact(value=Venue(kind="court", place=text), citation=cite(text, verified=False)),
        clauses=[Clause(category="Anti-Assignment", citation=cite(text, 4, end_page=5), summary=text)],
        findings=[
            Finding(
                id="a",
                category="Exclusivity",
                title=text,
                severity=Severity(likelihood=5, impact=5),
                assessment="check",
                explanation=text,
                recommendation=text,
                deviation=text,
                perspective=text,
                statutes=[text],
                citations=[cite(text, 2), cite(text, 7, verified=False)],
            ),
            Finding(
                id="b",
                category=text[:100],
                title="Something is missing",
                severity=Severity(likelihood=1, impact=1),
                assessment="risk",
                explanation="It is not there.",
                recommendation="Add it.",
            ),
        ],
        absent=not_found if every_page_was_read else [],
        not_determined=["Source Code Escrow"] if every_page_was_read else ["Source Code Escrow", *not_found],
        unreadable_pages=[] if every_page_was_read else [UnreadablePage(page=8, reason=text)],
        summary=text,
        usage=Usage(cost_usd="0.25"),
    )
