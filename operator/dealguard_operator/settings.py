"""The operator's settings: environment variables `DEALGUARD_*`, checked once at start.

`analyzer_image` is `DEALGUARD_ANALYZER_IMAGE`, and so on. The reference is docs/operator.md.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import pydantic
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from dealguard_api.environment import cannot_start, variable
from dealguard_api.pod import ClaudeSettings, ExtractSettings
from dealguard_operator.errors import SettingsError
from dealguard_operator.policies.outcome import DEFAULT_START_DEADLINE_SECONDS

_RESOURCES = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
# Kubernetes' own shape of a container's `resources`: `1` is as good as `"1"`; the API server checks the quantities.
Quantity = Annotated[str, Field(coerce_numbers_to_str=True)]
_LABEL_VALUE = r"(?:[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?)?"
_LABEL_KEY = r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?"
_REQUIREMENT = (
    rf"\s*(?:!?\s*{_LABEL_KEY}|{_LABEL_KEY}\s*(?:==?|!=)\s*{_LABEL_VALUE}|"
    rf"{_LABEL_KEY}\s+(?:not)?in\s*\(\s*{_LABEL_VALUE}(?:\s*,\s*{_LABEL_VALUE})*\s*\))\s*"
)
_LABEL_SELECTOR = re.compile(f"{_REQUIREMENT}(?:,{_REQUIREMENT})*", re.ASCII)
Resources = dict[Literal["requests", "limits"], dict[str, Quantity]]


class OperatorSettings(BaseModel):
    """What an installation chooses. No analysis can."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    # Empty: all namespaces, which needs a ClusterRole.
    namespaces: tuple[str, ...] = ()

    # A label selector: of several operators each serves its share. Empty: all analyses.
    analysis_selector: str = ""

    analyzer_image: Annotated[str, Field(min_length=1)]
    analyzer_image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    extract_resources: Resources = _RESOURCES  # type: ignore[assignment]
    analyze_resources: Resources = _RESOURCES  # type: ignore[assignment]
    # Holds the text of one contract between the two containers, in memory: the longest of CUAD has 1 MB.
    work_volume_bytes: Annotated[int, Field(gt=0)] = 256 * 1024 * 1024
    # A finished Job, its pods (and their logs) and its Secret stay that long; the operator may be away as long.
    job_ttl_seconds: Annotated[int, Field(ge=60)] = 24 * 3600

    # The endpoint as pods reach it: its host is part of what is signed.
    s3_endpoint: str
    s3_access_key: Annotated[str, Field(min_length=1)]
    s3_secret_key: SecretStr
    s3_bucket: Annotated[str, Field(min_length=3, max_length=63)]
    s3_region: Annotated[str, Field(min_length=1)] = "us-east-1"

    # A Secret in the namespace of the analysis, with that namespace's own key.
    api_key_secret_name: Annotated[str, Field(min_length=1, max_length=253)] = "dealguard-claude"  # noqa: S105
    api_key_secret_key: Annotated[str, Field(min_length=1, max_length=253)] = "api-key"  # noqa: S105

    # The installation's own key, used for every analysis instead: it is copied into the Secret of each Job.
    api_key: SecretStr | None = None

    # What the `claude` engine uses, and the limits of the `extract` container.
    claude: ClaudeSettings = ClaudeSettings()
    extract: ExtractSettings = ExtractSettings()

    # How many analyses run at the same time, in all and in one namespace. The others wait without a Job.
    max_running: Annotated[int, Field(gt=0)] | None = None
    max_running_per_namespace: Annotated[int, Field(gt=0)] | None = None
    # How long a pod may wait for what keeps it from starting: room on a node, the image, leave to be created.
    start_deadline_seconds: Annotated[int, Field(ge=10)] = DEFAULT_START_DEADLINE_SECONDS

    # Take an earlier report of the same input instead of making another. Without, the storage is never asked.
    reuse: bool = True

    # A full look at everything, beside the watches: the longest a dropped event can delay an analysis.
    resync_seconds: Annotated[float, Field(gt=0)] = 30.0
    log_format: Literal["json", "plain"] = "json"
    # No DEBUG: at that level Kopf logs the bodies of all it sees.
    log_level: Literal["INFO", "WARNING", "ERROR"] = "INFO"
    # Of several processes that serve the same analyses one writes; without, there must be one only.
    leader_election: bool = False
    lease_namespace: Annotated[str, Field(max_length=63, validate_default=True)] = ""
    # Processes that serve different analyses need different names, else all but one of them stand by.
    lease_name: Annotated[str, Field(min_length=1, max_length=253)] = "dealguard-operator"
    # How long work rests when the leader dies; a shorter one makes more of a slow API server.
    lease_duration_seconds: Annotated[int, Field(ge=5, le=300)] = 15

    # 0: no HTTP endpoints.
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8080

    @field_validator("namespaces", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part for part in value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("analysis_selector")
    @classmethod
    def _check_selector(cls, value: str) -> str:
        if value and not _LABEL_SELECTOR.fullmatch(value):
            raise ValueError("must be a label selector, such as `shard=a` or `shard notin (a, b)`")
        return value

    @field_validator("lease_namespace")
    @classmethod
    def _check_lease_namespace(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("leader_election"):
            raise ValueError("must name the operator's own namespace, where DEALGUARD_LEADER_ELECTION keeps its Lease")
        return value

    @field_validator("extract_resources", "analyze_resources", mode="before")
    @classmethod
    def _parse_json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("must be JSON, as in a container's `resources`") from None

    @field_validator("s3_endpoint")
    @classmethod
    def _check_endpoint(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("must be http(s)://host[:port], as pods reach the storage")
        return value.rstrip("/")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `environment`.

        Raises:
            SettingsError: one sentence that names each variable that is missing or has an impossible value.
        """
        values: dict[str, Any] = {
            name: value for name in cls.model_fields if (value := environment.get(variable(name)))
        }
        for composed in ("claude", "extract"):
            values.pop(composed, None)
        try:
            return cls(
                claude=ClaudeSettings.from_environment(environment),
                extract=ExtractSettings.from_environment(environment),
                **values,
            )
        except pydantic.ValidationError as error:
            raise SettingsError(cannot_start("operator", error)) from None
