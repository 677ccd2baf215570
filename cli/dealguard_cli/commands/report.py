"""`dealguard report`: fetches a stored report, checks that it is the one the status names, and shows it."""

import hashlib
import os

from pydantic import ValidationError

from dealguard_api.report import Report
from dealguard_api.resource import Phase, ReportReference
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.adapters.cluster import connect
from dealguard_cli.adapters.storage import DocumentStore, StorageSettings
from dealguard_cli.errors import AnalysisFailedError, CliReason, ExitStatus, UnavailableError
from dealguard_cli.options import ClusterOptions, program_name
from dealguard_cli.presentation import report as presentation
from dealguard_cli.presentation.details import resume_command


def run(name: str, options: ClusterOptions, output: presentation.ReportOutput | None) -> ExitStatus:
    """Show the report of `name`."""
    cluster = connect(options.kubeconfig, options.context)
    analysis = cluster.get(options.namespace or cluster.default_namespace, name)
    stored = reference(analysis)
    store = DocumentStore(StorageSettings.from_environment(os.environ))
    content = store.download_report(stored.key)
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise UnavailableError(
            CliReason.REPORT_ALTERED,
            "The stored report is not the one that the analysis wrote: its SHA-256 differs. Do not rely on it. "
            "Set spec.runToken to a new value to make it again.",
        )
    if output == "json":
        presentation.print_json(content)
    else:
        presentation.print_report(_parsed(content), output, title=analysis.name)
    return ExitStatus.OK


def reference(analysis: Analysis) -> ReportReference:
    """Where the report of `analysis` is stored.

    Raises:
        AnalysisFailedError: there is none, or none yet; the message says why.
    """
    if analysis.status.failure:
        failure = analysis.status.failure
        raise AnalysisFailedError(failure.reason, f"There is no report: {failure.message}")
    if analysis.phase is Phase.CANCELLED:
        raise AnalysisFailedError(
            "Cancelled",
            "There is no report: the analysis was cancelled. To run it after all, set spec.cancel to false and "
            "spec.runToken to a new value.",
        )
    if analysis.is_suspended:
        raise AnalysisFailedError(
            CliReason.NOT_FINISHED,
            "There is no report yet: the analysis is suspended. Set spec.suspend to false to let it go on: "
            f"`{resume_command(analysis)}`.",
        )
    if analysis.status.result is None:
        where = f"{analysis.name} -n {analysis.namespace}"
        raise AnalysisFailedError(
            CliReason.NOT_FINISHED,
            f"There is no report yet: the analysis is {analysis.phase}. Wait for it with "
            f"`kubectl wait --for=condition=Finished ca/{where}`, or look with `{program_name()} get {where}`.",
        )
    return analysis.status.result.report


def _parsed(content: bytes) -> Report:
    try:
        return Report.model_validate_json(content)
    except ValidationError as error:
        raise UnavailableError(
            CliReason.VERSION_MISMATCH,
            "The stored report has a format this dealguard does not know. Install the dealguard that belongs to the "
            "cluster's operator, or read the stored form with `-o json`.",
        ) from error
