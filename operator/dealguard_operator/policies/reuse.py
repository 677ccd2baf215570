"""Reuse: an analysis whose report is in storage already is completed from there, without a Job and without cost.

A pointer `cache/<namespace>/<digest of all inputs>` leads from the inputs to the result. The document among them is
named by its SHA-256, or by the version (ETag and size) that the storage shows; the engine by the one that wrote the
report, so `auto` takes what `claude` wrote: what the rules write costs nothing to write again, and a key may have come
since. A model's report stays good; the rules' is only as good as the image that holds them.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Literal

import pydantic

from dealguard_api import names
from dealguard_api.base import WireModel
from dealguard_api.pod import ClaudeSettings
from dealguard_api.reasons import Reason, explain
from dealguard_api.report import SCHEMA_VERSION, DocumentInfo, EngineName
from dealguard_api.resource import ContractAnalysisStatus, Phase, Result
from dealguard_operator.model import Analysis, DocumentVersion, Lookup, Observation, StoredReport
from dealguard_operator.policies.conditions import current_reason, set_conditions

# What a lookup said is acted on at once. What waited for a place meanwhile asks again: the report may be there by now.
_LOOKUP_GOOD_SECONDS = 20


class JobNote(WireModel):
    """What a Job keeps of the lookup before it, for the pointers to its report: an annotation, as JSON."""

    document: DocumentVersion | None = None
    inputs: dict[EngineName, str] = {}  # by the engine that may write the report: the digest of all but the document


class Pointer(WireModel):
    """What a pointer says, as JSON."""

    version: Literal[1] = 1
    result: Result
    document: DocumentInfo


def job_note(analysis: Analysis, lookup: Lookup | None, claude: ClaudeSettings, analyzer_image: str) -> str:
    """The annotation of a Job that is made after `lookup`."""
    engines: tuple[EngineName, ...] = ("claude", "rules") if analysis.spec.engine == "auto" else (analysis.spec.engine,)
    note = JobNote(
        document=lookup.document if lookup else None,
        inputs={engine: inputs_digest(analysis, engine, claude, analyzer_image) for engine in engines},
    )
    return json.dumps(note.to_wire(), separators=(",", ":"), sort_keys=True)


def inputs_digest(analysis: Analysis, engine: EngineName, claude: ClaudeSettings, analyzer_image: str) -> str:
    """The digest of everything but the document that a report of `engine` follows from."""
    maker = {"model": claude.model, "effort": claude.effort} if engine == "claude" else {"image": analyzer_image}
    inputs = {
        "namespace": analysis.namespace,
        "engine": engine,
        "language": analysis.spec.language,
        "perspective": analysis.spec.perspective,
        "schemaVersion": SCHEMA_VERSION,
        **maker,
    }
    return _digest(inputs)


def pointers_to_read(
    analysis: Analysis, version: DocumentVersion | None, claude: ClaudeSettings, analyzer_image: str
) -> list[str]:
    """Where an earlier report of the same input may be noted.

    Args:
        analysis: what is asked for.
        version: the document, as the storage shows it now; None if it has none.
        claude: the settings of the `claude` engine.
        analyzer_image: the image with the rules.
    """
    if analysis.spec.cache != "Use" or _was_answered(analysis):
        return []
    engine: EngineName = "rules" if analysis.spec.engine == "rules" else "claude"
    inputs = inputs_digest(analysis, engine, claude, analyzer_image)
    # Where a digest is asked for, the document of that digest counts, whatever lies under its key now.
    sha256 = analysis.spec.document.sha256
    token = _sha256_token(sha256) if sha256 else _version_token(version) if version else None
    return [_pointer_key(analysis.namespace, inputs, token)] if token else []


def pointers_to_write(
    analysis: Analysis, status: ContractAnalysisStatus, note_text: str, version: DocumentVersion | None
) -> list[str]:
    """Where a new report is to be noted.

    Args:
        analysis: whose report it is.
        status: its status at the end of the run.
        note_text: the annotation of the run's Job.
        version: the document, as the storage shows it now: only if that was so before the Job as well is it surely
            the one that was read, and has it the digest that was measured.
    """
    result, document = status.result, status.document
    note = _note_from(note_text)
    if result is None or document is None or note is None or (inputs := note.inputs.get(result.engine)) is None:
        return []
    tokens = [_sha256_token(document.sha256)]
    if version is not None and version == note.document and version.size_bytes == document.bytes:
        tokens.append(_version_token(version))
    return [_pointer_key(analysis.namespace, inputs, token) for token in tokens]


def pointer_to(status: ContractAnalysisStatus) -> bytes:
    """The content of a pointer to the report of `status`."""
    assert status.result is not None
    assert status.document is not None
    pointer = Pointer(result=status.result, document=status.document)
    return json.dumps(pointer.to_wire(), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def stored_report_from(analysis: Analysis, content: bytes) -> StoredReport | None:
    """What a pointer says; None if it does not speak of a report of this namespace, or is none of this version."""
    try:
        pointer = Pointer.model_validate_json(content)
    except pydantic.ValidationError:
        return None
    sha256 = analysis.spec.document.sha256
    is_ours = pointer.result.report.key.startswith(names.report_prefix(analysis.namespace))
    is_asked_for = sha256 in (None, pointer.document.sha256)
    return StoredReport(pointer.result, pointer.document) if is_ours and is_asked_for else None


def report_of_pointer(content: bytes) -> str | None:
    """The key of the report that a pointer leads to; None if it is none of this version."""
    try:
        return Pointer.model_validate_json(content).result.report.key
    except pydantic.ValidationError:
        return None


def new_report(observation: Observation, after: ContractAnalysisStatus | None) -> bool:
    """Whether `after` ends a run with a report of its own, and its Job says what that followed from."""
    is_completed = after is not None and after.phase is Phase.COMPLETED and current_reason(after) == Reason.COMPLETED
    was_completed = observation.analysis.status.phase is Phase.COMPLETED
    return is_completed and not was_completed and observation.job is not None and observation.job.reuse_note != ""


def needs_lookup(observation: Observation, now: datetime, *, may_start: bool) -> bool:
    """Whether the storage is to be asked now. Asked are all that wait, also those that wait for a place.

    Args:
        observation: a run without a Job that nothing but a place may keep from starting.
        now: the time.
        may_start: whether it has a place, so that its Job would be made now.
    """
    lookup = observation.lookup
    if lookup is None:
        return True
    if lookup.unavailable is not None:
        return lookup.retry_at is None or now >= lookup.retry_at
    return (may_start or lookup.report is not None) and not _is_fresh(lookup, now)


def report_to_take(observation: Observation, now: datetime) -> StoredReport | None:
    """The earlier report that completes the run; None if there is none, or that was said too long ago."""
    lookup = observation.lookup
    return lookup.report if lookup is not None and _is_fresh(lookup, now) else None


def completed_from_storage(
    analysis: Analysis, status: ContractAnalysisStatus, report: StoredReport, now: datetime
) -> ContractAnalysisStatus:
    """`status`, completed by an earlier report: without a start, a duration or a cost of its own."""
    result = report.result
    status = status.model_copy(
        update={
            "phase": Phase.COMPLETED,
            "stage": None,
            "finished_at": now,
            "result": result,
            "document": report.document,
        }
    )
    what = f"Risk {result.risk_level}, {result.findings.total} findings, from an earlier analysis of the same document"
    return set_conditions(
        status,
        reason=Reason.CACHED,
        message=f"{what}. The report is {result.report.key}. {explain(Reason.CACHED).next_step}",
        generation=analysis.generation,
        now=now,
    )


def _was_answered(analysis: Analysis) -> bool:
    """Whether a run before brought a report: then the new runToken asks for another one."""
    return any(run.phase is Phase.COMPLETED for run in analysis.status.runs)


def _is_fresh(lookup: Lookup, now: datetime) -> bool:
    return lookup.at is None or now - lookup.at < timedelta(seconds=_LOOKUP_GOOD_SECONDS)


def _note_from(text: str) -> JobNote | None:
    try:
        return JobNote.model_validate_json(text)
    except pydantic.ValidationError:
        return None


def _sha256_token(sha256: str) -> str:
    return f"sha256:{sha256}"


def _version_token(version: DocumentVersion) -> str:
    return f"etag:{version.etag}:{version.size_bytes}"


def _pointer_key(namespace: str, inputs: str, token: str) -> str:
    return f"{names.cache_prefix(namespace)}{_digest({'inputs': inputs, 'document': token})}"


def _digest(inputs: dict[str, str | None]) -> str:
    canonical = json.dumps(inputs, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
