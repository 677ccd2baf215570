"""The interface between the operator and the analysis pod: environment, files, termination messages.

The operator writes the environment and the Secret; the analyzer reads them, and answers with exit codes
(`exit_codes.py`) and a termination message. Neither knows more of the other.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from dealguard_api.base import WireModel
from dealguard_api.prices import PriceTable
from dealguard_api.report import DocumentInfo, Usage
from dealguard_api.resource import Result

EXTRACT_CONTAINER = "extract"
ANALYZE_CONTAINER = "analyze"

# The volume with the keys of the Job's Secret that `extract` sees: the Job names its Secret here.
EXTRACT_VOLUME = "extract-job"

# Files that the operator's volumes put before the containers. Each container sees only its own keys of the Secret.
SECRET_MOUNT_PATH = "/run/dealguard/job"  # noqa: S105 - a path
API_KEY_MOUNT_PATH = "/run/dealguard/api-key"
API_KEY_FILE = "api-key"  # under it, whatever the key is called in its Secret
WORK_MOUNT_PATH = "/run/dealguard/work"  # in memory; holds the extracted text between the two containers
TERMINATION_MESSAGE_PATH = "/dev/termination-log"

# Keys of the Job's Secret, and so names of the files under SECRET_MOUNT_PATH.
DOCUMENT_URL = "document-url"  # presigned GET of the PDF; extract
REPORT_GET_URL = "report-get-url"  # presigned GET of this run's report, if an earlier attempt stored it; analyze
REPORT_PUT_URL = "report-put-url"  # presigned PUT of the report, to be sent with `If-None-Match: *`; analyze
# Presigned GET, PUT and DELETE of what an attempt has paid for so far, for the next one; analyze.
CHECKPOINT_GET_URL = "checkpoint-get-url"
CHECKPOINT_PUT_URL = "checkpoint-put-url"
CHECKPOINT_DELETE_URL = "checkpoint-delete-url"
DEADLINE = "deadline"  # RFC 3339 time at which the Job ends; both

EXTRACT_SECRET_KEYS = (DOCUMENT_URL, DEADLINE)
ANALYZE_SECRET_KEYS = (
    REPORT_GET_URL,
    REPORT_PUT_URL,
    CHECKPOINT_GET_URL,
    CHECKPOINT_PUT_URL,
    CHECKPOINT_DELETE_URL,
    DEADLINE,
)

# The kubelet keeps the last 4,096 bytes of a message, and 12,288 are shared by all containers of a pod.
MAX_TERMINATION_MESSAGE_BYTES = 2000


class Environment(WireModel):
    """Settings that travel as environment variables: `max_pages` is `DEALGUARD_MAX_PAGES`; unset ones are left out."""

    PREFIX: ClassVar[str] = "DEALGUARD_"

    def to_environment(self) -> dict[str, str]:
        """Variable name to value, for the fields that are set."""
        values = self.model_dump(mode="json", by_alias=False, exclude_none=True)
        return {
            f"{self.PREFIX}{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in values.items()
        }

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `environment`; what is missing keeps its default.

        Raises:
            pydantic.ValidationError: a variable has a value that its field does not allow.
        """
        names = {name: f"{cls.PREFIX}{name.upper()}" for name in cls.model_fields}
        return cls.model_validate({name: environment[key] for name, key in names.items() if environment.get(key)})


class RunIdentity(Environment):
    """Which run it is, for the containers' log lines: with these the operator's lines about it carry, too."""

    analysis_uid: str | None = None
    analysis_namespace: str | None = None
    analysis_name: str | None = None
    run: Annotated[int | None, Field(ge=1)] = None


class ExtractSettings(Environment):
    """What the `extract` container is told."""

    expected_sha256: str | None = None
    max_pdf_bytes: Annotated[int, Field(gt=0)] = 100 * 1024 * 1024  # what the gateway lets a browser upload
    max_pages: Annotated[int, Field(gt=0)] = 2000  # the longest contract of CUAD has 170
    max_seconds_per_page: Annotated[float, Field(gt=0)] = 5.0  # of CPU time; a dense page takes 20 ms
    max_seconds: Annotated[float, Field(gt=0)] = 120.0  # for the whole document; 2,000 dense pages take 40 s
    max_memory_bytes: Annotated[int, Field(gt=0)] = 512 * 1024 * 1024


class ClaudeSettings(Environment):
    """What an installation chooses for the `claude` engine; docs/claude.md explains each."""

    model: Annotated[str, Field(min_length=1, max_length=100)] = "claude-sonnet-5-5"
    effort: Literal["low", "medium", "high", "xhigh", "max"] = "medium"  # how long the model thinks; billed as output
    max_output_tokens: Annotated[int, Field(ge=4_000)] = 32_000  # a report of 60 findings has some 15,000
    # Of one request, instructions (some 1,800) included; what is longer is read in windows. Unset: the model's limit.
    max_input_tokens: Annotated[int | None, Field(ge=10_000)] = None
    prices: PriceTable | None = None  # over those that this version knows
    anthropic_base_url: str | None = None  # unset: the SDK's default


class AnalyzeSettings(ClaudeSettings):
    """What the `analyze` container is told: the installation's choices and the analysis's own."""

    engine: Literal["auto", "claude", "rules"] = "auto"
    language: Literal["auto", "de", "en"] = "auto"
    perspective: str | None = None
    max_cost_usd: str | None = None
    api_key_secret: str | None = None  # "<namespace>/<name>", to name it in messages; never the key
    api_key_secret_key: str = "api-key"  # noqa: S105 - under which name the key is in that Secret, for messages
    report_key: str | None = None  # where the report is stored, for the termination message


class ExtractOutcome(WireModel):
    """Termination message of `extract`."""

    document: DocumentInfo | None = None
    failure: "OutcomeFailure | None" = None


class AnalyzeOutcome(WireModel):
    """Termination message of `analyze`."""

    result: Result | None = None
    usage: Usage | None = None
    failure: "OutcomeFailure | None" = None


class OutcomeFailure(WireModel):
    """Why a container gave up. The exit code decides; this gives the words."""

    reason: Annotated[str, Field(max_length=64)]
    message: Annotated[str, Field(max_length=1000)]


def parse_deadline(text: str) -> datetime:
    """The time in the Secret's `deadline` file.

    Raises:
        ValueError: `text` is not an RFC 3339 time with an offset.
    """
    deadline = datetime.fromisoformat(text.strip())
    if deadline.tzinfo is None:
        raise ValueError("the deadline has no time zone")
    return deadline


ExtractOutcome.model_rebuild()
AnalyzeOutcome.model_rebuild()
