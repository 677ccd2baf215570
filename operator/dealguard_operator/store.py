"""What the watches and lists last said: analyses by uid, Jobs and pods by the analysis they belong to.

The newest version of an object wins, whatever order its sources deliver it in. A uid that was deleted does not come
back, so a list that was under way then cannot resurrect it. Only a fresh answer of the API server can, or a list that
was asked for later: an object that lost our label is deleted to a watch that selects by it, and lives; so does one that
was missing in the list of a lagging API server.

What has ended is kept packed, once a resync has seen it so: until then its Job and pod still have news of it.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from dealguard_operator.model import Analysis, JobState, KnownAnalysis, Observation, PackedAnalysis, PodState
from dealguard_operator.observe import gone, pack, unpack

# A deletion is remembered against the lists that were asked for before it, and against answers that were under way
# then, which take 15 s at most. Of analyses, which are few and small, for longer: also a lagging API server's list
# brings none back. Of Jobs and pods that would be dear: one name in a block of memory keeps all of it.
_ANALYSES_REMEMBERED_SECONDS, _CHILDREN_REMEMBERED_SECONDS = 600, 20

ObjectT = TypeVar("ObjectT", KnownAnalysis, JobState, PodState)
ChildT = TypeVar("ChildT", JobState, PodState)


@dataclass(frozen=True, slots=True)
class _Entry(Generic[ObjectT]):
    value: ObjectT
    observed_at: float  # by the monotonic clock, in seconds


@dataclass(frozen=True, slots=True)
class _Tombstone:
    resource_version: str  # the last that was known
    deleted_at: float  # by the monotonic clock, in seconds


class _Kind(Generic[ObjectT]):
    """The objects of one kind, by uid; for how long a deletion is remembered."""

    def __init__(self, clock: Callable[[], float], remembered_seconds: float) -> None:
        self._clock = clock
        self._remembered_seconds = remembered_seconds
        self._entries: dict[str, _Entry[ObjectT]] = {}
        self._deleted: dict[str, _Tombstone] = {}

    def get(self, uid: str) -> ObjectT | None:
        entry = self._entries.get(uid)
        return entry.value if entry else None

    def put(self, value: ObjectT, *, is_fresh: bool = False) -> bool:
        """Keep `value` unless something newer is known, its deletion included; whether it was news.

        A fresh answer of the API server refutes a deletion, unless it was given before that.
        """
        if (tombstone := self._deleted.get(value.uid)) is not None:
            if not is_fresh or _is_newer(tombstone.resource_version, value.resource_version):
                return False
            del self._deleted[value.uid]
        known = self._entries.get(value.uid)
        is_news = known is None or _is_newer(value.resource_version, known.value.resource_version)
        if known is None or is_news or value.resource_version == known.value.resource_version:
            self._entries[value.uid] = _Entry(value, self._clock())
        return is_news

    def knows(self, value: ObjectT) -> bool:
        """Whether this version of an object, a newer one or its deletion is known."""
        known = self._entries.get(value.uid)
        is_known = known is not None and not _is_newer(value.resource_version, known.value.resource_version)
        return is_known or value.uid in self._deleted

    def is_after_deletion(self, value: ObjectT) -> bool:
        """Whether the object was deleted, and this is a later version of it."""
        tombstone = self._deleted.get(value.uid)
        return tombstone is not None and _is_newer(value.resource_version, tombstone.resource_version)

    def remove(self, uid: str) -> ObjectT | None:
        """Forget an object for good."""
        entry = self._entries.pop(uid, None)
        before = self._deleted.get(uid)
        version = entry.value.resource_version if entry else before.resource_version if before else ""
        self._deleted[uid] = _Tombstone(version, self._clock())
        return entry.value if entry else None

    def replace(
        self,
        is_in_list: Callable[[ObjectT], bool],
        listed: Iterable[ObjectT],
        *,
        list_began_at: float,
        is_fresh: bool = False,
    ) -> list[ObjectT]:
        """Take over a complete list; what is missing in it and was not seen since the list began is removed.

        Args:
            is_in_list: whether an object, if it exists, is in a list like this one.
            listed: the list.
            list_began_at: when it was asked for.
            is_fresh: whether it was asked for to confirm a deletion.

        Returns:
            The objects that changed or went.
        """
        listed = list(listed)
        lost = self.lost(is_in_list, listed, list_began_at=list_began_at)
        changed = [
            value
            for value in listed
            # What was thought deleted before the list was asked for, because a lagging one did not have it, lives.
            if self.put(value, is_fresh=is_fresh or self._was_deleted_before(value.uid, list_began_at))
        ]
        changed += [removed for value in lost if (removed := self.remove(value.uid)) is not None]
        if not is_fresh:  # these come one after the other, so no other one was asked for earlier
            oldest = list_began_at - self._remembered_seconds
            self._deleted = {uid: grave for uid, grave in self._deleted.items() if grave.deleted_at >= oldest}
        return changed

    def lost(
        self, is_in_list: Callable[[ObjectT], bool], listed: Iterable[ObjectT], *, list_began_at: float
    ) -> list[ObjectT]:
        """What is missing in a complete list and was not seen since the list began."""
        present = {value.uid for value in listed}
        return [
            entry.value
            for uid, entry in self._entries.items()
            if uid not in present and entry.observed_at < list_began_at and is_in_list(entry.value)
        ]

    def _was_deleted_before(self, uid: str, list_began_at: float) -> bool:
        tombstone = self._deleted.get(uid)
        return tombstone is not None and tombstone.deleted_at < list_began_at

    def values(self) -> Iterable[ObjectT]:
        return (entry.value for entry in self._entries.values())


class Store:
    """Everything observed. Not safe for threads: it lives in one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._analyses = _Kind[KnownAnalysis](clock, _ANALYSES_REMEMBERED_SECONDS)
        self._jobs = _Kind[JobState](clock, _CHILDREN_REMEMBERED_SECONDS)
        self._pods = _Kind[PodState](clock, _CHILDREN_REMEMBERED_SECONDS)
        # Deleted pods of analyses that have not ended: the last they said may be the result.
        self._last_words: dict[str, dict[str, PodState]] = {}
        self._job_uids: dict[str, set[str]] = {}
        self._pod_uids: dict[str, set[str]] = {}

    def now(self) -> float:
        """The time that `list_began_at` is measured by."""
        return self._clock()

    def put_analysis(self, analysis: KnownAnalysis, *, may_return: bool = False) -> bool:
        """Keep an analysis; whether it was news.

        `may_return`: a watch said so, and to a watch that selects by label, one that loses the label is deleted.
        """
        if has_ended(analysis):
            self._last_words.pop(analysis.uid, None)
        return self._analyses.put(analysis, is_fresh=may_return and self._analyses.is_after_deletion(analysis))

    def put_job(self, job: JobState, *, is_fresh: bool = False) -> bool:
        """Keep a Job; whether it says something new. `is_fresh`: the API server was just asked for it by name."""
        before = self._jobs.get(job.uid)
        is_news = self._jobs.put(job, is_fresh=is_fresh)
        self._index_job(job.uid)
        return is_news and _says_more(job, before)

    def put_pod(self, pod: PodState) -> bool:
        """Keep a pod; whether it says something new."""
        before = self._pods.get(pod.uid)
        is_news = self._pods.put(pod)
        self._index_pod(pod.uid)
        return is_news and _says_more(pod, before)

    def remove_analysis(self, uid: str) -> None:
        """Forget an analysis, and what its pods said last."""
        self._analyses.remove(uid)
        self._last_words.pop(uid, None)

    def remove_job(self, job: JobState) -> None:
        """Forget a Job."""
        self._jobs.remove(job.uid)
        _discard(self._job_uids, job.owner_uid, job.uid)

    def remove_pod(self, pod: PodState) -> None:
        """Forget a pod but for its last words."""
        self._pods.remove(pod.uid)
        _discard(self._pod_uids, pod.analysis_uid, pod.uid)
        if self._may_still_matter(pod.analysis_uid):
            self._last_words.setdefault(pod.analysis_uid, {})[pod.uid] = gone(pod)

    def lost_analyses(
        self, namespace: str | None, listed: Iterable[KnownAnalysis], *, list_began_at: float
    ) -> list[KnownAnalysis]:
        """Which analyses `replace_analyses` would remove."""
        return self._analyses.lost(_lives_in(namespace), listed, list_began_at=list_began_at)

    def replace_analyses(
        self, namespace: str | None, listed: Iterable[KnownAnalysis], *, list_began_at: float
    ) -> set[str]:
        """Take over a complete list of analyses; the uids of those that changed or went."""
        changed = self._analyses.replace(_lives_in(namespace), listed, list_began_at=list_began_at)
        for analysis in changed:
            if self._analyses.get(analysis.uid) is None:
                self._last_words.pop(analysis.uid, None)
        return {analysis.uid for analysis in changed}

    def replace_jobs(self, namespace: str | None, listed: Iterable[JobState], *, list_began_at: float) -> set[str]:
        """Take over a complete list of Jobs; the uids of the analyses whose Jobs changed or went."""
        changed = self._jobs.replace(_lives_in(namespace), listed, list_began_at=list_began_at)
        for job in changed:
            if self._jobs.get(job.uid) is None:
                _discard(self._job_uids, job.owner_uid, job.uid)
            else:
                self._index_job(job.uid)
        return {job.owner_uid for job in changed}

    def replace_pods(
        self,
        namespace: str | None,
        listed: Iterable[PodState],
        *,
        list_began_at: float,
        analysis_uid: str | None = None,
    ) -> set[str]:
        """Take over a complete list of pods, or one of all pods of one analysis, which was made to confirm.

        Returns:
            The uids of the analyses whose pods changed or went.
        """
        in_namespace = _lives_in(namespace)
        changed = self._pods.replace(
            lambda pod: in_namespace(pod) and analysis_uid in (None, pod.analysis_uid),
            listed,
            list_began_at=list_began_at,
            is_fresh=analysis_uid is not None,
        )
        for pod in changed:
            if self._pods.get(pod.uid) is None:
                self.remove_pod(pod)
            else:  # it may have been thought gone
                self._index_pod(pod.uid)
                self._last_words.get(pod.analysis_uid, {}).pop(pod.uid, None)
        return {pod.analysis_uid for pod in changed}

    def analysis(self, uid: str) -> Analysis | None:
        """The analysis, if it is known."""
        known = self._analyses.get(uid)
        return unpack(known) if isinstance(known, PackedAnalysis) else known

    def known_analysis(self, uid: str) -> KnownAnalysis | None:
        """The analysis as it is kept, if it is known."""
        return self._analyses.get(uid)

    def job(self, uid: str) -> JobState | None:
        """The Job, if it is known."""
        return self._jobs.get(uid)

    def pod(self, uid: str) -> PodState | None:
        """The pod, if it is known and not deleted."""
        return self._pods.get(uid)

    def analyses(self) -> Iterable[KnownAnalysis]:
        """All that are known, as they are kept."""
        return self._analyses.values()

    def knows(self, value: KnownAnalysis | JobState | PodState) -> bool:
        """Whether this version of an object, a newer one or its deletion is known."""
        match value:
            case Analysis() | PackedAnalysis():
                return self._analyses.knows(value)
            case JobState():
                return self._jobs.knows(value)
            case PodState():
                return self._pods.knows(value)

    def has_active_job(self, uid: str) -> bool:
        """Whether a Job of the analysis is known that has not ended."""
        jobs = (self._jobs.get(job_uid) for job_uid in self._job_uids.get(uid, ()))
        return any(job is not None and job.is_active for job in jobs)

    def unfinished(self) -> list[str]:
        """The uids of the analyses that have not ended."""
        return [analysis.uid for analysis in self._analyses.values() if not has_ended(analysis)]

    def ended_and_not_packed(self) -> list[str]:
        """The uids of the analyses that have ended since they were packed last."""
        return [one.uid for one in self._analyses.values() if isinstance(one, Analysis) and has_ended(one)]

    def pack(self, uid: str) -> None:
        """Keep an analysis that has ended in little memory."""
        analysis = self._analyses.get(uid)
        if isinstance(analysis, Analysis) and has_ended(analysis):
            self._analyses.put(pack(analysis))

    def observe(self, uid: str) -> Observation | None:
        """What is known of an analysis and its present run; None if there is no such analysis."""
        analysis = self.analysis(uid)
        if analysis is None:
            return None
        job_name = analysis.expected_job_name
        jobs = (self._jobs.get(job_uid) for job_uid in self._job_uids.get(uid, ()))
        # Names are unique, but a recreated Job can overlap with its predecessor's last event: the newer one counts.
        mine = [job for job in jobs if job is not None and job.name == job_name and job.namespace == analysis.namespace]
        job = max(mine, key=lambda candidate: candidate.created_at, default=None)
        return Observation(analysis=analysis, job=job, pods=self._pods_of(analysis, job_name, job))

    def _pods_of(self, analysis: Analysis, job_name: str, job: JobState | None) -> tuple[PodState, ...]:
        present = [self._pods.get(uid) for uid in self._pod_uids.get(analysis.uid, ())]
        candidates = [*(pod for pod in present if pod is not None), *self._last_words.get(analysis.uid, {}).values()]
        # A label is anybody's to write; the owner is what the Job controller wrote.
        pods = [
            pod
            for pod in candidates
            if pod.job_name == job_name
            and pod.namespace == analysis.namespace
            and (job is None or pod.job_uid == job.uid)
        ]
        return tuple(sorted(pods, key=lambda pod: (pod.created_at, pod.name)))

    def _index_job(self, uid: str) -> None:
        if (job := self._jobs.get(uid)) is not None:  # else it was deleted before
            self._job_uids.setdefault(job.owner_uid, set()).add(uid)

    def _index_pod(self, uid: str) -> None:
        if (pod := self._pods.get(uid)) is not None:
            self._pod_uids.setdefault(pod.analysis_uid, set()).add(uid)

    def _may_still_matter(self, analysis_uid: str) -> bool:
        analysis = self._analyses.get(analysis_uid)
        return analysis is not None and not has_ended(analysis)


def has_ended(analysis: KnownAnalysis) -> bool:
    """Whether its present run is over."""
    return isinstance(analysis, PackedAnalysis) or analysis.status.has_ended


def _lives_in(namespace: str | None) -> Callable[[KnownAnalysis | JobState | PodState], bool]:
    return lambda value: namespace is None or value.namespace == namespace


def _says_more(value: ChildT, before: ChildT | None) -> bool:
    """Whether `value` differs from the version before in what a decision reads: most changes of a Job are counters."""
    return before is None or replace(before, resource_version=value.resource_version) != value


def _is_newer(version: str, known: str) -> bool:
    # Resource versions are comparable numbers, since Kubernetes 1.35 by contract and before in fact. What is not a
    # number is taken as news: a wrong guess costs one conflict, because writes are fenced.
    if version.isdecimal() and known.isdecimal():
        return int(version) > int(known)
    return version != known


def _discard(index: dict[str, set[str]], key: str, uid: str) -> None:
    uids = index.get(key, set())
    uids.discard(uid)
    if not uids:
        index.pop(key, None)
