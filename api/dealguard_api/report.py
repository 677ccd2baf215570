"""The report: what an analysis says about a contract, and where in the document each statement stands.

A report is a function of the document's bytes and the analysis's parameters: it carries no time of its own, so the
same input gives the same report. Its JSON form is versioned by `schemaVersion`.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar

from pydantic import Field, PlainSerializer, WithJsonSchema, computed_field, model_validator

from dealguard_api.base import WireModel

SCHEMA_VERSION: Final = "dealguard.io/report/v1alpha1"

# datetime.date would do for dates, but a contract may name a month or a year alone.
IsoDate = Annotated[
    str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$", description="ISO 8601: YYYY, YYYY-MM or YYYY-MM-DD.")
]
# Written out in digits ("100", never "1E+2"), and bounded, so that whatever a model says can be printed.
PlainDecimal = Annotated[
    Decimal,
    Field(max_digits=20, decimal_places=6),
    PlainSerializer(lambda number: format(number, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d{1,20}(\.\d{1,6})?$"}, mode="serialization"),
]
Language = Literal["de", "en"]
EngineName = Literal["claude", "rules"]
ValueT = TypeVar("ValueT")


class Rectangle(WireModel):
    """An area of a page, in PDF points (1/72 inch) from the page's lower left corner."""

    page: Annotated[int, Field(ge=1)]
    x0: float
    y0: float
    x1: float
    y1: float


class Citation(WireModel):
    """A passage of the document, word for word.

    `verified` says that code found the quote in the extracted text, not who wrote it; page, offsets and rectangles are
    only then trustworthy.
    """

    quote: Annotated[str, Field(max_length=4000)]
    page: Annotated[int, Field(ge=1, description="The page the quote starts on, counted from 1.")]
    start: Annotated[int | None, Field(ge=0, description="Offset of its first character in that page's text.")] = None
    end: Annotated[int | None, Field(ge=0, description="Offset after its last character, on its last page.")] = None
    end_page: Annotated[int | None, Field(ge=1, description="The page it ends on, where that is another one.")] = None
    rectangles: list[Rectangle] = []
    verified: Annotated[bool, Field(description="Whether code found the quote in the extracted text.")] = False

    @property
    def last_page(self) -> int:
        """The page the quote ends on."""
        return self.end_page or self.page

    @model_validator(mode="after")
    def _stands_where_it_says(self) -> Self:
        if self.last_page < self.page or (self.end_page is not None and self.end_page == self.page):
            raise ValueError("endPage must come after page: leave it out where the quote ends on the page it starts on")
        if not self.verified:
            return self
        if self.start is None or self.end is None:
            raise ValueError("a verified citation has start and end: set them, or leave it unverified")
        if self.end_page is None and self.end <= self.start:
            raise ValueError("end must come after start")
        return self


class Fact(WireModel, Generic[ValueT]):
    """A normalised value and the passage that states it."""

    value: ValueT
    citation: Citation


class Party(WireModel):
    """Somebody who is bound by the contract."""

    name: Annotated[str, Field(max_length=300)]
    role: Annotated[str | None, Field(max_length=100, description="As the contract names it: 'Licensee'.")] = None
    citation: Citation


class Period(WireModel):
    """A length of time, as the contract states it: 'three months' stays three months, not 90 days."""

    value: Annotated[PlainDecimal, Field(gt=0)]
    unit: Literal["day", "businessDay", "week", "month", "quarter", "year"]
    reference_point: Annotated[
        str | None, Field(max_length=300, description="From when, or to when, it counts: 'to the end of a quarter'.")
    ] = None


class Renewal(WireModel):
    """What happens when the initial term ends."""

    automatic: bool
    period: Period | None = None


class Money(WireModel):
    """An amount in one currency (ISO 4217)."""

    amount: PlainDecimal
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Venue(WireModel):
    """Where and before whom disputes are decided."""

    kind: Literal["court", "arbitration"]
    place: Annotated[str | None, Field(max_length=200)] = None
    institution: Annotated[str | None, Field(max_length=200)] = None


class Clause(WireModel):
    """A passage that belongs to a category: one of CUAD's 41 by its name, or a German topic."""

    category: Annotated[str, Field(max_length=100)]
    citation: Citation
    summary: Annotated[str | None, Field(max_length=1000)] = None
    confidence: Annotated[float | None, Field(ge=0, le=1)] = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def quote(self) -> str:
        """The citation's words, for readers that need no more."""
        return self.citation.quote

    @computed_field  # type: ignore[prop-decorator]
    @property
    def page(self) -> int:
        """The citation's page, from 1."""
        return self.citation.page


