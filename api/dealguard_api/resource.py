"""The `ContractAnalysis` resource, v1alpha1: `spec` is what is asked, `status` is what the operator observed.

These models are the one source of the CustomResourceDefinition (`crd.py` renders `crds/`), so descriptions and bounds
are written here. A field with `immutable=True` cannot be changed, added or removed after creation.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from dealguard_api.base import WireModel
from dealguard_api.conditions import Condition
from dealguard_api.report import DocumentInfo, EngineName, FindingCounts, RiskLevel, Usage

# A summary has to fit into the status, which stays under 8 KB, and into a termination message.
MAX_SUMMARY_BYTES = 800

IMMUTABLE: dict[str, Any] = {"x-dealguard-immutable": True}

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]
ReasonField = Annotated[str, Field(max_length=64, description="Why, as a CamelCase word programs may match on.")]
Message = Annotated[str, Field(max_length=1024, description="Why, in words, with the next step.")]


class Phase(StrEnum):
    """Where an analysis stands, in one word."""

    PENDING = "Pending"
    PROCESSING = "Processing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in (Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED)


class Stage(StrEnum):
    """What happens at the moment in an analysis that is not finished."""

    QUEUED = "Queued"
    STARTING = "Starting"
    EXTRACTING = "Extracting"
    ANALYZING = "Analyzing"


class Document(WireModel):
    """Where the contract is."""

    key: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=900,
            # Printable, without a backslash: storage systems and shells disagree on the rest.
            pattern=r"^documents/[^\x00-\x1f\x7f\\]+$",
            description=(
                "Key of the PDF in the installation's bucket. It must lie under documents/<namespace>/ and have no "
                "empty, '.' or '..' part."
            ),
        ),
    ] = None
    sha256: Annotated[
        Sha256 | None,
        Field(description="SHA-256 of the PDF's bytes, in lower-case hexadecimal. If set, other bytes are refused."),
    ] = None


class ContractAnalysisSpec(WireModel):
    """What to analyse and how. `suspend`, `cancel`, `runToken`, `priority`, `ttlSecondsAfterFinished` can change."""

    document: Annotated[Document, Field(description="The contract to analyse.", json_schema_extra=IMMUTABLE)]
    engine: Annotated[
        Literal["auto", "claude", "rules"],
        Field(
            description=(
                "claude: Anthropic's Claude. rules: offline, deterministic, no key. "
                "auto: claude where the namespace has an API key, else rules."
            ),
            json_schema_extra=IMMUTABLE,
        ),
    ] = "auto"
    language: Annotated[
        Literal["auto", "de", "en"],
        Field(
            description="Language of the contract and its report. auto: as the text is.", json_schema_extra=IMMUTABLE
        ),
    ] = "auto"
    perspective: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=120,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description=(
                "The party whose interests count: its role in the contract ('Licensee', 'Käufer') or its name. "
                "Unset: risks to every party."
            ),
            json_schema_extra=IMMUTABLE,
        ),
    ] = None
    submitted_by: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=253,
            description="User name of who asked for the analysis, as the API server knows it.",
            json_schema_extra=IMMUTABLE,
        ),
    ] = None
    cache: Annotated[
        Literal["Use", "Refresh"],
        Field(
            description=(
                "Use: a stored report for the same document and settings is taken, at no cost. Refresh: analyse again."
            ),
            json_schema_extra=IMMUTABLE,
        ),
    ] = "Use"
    max_cost_usd: Annotated[
        str | None,
        Field(
            alias="maxCostUSD",
            max_length=12,
            pattern=r"^\d{1,6}(\.\d{1,4})?$",
            description='Most that one run may cost, in USD, as a decimal number in quotes: "0.50". Unset: no limit.',
            json_schema_extra=IMMUTABLE,
        ),
    ] = None
    deadline_seconds: Annotated[
        int,
        Field(
            ge=10,
            le=3600,
            description="Seconds that all attempts of a run share, counted from the Job's start.",
            json_schema_extra=IMMUTABLE,
        ),
    ] = 300
    backoff_limit: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            description="How many times a failed attempt is repeated. Errors that would repeat are not.",
            json_schema_extra=IMMUTABLE,
        ),
    ] = 3
    suspend: Annotated[
        bool, Field(description="true: it waits, and stops if it runs. false: it goes on, from the start.")
    ] = False
    cancel: Annotated[
        bool, Field(description="true: ends the analysis. Back to false only together with a new runToken.")
    ] = False
    run_token: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[A-Za-z0-9._:-]+$",
            description="Any word. A finished analysis runs again when it changes.",
        ),
    ] = None
    priority: Annotated[
        int,
        Field(
            ge=-1000,
            le=1000,
            description=(
                "Among waiting analyses of a namespace, higher ones start first; among equal ones, who waits longest."
            ),
        ),
    ] = 0
    ttl_seconds_after_finished: Annotated[
        int | None,
        Field(ge=0, le=315_360_000, description="Seconds from its end to its deletion. Unset: never."),
    ] = None


class ReportReference(WireModel):
    """Where the report is."""

    key: Annotated[str, Field(max_length=1024, description="Key of the report (JSON) in the installation's bucket.")]
    sha256: Annotated[Sha256, Field(description="SHA-256 of the report's bytes.")]


class Result(WireModel):
    """The report in short."""

    contract_type: Annotated[str | None, Field(max_length=100, description="What kind of contract it is.")] = None
    risk_level: Annotated[RiskLevel, Field(description="Level of the worst finding.")]
    risk_score: Annotated[int, Field(ge=0, le=25, description="Likelihood × impact of the worst finding.")]
    findings: Annotated[FindingCounts, Field(description="Number of findings of each level.")]
    summary: Annotated[
        str, Field(max_length=MAX_SUMMARY_BYTES, description="The report's summary, at most 800 bytes of UTF-8.")
    ]
    report: Annotated[ReportReference, Field(description="The full report.")]
    engine: Annotated[EngineName, Field(description="The engine that wrote it.")]
    model: Annotated[str | None, Field(max_length=100, description="The model, for the claude engine.")] = None


class Failure(WireModel):
    """Why there is no report."""

    reason: ReasonField
    message: Message


class Attempt(WireModel):
    """One pod of the present run."""

    pod_name: Annotated[str, Field(max_length=253, description="The pod.")]
    reason: ReasonField
    exit_code: Annotated[int | None, Field(description="Exit code of the container that ended the attempt.")] = None
    started_at: Annotated[datetime | None, Field(description="When the pod's first container started.")] = None
    seconds: Annotated[int | None, Field(ge=0, description="How long it ran.")] = None
    usage: Annotated[Usage | None, Field(description="What it consumed.")] = None


class Run(WireModel):
    """An earlier run, kept for the record."""

    run: Annotated[int, Field(ge=1, description="Its number.")]
    run_token: Annotated[str | None, Field(max_length=64, description="The runToken that asked for it.")] = None
    phase: Annotated[Phase, Field(description="How it ended.")]
    reason: ReasonField
    started_at: Annotated[datetime | None, Field(description="When its Job started.")] = None
    finished_at: Annotated[datetime | None, Field(description="When it ended.")] = None
    report: Annotated[ReportReference | None, Field(description="Its report.")] = None
    usage: Annotated[Usage | None, Field(description="What all its attempts consumed.")] = None


class ContractAnalysisStatus(WireModel):
    """What the operator observed. Under 8 KB: the report itself is in object storage."""

    @property
    def has_ended(self) -> bool:
        """Whether the present run is over; nothing has begun before the first status."""
        return self.phase is not None and self.phase.is_terminal

    phase: Annotated[Phase | None, Field(description="Pending, Processing, Completed, Failed or Cancelled.")] = None
    stage: Annotated[Stage | None, Field(description="What happens at the moment; unset once finished.")] = None
    observed_generation: Annotated[
        int | None, Field(ge=0, description="The metadata.generation that this status speaks of.")
    ] = None
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=8,
            description="Ready, Reconciling, Stalled and Finished.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = []
    run: Annotated[int | None, Field(ge=1, description="Number of the present run, from 1.")] = None
    run_token: Annotated[str | None, Field(max_length=64, description="The spec.runToken of the present run.")] = None
    runs: Annotated[
        list[Run],
        Field(
            max_length=5,
            description="The runs before, newest last.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = []
    attempts: Annotated[
        list[Attempt],
        Field(
            max_length=16,
            description="The ended pods of the present run, oldest first.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = []
    attempt_count: Annotated[int | None, Field(ge=0, description="Number of pods the present run has started.")] = None
    job_name: Annotated[str | None, Field(max_length=63, description="The present run's Job.")] = None
    job_count: Annotated[
        int | None, Field(ge=1, description="Number of the present run's Job: above 1 after it was suspended.")
    ] = None
    queued_at: Annotated[datetime | None, Field(description="When the present run was asked for.")] = None
    started_at: Annotated[datetime | None, Field(description="When the present run's Job started.")] = None
    finished_at: Annotated[datetime | None, Field(description="When the present run ended.")] = None
    duration_seconds: Annotated[int | None, Field(ge=0, description="From startedAt to finishedAt.")] = None
    document: Annotated[DocumentInfo | None, Field(description="The document, as it was read.")] = None
    result: Annotated[Result | None, Field(description="The report in short; set when Completed.")] = None
    usage: Annotated[Usage | None, Field(description="What all attempts of the present run consumed.")] = None
    failure: Annotated[Failure | None, Field(description="Why there is no report; set when Failed.")] = None
