"""The container `analyze`: text in, stored report out. It never sees the PDF.

A report that an earlier attempt of this run stored is used as it is, and what one has paid for without getting that far
is taken from its checkpoint: nothing is paid for twice.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from dealguard_analyzer.containers.checkpoint import StoredCheckpoint
from dealguard_analyzer.containers.handover import read_document
from dealguard_analyzer.containers.log import log
from dealguard_analyzer.containers.mounts import Mounts
from dealguard_analyzer.containers.settings import load_settings
from dealguard_analyzer.containers.storage import PresignedStorage
from dealguard_analyzer.errors import AnalysisError, PassingError
from dealguard_analyzer.pipeline import analyze_document
from dealguard_api import pod
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import AnalyzeOutcome, AnalyzeSettings, OutcomeFailure
from dealguard_api.report import Report, Usage
from dealguard_api.resource import MAX_SUMMARY_BYTES, ReportReference, Result
from dealguard_api.text import shorten_utf8

# What an engine leaves of the time until the deadline, for storing the report.
_RESERVE = timedelta(seconds=3)
_MAX_CONTRACT_TYPE_CHARACTERS = 100


class AnalyzeContainer:
    """What the container does.

    Args:
        mounts: where its files are.
        environment: its settings.
        storage: where the report goes.
    """

    name = pod.ANALYZE_CONTAINER

    def __init__(self, mounts: Mounts, environment: Mapping[str, str], storage: PresignedStorage) -> None:
        self._mounts = mounts
        self._environment = environment
        self._storage = storage
        self._checkpoint = StoredCheckpoint(mounts, storage)
        self._spent = Usage()

    def run(self, deadline: datetime) -> AnalyzeOutcome:
        """The report: an earlier attempt's, or a new one.

        Raises:
            AnalysisError: there is none.
        """
        settings = load_settings(AnalyzeSettings, self._environment)
        report_key = self._report_key(settings)
        stored = self._stored_report()
        if stored is None:
            report = self._analyze(settings, deadline)
            stored = self._store(_encode(report), deadline)
        else:
            log("found the report of an earlier attempt")
        if settings.engine != "rules":  # which has none
            self._checkpoint.discard()
        return AnalyzeOutcome(result=_result(stored, report_key), usage=self._spent)

    def failed(self, failure: OutcomeFailure) -> AnalyzeOutcome:
        """The failure, and what was spent until then."""
        return AnalyzeOutcome(failure=failure, usage=self._spent)

    def _report_key(self, settings: AnalyzeSettings) -> str:
        if settings.report_key is None:
            raise AnalysisError(ExitCode.INTERNAL_ERROR, "DEALGUARD_REPORT_KEY is not set.")
        return settings.report_key

    def _stored_report(self) -> bytes | None:
        return self._storage.get(self._mounts.read_secret(pod.REPORT_GET_URL))

    def _analyze(self, settings: AnalyzeSettings, deadline: datetime) -> Report:
        document = read_document(self._mounts.text)
        time_left = timedelta(seconds=self._storage.clock.seconds_until(deadline))
        started = time.monotonic()
        try:
            report = analyze_document(
                document,
                settings,
                self._mounts.read_api_key(),
                deadline=datetime.now(UTC) + time_left - _RESERVE,  # the engine goes by the node's clock
                on_usage=self._note_usage,
                checkpoint=self._checkpoint,
            )
        except AnalysisError as error:
            self._note_usage(error.usage or self._spent)
            if isinstance(error, PassingError):
                self._checkpoint.catch_up(deadline)
            raise
        log(
            "analysed",
            engine=report.engine.name,
            findings=len(report.findings),
            unverified_citations=report.unverified_citations,
            input_tokens=self._spent.input_tokens,
            output_tokens=self._spent.output_tokens,
            seconds=round(time.monotonic() - started, 2),
        )
        return report

    def _note_usage(self, usage: Usage) -> None:
        """Of this attempt alone: the operator adds the attempts up. The report's own usage is the run's."""
        self._spent = usage

    def _store(self, report: bytes, deadline: datetime) -> bytes:
        """Store the report; what is stored in the end, ours or one that was there before it."""
        started = time.monotonic()
        if self._storage.put_report(self._mounts.read_secret(pod.REPORT_PUT_URL), report, deadline):
            log("stored", bytes=len(report), seconds=round(time.monotonic() - started, 2))
            return report
        log("another attempt stored its report first")
        stored = self._stored_report()
        if stored is None:
            detail = "The object storage says both that the report is there and that it is not."
            raise PassingError(ExitCode.STORAGE_UNAVAILABLE, detail)
        return stored


def _encode(report: Report) -> bytes:
    return json.dumps(report.to_wire(), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _result(stored: bytes, report_key: str) -> Result:
    try:
        report = Report.model_validate_json(stored)
    except ValidationError:
        detail = f"What is stored under {report_key} is not a report of this version."
        raise AnalysisError(ExitCode.INTERNAL_ERROR, detail) from None
    contract_type = report.contract_type.value if report.contract_type else None
    return Result(
        contract_type=contract_type[:_MAX_CONTRACT_TYPE_CHARACTERS] if contract_type else None,
        risk_level=report.risk.level,
        risk_score=report.risk.score,
        findings=report.finding_counts,
        summary=shorten_utf8(report.summary, MAX_SUMMARY_BYTES),
        report=ReportReference(key=report_key, sha256=hashlib.sha256(stored).hexdigest()),
        engine=report.engine.name,
        model=report.engine.model,
    )