class RiskLevel(StrEnum):
    """The four colours of a risk table (green, yellow, orange, red), and the absence of any finding.

    `NoneFound` is not `Low`: an engine that found nothing does not say that there is nothing.
    """

    NONE_FOUND = "NoneFound"
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"
    CRITICAL = "Critical"

    @classmethod
    def of(cls, score: int) -> "RiskLevel":
        """The level of a score of the 5 × 5 matrix: up to 4 low, up to 9 medium, up to 16 high, 20 and 25 critical."""
        if score <= 0:
            return cls.NONE_FOUND
        return next(level for limit, level in _LIMITS if score <= limit)


_LIMITS = ((4, RiskLevel.LOW), (9, RiskLevel.MEDIUM), (16, RiskLevel.HIGH), (25, RiskLevel.CRITICAL))


class Severity(WireModel):
    """How much a finding matters: likelihood × impact, each from 1 to 5."""

    likelihood: Annotated[int, Field(ge=1, le=5)]
    impact: Annotated[int, Field(ge=1, le=5)]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def score(self) -> int:
        """From 1 to 25."""
        return self.likelihood * self.impact

    @computed_field  # type: ignore[prop-decorator]
    @property
    def level(self) -> RiskLevel:
        """The colour of the score."""
        return RiskLevel.of(self.score)


class Finding(WireModel):
    """Something in the contract, or missing from it, that may hurt a party."""

    id: Annotated[str, Field(max_length=64, description="Deterministic: the same finding in the same document.")]
    category: Annotated[str, Field(max_length=100)]
    title: Annotated[str, Field(max_length=200)]
    severity: Severity
    assessment: Annotated[
        Literal["risk", "check"],
        Field(description="'risk': stands in the text as described. 'check': doubtful, a lawyer should look."),
    ]
    explanation: Annotated[str, Field(max_length=2000)]
    recommendation: Annotated[str, Field(max_length=2000)]
    deviation: Annotated[str | None, Field(max_length=1000, description="How it departs from a balanced position.")] = (
        None
    )
    perspective: Annotated[str | None, Field(max_length=120, description="The party it hurts.")] = None
    statutes: list[Annotated[str, Field(max_length=100)]] = []
    citations: Annotated[
        list[Citation],
        Field(
            description="Empty where there is nothing to quote: the finding is that something is missing, or that the "
            "file carries something beside its pages."
        ),
    ] = []


class FindingCounts(WireModel):
    """How many findings there are of each level."""

    critical: Annotated[int, Field(ge=0, description="Findings of level Critical.")] = 0
    high: Annotated[int, Field(ge=0, description="Findings of level High.")] = 0
    medium: Annotated[int, Field(ge=0, description="Findings of level Medium.")] = 0
    low: Annotated[int, Field(ge=0, description="Findings of level Low.")] = 0
    total: Annotated[int, Field(ge=0, description="Findings of every level.")] = 0


class UnreadablePage(WireModel):
    """A page that no statement of the report speaks of."""

    page: Annotated[int, Field(ge=1)]
    reason: Annotated[str, Field(max_length=200)]


