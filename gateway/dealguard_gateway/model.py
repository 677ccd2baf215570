"""What the API sends: a contract as its clients see it, made from the resource.

The models are the source of the OpenAPI document. What belongs here: shapes and the one translation from the resource.
What never does: HTTP and Kubernetes requests.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from dealguard_api.base import WireModel
from dealguard_api.report import DocumentInfo, FindingCounts, RiskLevel, Usage

# On the resource: the name that the file had at the person who uploaded it. Shown, never used as a path.
ANNOTATION_FILE_NAME = "dealguard.io/file-name"
MAX_FILE_NAME_CHARACTERS = 200
POLL_SECONDS = 3


class ContractStatus(StrEnum):
    """Where a contract stands, in one word."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ContractStage(StrEnum):
    """What happens at the moment."""

    QUEUED = "queued"
    STARTING = "starting"
    EXTRACTING = "extracting"
    ANALYZING = "analyzing"


class ContractOptions(WireModel):
    """What was asked for."""

    engine: Literal["auto", "claude", "rules"] = "auto"
    language: Literal["auto", "de", "en"] = "auto"
    perspective: Annotated[str | None, Field(description="Whose interests count; null: every party's.")] = None


class ContractSummary(WireModel):
    """The report in short."""

    text: str
    contract_type: str | None
    risk_level: RiskLevel
    risk_score: Annotated[int, Field(description="Likelihood × impact of the worst finding, 0 to 25.")]
    findings: FindingCounts
    engine: str
    model: str | None


class ContractFailure(WireModel):
    """Why there is no report."""

    reason: Annotated[str, Field(description="One of docs/reasons.md.")]
    message: Annotated[str, Field(description="What happened and what to do next.")]


class Contract(WireModel):
    """One contract and its analysis."""

    id: Annotated[str, Field(description="`<organization>.<name>`: a namespace has no dot.")]
    organization: Annotated[str, Field(description="The Kubernetes namespace.")]
    name: str
    file_name: Annotated[str | None, Field(description="As the file was called where it came from.")]
    status: ContractStatus
    stage: ContractStage | None
    message: Annotated[str | None, Field(description="What it waits for or does, in words, while it is not finished.")]
    suspended: bool
    submitted_by: str | None
    created_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    run: Annotated[int, Field(description="1, and one more for each rerun.")]
    attempts: Annotated[int, Field(description="How many times the present run was started.")]
    options: ContractOptions
    document: DocumentInfo | None
    summary: ContractSummary | None
    failure: ContractFailure | None
    usage: Usage | None
    reused: Annotated[bool, Field(description="Whether an earlier report of the same document was taken, at no cost.")]
    links: Annotated[
        dict[str, str],
        Field(description="Paths, by name: self, document, events, and, if there is one, report."),
    ]


class ContractPage(WireModel):
    """Some contracts of a list, in its order."""

    items: list[Contract]
    next: Annotated[str | None, Field(description="Path of the next page; null: this is the last.")]
    total: Annotated[int, Field(description="How many match, on all pages.")]


class Organization(WireModel):
    """A namespace in which the caller may see contracts."""

    name: str
    may_upload: bool


class Session(WireModel):
    """Who the caller is and what they can do from here."""

    user: Annotated[str | None, Field(description="null: nobody is logged in.")]
    organizations: list[Organization]
    login: Annotated[list[Literal["token", "oidc"]], Field(description="How one can log in.")]
    login_by_link: Annotated[
        bool,
        Field(description="Whether the page also takes a token from its address (`#token=…`): on one's own machine."),
    ]
    max_pdf_bytes: int
    expires_at: Annotated[datetime | None, Field(description="When the session of a browser ends.")] = None


class Erasure(WireModel):
    """What DELETE did, verified."""

    erased: Annotated[
        list[str],
        Field(
            description="What is gone: `analysis`, `document`, `reports`. Only what is wholly gone: no `reports` where "
            "one is kept."
        ),
    ]
    kept: Annotated[
        list[str],
        Field(
            description="What is not gone, and why, one sentence each: what other analyses still need, what a "
            "finalizer holds, what could not be looked for at the end."
        ),
    ]
