"""`dealguard submit`: checks files, uploads them, creates analyses, and follows them if asked to."""

import os
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from dealguard_api import names
from dealguard_api.resource import ContractAnalysisSpec, Document, Phase
from dealguard_cli.adapters.analyses import Analysis, RawObject, manifest
from dealguard_cli.adapters.cluster import Cluster, connect
from dealguard_cli.adapters.storage import DocumentStore, StorageSettings
from dealguard_cli.document_file import DocumentFile, check_files
from dealguard_cli.errors import BadInputError, CliError, CliReason, ExitStatus, InterruptedByUserError
from dealguard_cli.following import Followed, Selection, follow
from dealguard_cli.options import ClusterOptions, program_name
from dealguard_cli.presentation import details, machine, progress, table, terminal


@dataclass(frozen=True)
class SubmitRequest:
    """What was asked on the command line."""

    files: Sequence[Path]
    name: str | None
    engine: Literal["auto", "claude", "rules"]
    language: Literal["auto", "de", "en"]
    perspective: str | None
    max_cost_usd: str | None
    priority: int
    refresh: bool
    max_pdf_bytes: int
    wait: bool
    timeout_seconds: float
    output: str | None


@dataclass(frozen=True)
class _Submission:
    """One file on its way."""

    document: DocumentFile
    key: str
    manifest: RawObject


def run(request: SubmitRequest, options: ClusterOptions) -> ExitStatus:
    """Submit the files; return how it ended."""
    if request.name and len(request.files) > 1:
        raise BadInputError(CliReason.USAGE_ERROR, "--name goes with one file only. Leave it out to submit several.")
    documents = check_files(request.files, request.max_pdf_bytes)
    store = DocumentStore(StorageSettings.from_environment(os.environ))
    cluster = connect(options.kubeconfig, options.context)
    namespace = options.namespace or cluster.default_namespace

    # One label on all of them: a single watch follows them, and `kubectl get ca -l` finds them again.
    batch = secrets.token_hex(5)
    submitted_by = cluster.user_name()
    submissions = [_submission(request, document, namespace, submitted_by, batch) for document in documents]
    for each in submissions:
        # Asked before the upload: whatever the server refuses, it refuses here, and nothing is left lying around.
        cluster.create(each.manifest, dry_run=True)
    analyses = _upload_and_create(submissions, cluster, store)
    if not request.wait:
        _print_created(analyses, request.output)
        return ExitStatus.OK
    return _wait(cluster, Selection(namespace, f"{names.LABEL_SUBMISSION}={batch}"), analyses, request)


def _submission(
    request: SubmitRequest, document: DocumentFile, namespace: str, submitted_by: str | None, batch: str
) -> _Submission:
    key = document.key(namespace)
    spec = ContractAnalysisSpec(
        document=Document(key=key, sha256=document.sha256),
        engine=request.engine,
        language=request.language,
        perspective=request.perspective,
        submitted_by=submitted_by,
        max_cost_usd=request.max_cost_usd,
        priority=request.priority,
        cache="Refresh" if request.refresh else "Use",
    )
    labels = {names.LABEL_SUBMISSION: batch}
    return _Submission(document, key, manifest(spec, namespace, request.name, document.slug, labels))


def _upload_and_create(submissions: Sequence[_Submission], cluster: Cluster, store: DocumentStore) -> list[Analysis]:
    analyses: list[Analysis] = []
    try:
        for each in submissions:
            _upload(each, store)
            analyses.append(cluster.create(each.manifest))
    except CliError as error:
        error.message += _already_created(analyses)
        raise
    except KeyboardInterrupt as interrupt:
        message = f"Interrupted.{_already_created(analyses)}"
        raise InterruptedByUserError(CliReason.INTERRUPTED, message) from interrupt
    return analyses


def _already_created(analyses: Sequence[Analysis]) -> str:
    return f" Already created, and going on: {', '.join(each.name for each in analyses)}." if analyses else ""


def _upload(submission: _Submission, store: DocumentStore) -> None:
    document = submission.document
    with progress.uploading(terminal.messages(), document.path.name, document.size_bytes) as bar:
        store.upload(document, submission.key, lambda sent: bar.advance(bar.task_ids[0], sent) if bar else None)


def _print_created(analyses: Sequence[Analysis], output: str | None) -> None:
    if output:
        _print_resources(analyses, output)
        return
    console = terminal.results()
    for analysis in analyses:
        console.print(f"{analysis.resource_name} created", soft_wrap=True)
    terminal.messages().print(f"\nNext: {program_name()} get {_where(analyses)}", soft_wrap=True)


def _wait(cluster: Cluster, selection: Selection, analyses: Sequence[Analysis], request: SubmitRequest) -> ExitStatus:
    messages = terminal.messages()
    with progress.following(messages, analyses) as observer:
        followed = Followed(analyses, observer)
        try:
            for analysis in analyses:
                observer.changed(analysis)
            follow(cluster, selection, followed, request.timeout_seconds)
        except KeyboardInterrupt:
            interrupted = True
        except CliError as error:
            error.message += f" The analysis goes on: look again with `{program_name()} get {_where(analyses)}`."
            raise
        else:
            interrupted = False
    if request.output:
        _print_resources(followed.analyses, request.output)
    else:
        _print_outcomes(followed)
    return _conclude(followed, request.timeout_seconds, interrupted=interrupted)


def _print_resources(analyses: Sequence[Analysis], output: str) -> None:
    if output == "wide":
        terminal.results().print(
            table.render(analyses, datetime.now(UTC), wide=True, with_namespace=False), soft_wrap=True
        )
    else:
        machine.print_analyses(analyses, output, as_list=len(analyses) > 1)


def _print_outcomes(followed: Followed) -> None:
    console = terminal.results()
    finished = [analysis for analysis in followed.analyses if analysis.is_finished]
    for analysis in finished:
        details.print_outcome(console, analysis)
        console.print()
    for analysis in finished:
        if command := details.next_step(analysis, program_name()):
            terminal.messages().print(f"Next: {command}", soft_wrap=True)


def _conclude(followed: Followed, timeout_seconds: float, *, interrupted: bool) -> ExitStatus:
    """Say what is left to say, and choose the exit status: the worst of all outcomes."""
    messages = terminal.messages()
    unfinished = followed.unfinished
    if unfinished:
        why = "Stopped waiting" if interrupted else f"Not finished after {timeout_seconds:g} s"
        goes_on = "the analysis goes on" if len(unfinished) == 1 else f"{len(unfinished)} analyses go on"
        messages.print(
            f"{why}; {goes_on} in the cluster.\nNext: {program_name()} get {_where(unfinished)}", soft_wrap=True
        )
        return ExitStatus.INTERRUPTED if interrupted else ExitStatus.WAIT_TIMEOUT
    if any(followed.is_deleted(analysis) for analysis in followed.analyses):
        messages.print(
            "An analysis was deleted before it finished. Submit its file again if you still want it.", soft_wrap=True
        )
        return ExitStatus.NOT_FOUND
    completed = all(analysis.phase is Phase.COMPLETED for analysis in followed.analyses)
    return ExitStatus.OK if completed else ExitStatus.ANALYSIS_FAILED


def _where(analyses: Sequence[Analysis]) -> str:
    """Arguments that show these again: one by its name, several as a list."""
    name = f"{analyses[0].name} " if len(analyses) == 1 else ""
    return f"{name}-n {shlex.quote(analyses[0].namespace)}"
