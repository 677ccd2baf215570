"""All that the cluster knows about one analysis, as far as the caller may see it.

What is refused or gone never ends the search: it becomes a sentence beside what was found.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from dealguard_api import names
from dealguard_api.untrusted import Raw
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.adapters.cluster import Cluster
from dealguard_cli.adapters.operator_log import MAX_PODS, SELECTOR, OperatorLog, Wanted
from dealguard_cli.adapters.workloads import (
    ContainerLog,
    EventSeen,
    Evidence,
    JobSeen,
    PodSeen,
    event_from,
    job_from,
    pod_from,
)
from dealguard_cli.errors import BadInputError, CliError, CliReason, NotFoundError, UnavailableError

# An analysis logs some ten lines; a container that wrote this much is not ours any more.
_MAX_LOG_LINES, _MAX_LOG_BYTES = 1_000, 256 * 1024
_MAX_ITEMS = 500

_POD_OF_EVENT = re.compile("Created pod: ([-a-z0-9.]+)")

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """What is asked about.

    Args:
        run: None for the present run.
        operator_namespace: where the operator's log is; None to look for it.
    """

    namespace: str
    name: str
    run: int | None = None
    with_logs: bool = True
    operator_namespace: str | None = None


def gather(cluster: Cluster, question: Question) -> tuple[Evidence, CliError | None]:
    """The evidence, and why the analysis itself cannot be shown, if it cannot.

    Raises:
        CliError: the cluster cannot be asked at all, or has no such run.
    """
    try:
        analysis, absence = cluster.get(question.namespace, question.name), None
    except CliError as error:
        if error.reason not in (CliReason.NOT_FOUND, CliReason.FORBIDDEN):
            raise
        analysis, absence = None, error
    if analysis is not None and question.run is not None:
        _check_run(analysis, question.run)
    return _Search(cluster, question, analysis).evidence(), absence


def _check_run(analysis: Analysis, run: int) -> None:
    present = analysis.status.run or 1
    if not 1 <= run <= present:
        there_are = "run 1 alone" if present == 1 else f"runs 1 to {present}"
        raise BadInputError(
            CliReason.USAGE_ERROR, f"{analysis.name} has no run {run}. It has {there_are}: correct --run."
        )


class _Search:
    """One search; it notes what it was refused."""

    def __init__(self, cluster: Cluster, question: Question, analysis: Analysis | None) -> None:
        self._cluster = cluster
        self._question = question
        self._analysis = analysis
        self._refusals: list[str] = []
        self._refused: set[str] = set()  # kinds, so that each is asked for once

    def evidence(self) -> Evidence:
        """Ask for everything, in an order in which each answer says what to ask for next."""
        jobs = self._workloads("jobs", f"/apis/batch/v1/namespaces/{self._namespace}/jobs", job_from)
        pods = self._workloads("pods", f"/api/v1/namespaces/{self._namespace}/pods", pod_from)
        events = self._events(jobs, pods)
        uid = self._uid(jobs, pods, events)
        run = self._run(jobs, pods)
        jobs = [job for job in jobs if job.analysis_uid == uid and job.run == run]
        known_jobs = {job.name for job in jobs} | self._job_names()
        pods = [
            pod
            for pod in pods
            # The label alone is anybody's to set.
            if pod.analysis_uid == uid and pod.run == run and (not known_jobs or pod.job_name in known_jobs)
        ]
        others = {job.uid for job in jobs} | {pod.uid for pod in pods}
        gone = self._names_of_gone(jobs, pods, events, run)
        events = [
            each
            for each in events
            if (each.uid == uid if each.kind == names.KIND else each.uid in others or each.name in gone)
        ]
        return Evidence(
            namespace=self._namespace,
            name=self._question.name,
            uid=uid,
            run=run,
            analysis=self._analysis,
            jobs=tuple(sorted(jobs, key=lambda job: job.name)),
            pods=tuple(sorted(pods, key=lambda pod: (str(pod.created_at), pod.name))),
            events=tuple(events),
            logs=tuple(self._logs(pods)) if self._question.with_logs else (),
            operator_log=tuple(self._operator_log(uid, run)) if self._question.with_logs and uid else (),
            refusals=tuple(self._refusals),
            is_complete=not self._refused & {"jobs", "pods"},
        )

    @property
    def _namespace(self) -> str:
        return self._question.namespace

    def _workloads(self, what: str, path: str, parse: Callable[[Raw], T]) -> list[T]:
        by_name = f"{names.LABEL_NAME}={names.label_value(self._question.name)}"
        selector = f"{names.LABEL_UID}={self._analysis.uid}" if self._analysis else by_name
        return [parse(item) for item in self._list(what, path, labelSelector=selector)]

    def _events(self, jobs: Iterable[JobSeen], pods: Iterable[PodSeen]) -> list[EventSeen]:
        """The Events about the analysis, its Jobs and its pods: by their names, since they outlive their objects."""
        found = self._events_about(self._question.name)
        asked = {self._question.name}
        job_names = {job.name for job in jobs} | self._job_names()
        pod_names = {pod.name for pod in pods}
        if self._analysis and self._asks_for_present_run:
            pod_names |= {attempt.pod_name for attempt in self._analysis.status.attempts}
        for name in sorted(job_names - asked):
            events = self._events_about(name)
            pod_names |= {match[1] for each in events if (match := _POD_OF_EVENT.fullmatch(each.message))}
            found += events
        for name in sorted(pod_names - job_names - asked):
            found += self._events_about(name)
        return found

    def _events_about(self, name: str) -> list[EventSeen]:
        path = f"/api/v1/namespaces/{self._namespace}/events"
        items = self._list("events", path, fieldSelector=f"involvedObject.name={name}")
        return [event for item in items if (event := event_from(item)) is not None]

    def _uid(self, jobs: Iterable[JobSeen], pods: Iterable[PodSeen], events: Iterable[EventSeen]) -> str:
        """The analysis's uid; of one that is gone, that of the last of its name."""
        if self._analysis is not None:
            return self._analysis.uid
        own = sorted((each for each in events if each.kind == names.KIND), key=lambda each: each.last)
        if own:
            return own[-1].uid
        newest = max(_all(jobs, pods), key=lambda each: str(each.created_at), default=None)
        return newest.analysis_uid if newest else ""

    def _run(self, jobs: Iterable[JobSeen], pods: Iterable[PodSeen]) -> int:
        if self._question.run is not None:
            return self._question.run
        if self._analysis is not None:
            return self._analysis.status.run or 1
        return max((each.run or 1 for each in _all(jobs, pods)), default=1)

    @property
    def _asks_for_present_run(self) -> bool:
        present = self._analysis.status.run if self._analysis else None
        return self._question.run in (None, present)

    def _job_names(self) -> set[str]:
        """What the run's Jobs are called, as far as that is known without them: a suspended run has had several."""
        if self._analysis is None:
            return set()
        status = self._analysis.status
        run = self._question.run or status.run or 1
        last = (status.job_count or 1) if self._asks_for_present_run else 1
        made = {
            names.job_name(self._analysis.name, self._analysis.uid, run, job_number=number)
            for number in range(1, last + 1)
        }
        return made | ({status.job_name} if status.job_name and self._asks_for_present_run else set())

    def _names_of_gone(
        self, jobs: Iterable[JobSeen], pods: Iterable[PodSeen], events: Iterable[EventSeen], run: int
    ) -> set[str]:
        """The names that this run's Jobs and pods had, where they are there no more."""
        if self._analysis is None:
            return {each.name for each in events if each.kind in ("Job", "Pod")}
        job_names = {job.name for job in jobs} | self._job_names()
        there = {each.name for each in _all(jobs, pods)}
        gone = {each.name for each in events if each.kind == "Job" and each.name in job_names}
        prefixes = tuple(f"{name}-" for name in job_names)
        gone |= {each.name for each in events if each.kind == "Pod" and each.name.startswith(prefixes)}
        if run == (self._analysis.status.run or 1):
            gone |= {attempt.pod_name for attempt in self._analysis.status.attempts}
        return gone - there

    def _logs(self, pods: Iterable[PodSeen]) -> Iterable[ContainerLog]:
        for pod in pods:
            for container in pod.containers:
                if container.has_log and (log := self._log(pod.name, container.name)) is not None:
                    yield log
                if _sentence("logs", self._namespace) in self._refusals:
                    return  # the same answer for all of them

    def _log(self, pod_name: str, container: str) -> ContainerLog | None:
        try:
            lines = self._cluster.log_lines(
                self._namespace,
                pod_name,
                container=container,
                tailLines=_MAX_LOG_LINES,
                limitBytes=_MAX_LOG_BYTES,
            )
        except CliError as error:
            self._refuse_log(error, f"The log of {container} in pod {pod_name}")
            return None
        size_bytes = sum(len(line.encode()) + 1 for line in lines)
        is_cut = len(lines) >= _MAX_LOG_LINES or size_bytes >= _MAX_LOG_BYTES
        return ContainerLog(pod_name, container, tuple(lines), is_cut)

    def _refuse_log(self, error: CliError, what: str) -> None:
        if error.reason == CliReason.FORBIDDEN:
            self._refuse(_sentence("logs", self._namespace))
        elif isinstance(error, NotFoundError):
            self._refuse(f"{what} is gone with the pod.")
        elif isinstance(error, BadInputError):
            self._refuse(f"{what} is no longer on its node.")
        else:
            self._refuse(f"{what} cannot be read: the pod's node or the cluster does not answer. Try again later.")

    def _operator_log(self, uid: str, run: int) -> list[str]:
        """The lines of the operators' logs that carry the analysis's uid, or, where logs are plain, its name."""
        namespace = self._question.operator_namespace
        where = namespace or "OPERATOR-NAMESPACE"
        command = f"kubectl logs -n {where} -l {SELECTOR} --tail=-1 | grep {uid}"
        path = "/api/v1/pods" if namespace is None else f"/api/v1/namespaces/{quote(namespace)}/pods"
        log = OperatorLog(self._cluster, self._wanted_lines(uid, run), self._refuse)
        try:
            pods = _items(self._cluster.read(path, labelSelector=SELECTOR, limit=MAX_PODS + 1))
            lines = log.lines(pods[:MAX_PODS])
        except CliError as error:
            why = "may not be read by you" if error.reason == CliReason.FORBIDDEN else "cannot be read now"
            self._refuse(f"The operator's log {why}. Who may read it: {command}")
            return []
        if len(pods) > MAX_PODS:
            self._refuse(f"The operator has more pods than {MAX_PODS}: the logs of the others were not read. {command}")
        if not pods:
            self._refuse(
                f"No operator was found by its labels{f' in namespace {namespace}' if namespace else ''}: none runs, "
                "or it runs elsewhere (--operator-namespace)."
            )
        return lines

    def _wanted_lines(self, uid: str, run: int) -> Wanted:
        marks = (uid, f"[{self._namespace}/{self._question.name}]")
        if self._analysis is None:
            return Wanted(marks, None, None)
        begin, end = self._analysis.window(run)
        is_over = end is None and self._analysis.is_finished
        return Wanted(marks, begin, self._analysis.status.finished_at if is_over else end)

    def _list(self, what: str, path: str, **query: str) -> list[Raw]:
        """The objects of a list; none where it is refused."""
        if what in self._refused:
            return []
        try:
            return _items(self._cluster.read(path, limit=_MAX_ITEMS, **query))
        except CliError as error:
            self._refused.add(what)
            if error.reason == CliReason.FORBIDDEN:
                self._refuse(_sentence(what, self._namespace))
            else:
                self._refuse(f"The {_WORDS[what][0]} cannot be shown: {error.message}")
            return []

    def _refuse(self, sentence: str) -> None:
        if sentence not in self._refusals:
            self._refusals.append(sentence)


# What is refused: what is missing for it, and the right to ask for.
_WORDS = {
    "jobs": ("Job", "list jobs.batch"),
    "pods": ("pods, their containers and their logs", "list pods"),
    "events": ("Events", "list events"),
    "logs": ("containers' log lines", "get pods/log"),
}


def _sentence(what: str, namespace: str) -> str:
    missing, right = _WORDS[what]
    verb = "is" if what == "jobs" else "are"
    return (
        f"The {missing} {verb} not shown: you may not {right} in namespace {namespace}. "
        "Ask its administrator for that right."
    )


def _all(jobs: Iterable[JobSeen], pods: Iterable[PodSeen]) -> list[JobSeen | PodSeen]:
    return [*jobs, *pods]


def _items(content: bytes) -> list[Raw]:
    try:
        answer: Any = json.loads(content)
        items: list[Raw] = [item for item in answer["items"] if isinstance(item, dict)]
    except (ValueError, KeyError, TypeError) as error:
        words = "The cluster answered with something that is no list. Try again later."
        raise UnavailableError(CliReason.CLUSTER_UNAVAILABLE, words) from error
    return items