class DocumentInfo(WireModel):
    """The document that was read."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Digest of the file's bytes.")]
    bytes: Annotated[int, Field(ge=0, description="Size of the file.")]
    pages: Annotated[int, Field(ge=0, description="Number of pages, readable or not.")]
    language: Annotated[Language | None, Field(description="Language of the text; unset if it is neither.")] = None


class Usage(WireModel):
    """What an engine consumed. The `rules` engine consumes nothing."""

    input_tokens: Annotated[int, Field(ge=0, description="Input tokens that the prompt cache had no part in.")] = 0
    output_tokens: Annotated[int, Field(ge=0, description="Output tokens, thinking included.")] = 0
    cache_read_tokens: Annotated[int, Field(ge=0, description="Input tokens read from the prompt cache.")] = 0
    cache_write_tokens: Annotated[int, Field(ge=0, description="Input tokens written to the prompt cache.")] = 0
    cost_usd: Annotated[
        str | None,
        Field(
            alias="costUSD",
            pattern=r"^\d{1,6}(\.\d{1,6})?$",
            description="Cost in USD, a decimal number; unset if tokens were used and the model's price is not known.",
            # Not "0": where tokens were used, silence about the cost must not read as "it was free".
            default_factory=lambda used: None if any(used.values()) else "0",
        ),
    ]

    @property
    def cost(self) -> Decimal | None:
        """`cost_usd` as a number; None if it is not known."""
        return None if self.cost_usd is None else Decimal(self.cost_usd)

    def __add__(self, other: "Usage") -> "Usage":
        known = self.cost is not None and other.cost is not None
        cost = (self.cost or Decimal()) + (other.cost or Decimal())
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            cost_usd=format(cost.normalize(), "f") if known else None,
        )


class EngineInfo(WireModel):
    """What produced the report."""

    name: EngineName
    version: Annotated[str, Field(max_length=100, description="Version of the engine's rules, weights or prompt.")]
    model: Annotated[str | None, Field(max_length=100)] = None


class Risk(WireModel):
    """The report in one word and one number: its worst finding."""

    level: RiskLevel
    score: Annotated[int, Field(ge=0, le=25)]


class Report(WireModel):
    """Everything an analysis found. What it looked for and did not find, or could not decide, is named as well."""

    schema_version: Literal["dealguard.io/report/v1alpha1"] = SCHEMA_VERSION
    document: DocumentInfo
    engine: EngineInfo
    perspective: Annotated[
        str | None, Field(max_length=120, description="The party whose risks count; unset for every party.")
    ] = None
    is_contract: Annotated[
        bool,
        Field(description="False where the text does not look like a contract: then it was not examined as one."),
    ] = True

    contract_type: Fact[str] | None = None
    parties: list[Party] = []
    agreement_date: Fact[IsoDate] | None = None
    effective_date: Fact[IsoDate] | None = None
    expiration_date: Fact[IsoDate] | None = None
    initial_term: Fact[Period] | None = None
    renewal: Fact[Renewal] | None = None
    notice_period: Fact[Period] | None = None
    prices: list[Fact[Money]] = []
    price_adjustment: Fact[str] | None = None
    governing_law: Fact[str] | None = None
    venue: Fact[Venue] | None = None

    clauses: list[Clause] = []
    findings: list[Finding] = []
    absent: Annotated[
        list[str], Field(description="Categories looked for on every page and not found. Never one of `clauses`.")
    ] = []
    not_determined: Annotated[
        list[str], Field(description="Facts and categories that this engine could not decide or does not look for.")
    ] = []
    unreadable_pages: Annotated[
        list[UnreadablePage], Field(description="Pages without text that could be read, and why.")
    ] = []

    summary: Annotated[str, Field(max_length=4000, description="In the contract's language.")]
    usage: Usage = Usage()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def risk(self) -> Risk:
        """The worst finding's score and level."""
        score = max((finding.severity.score for finding in self.findings), default=0)
        return Risk(level=RiskLevel.of(score), score=score)

    @computed_field(description="How many citations are not verified.")  # type: ignore[prop-decorator]
    @property
    def unverified_citations(self) -> int:
        """How many statements rest on words that code did not find in the document."""
        return sum(not citation.verified for citation in self.citations())

    def citations(self) -> Iterator[Citation]:
        """Every citation of the report: the facts', the parties', the clauses', the findings'."""
        yield from (fact.citation for fact in self._facts())
        yield from (party.citation for party in self.parties)
        yield from (clause.citation for clause in self.clauses)
        for finding in self.findings:
            yield from finding.citations

    def _facts(self) -> Iterator[Fact[Any]]:
        single = (self.contract_type, self.agreement_date, self.effective_date, self.expiration_date)
        terms = (self.initial_term, self.renewal, self.notice_period)
        for fact in (*single, *terms, *self.prices, self.price_adjustment, self.governing_law, self.venue):
            if fact is not None:
                yield fact

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if any(citation.verified and citation.last_page > self.document.pages for citation in self.citations()):
            raise ValueError("a verified citation stands on a page that the document does not have")
        if any(unreadable.page > self.document.pages for unreadable in self.unreadable_pages):
            raise ValueError("a page that the document does not have is called unreadable")
        absent = set(self.absent)
        if absent & {clause.category for clause in self.clauses}:
            raise ValueError("a category is called absent and has a clause")
        if absent & set(self.not_determined):
            raise ValueError("a category is called absent and not determined")
        if absent and self.unreadable_pages:
            raise ValueError("nothing can be absent while pages are unread: name it as not determined")
        if absent and not self.is_contract:
            raise ValueError("nothing can be absent from what is no contract: name it as not determined")
        return self

    @property
    def finding_counts(self) -> FindingCounts:
        """The number of findings of each level."""
        levels = [finding.severity.level for finding in self.findings]
        return FindingCounts(
            critical=levels.count(RiskLevel.CRITICAL),
            high=levels.count(RiskLevel.HIGH),
            medium=levels.count(RiskLevel.MEDIUM),
            low=levels.count(RiskLevel.LOW),
            total=len(levels),
        )
