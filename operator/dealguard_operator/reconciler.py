"""Observe, decide, act, until nothing is left to do: the one loop of the operator.

Watches and resyncs only say that something changed. What to do is decided from everything known, so a missed or
repeated event changes nothing but the time it takes.
"""

import asyncio
import contextlib
import logging
import math
import random
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from dealguard_api import names
from dealguard_api.untrusted import Raw, mapping_in, text_in
from dealguard_operator import errors
from dealguard_operator.decide import decide, look_at
from dealguard_operator.job import deadline_of, job_manifest, secret_manifest
from dealguard_operator.kubernetes_api import KubernetesApi, Listing
from dealguard_operator.lease import Alone, Leadership
from dealguard_operator.logs import AnalysisLogger, CorrelatedLogger
from dealguard_operator.memory import give_back
from dealguard_operator.metrics import Metrics, Snapshot, has_ended_run
from dealguard_operator.model import (
    NO_REUSE,
    Action,
    Analysis,
    CreateJob,
    CreateSecret,
    Decision,
    DeleteAnalysis,
    DeleteJob,
    EventNote,
    JobState,
    KnownAnalysis,
    Lookup,
    LookUpReport,
    Observation,
    PackedAnalysis,
    PodState,
    QuotaRefusal,
)
from dealguard_operator.observe import analysis_from, job_from, known_analysis_from, pod_from
from dealguard_operator.places import Candidate, Limits, Places
from dealguard_operator.policies.admission import Standing, standing_of
from dealguard_operator.policies.reuse import new_report
from dealguard_operator.presign import Presigner
from dealguard_operator.reuse import Reuse
from dealguard_operator.settings import OperatorSettings
from dealguard_operator.store import Store, has_ended
from dealguard_operator.watch_check import WatchCheck
from dealguard_operator.work_queue import WorkQueue

logger = logging.getLogger(__name__)

TraceRun = Callable[[Analysis, tuple[PodState, ...]], None]
OnListed = Callable[[str, str | None, str], bool]
ParsedT = TypeVar("ParsedT", KnownAnalysis, JobState, PodState)

# Each waits for the API server most of the time; more would only queue up there.
_WORKERS = 16
# A run begins with four passes (looked up, Job made, started, nothing left). Many more mean that two writers disagree.
_MAX_PASSES = 10
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.5, 30.0
# One request, and with its success everything that failed meanwhile is looked at again.
_LONGEST_RESYNC_RETRY_SECONDS = 8.0
# Progress of one run is written as often as a person can follow it. Where many run, so that all together make so many
# writes a second, each of which takes the API server 17 ms, but every ten seconds in any case. A stage that is over by
# then costs none.
_PROGRESS_SECONDS, _LONGEST_PROGRESS_SECONDS, _PROGRESS_PER_SECOND = 1.0, 10.0, 7
# A pod that still does not start may miss its Secret, if somebody deleted that: it is made once more.
_SECRET_RECHECK_SECONDS = 60.0
# A quota's room comes back when some Job ends, and those take a minute or so.
_QUOTA_RETRY_SECONDS = 10
# Some milliseconds, after which others have their turn.
_PACKED_AT_ONCE = 20
# Memory is given back after each resync: thoroughly if so much was packed or let go, and now and then.
_MUCH, _RESYNCS_BETWEEN = 500, 10
# Looking at everything takes a tenth of the time at most, but never comes more rarely than every so many resyncs: with
# thousands of Jobs and pods a list takes seconds of the API server's time too.
_RESYNC_SHARE, _LONGEST_PAUSE_RESYNCS = 0.1, 4
# What is not yet posted when the process is asked to end gets this long.
_LAST_EVENTS_SECONDS = 0.5


class Reconciler:
    """Brings every analysis to its end.

    Args:
        api: the API server.
        presigner: signs the URLs for the pods.
        settings: what the installation chose.
        leadership: the right to write. Without it nothing is decided, but everything is known.
        reuse: finds stored reports; None: every analysis gets a Job.
        now: the time, in UTC.
        clock: a monotonic clock, in seconds.
        metrics: where it counts; its own if there is no other.
        trace_run: told of each run that ended, with the pods of its last Job.
        on_listed: told of each complete list: kind, namespace (None: all) and resource version; whether a watch goes on
            from there.
    """

    def __init__(
        self,
        api: KubernetesApi,
        presigner: Presigner,
        settings: OperatorSettings,
        *,
        leadership: Leadership | None = None,
        reuse: Reuse | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
        trace_run: TraceRun = lambda analysis, pods: None,
        on_listed: OnListed = lambda kind, namespace, resource_version: False,
    ) -> None:
        self._api = api
        self._presigner = presigner
        self._settings = settings
        self._leadership = leadership or Alone()
        self._reuse = reuse
        self._now = now
        self._metrics = metrics or Metrics()
        self._trace_run = trace_run
        self._on_listed = on_listed
        self._store = Store(clock)
        self._watches = WatchCheck(clock)
        self._resynced_at = self._store.now()
        self._due_at = self._resynced_at + settings.resync_seconds
        self._last_event_at = dict.fromkeys((names.PLURAL, "jobs", "pods"), self._resynced_at)
        self._queue = WorkQueue()
        self._places = Places(Limits(settings.max_running, settings.max_running_per_namespace))
        self._synced = asyncio.Event()
        self._list_asked_for = asyncio.Event()
        self._failures: dict[str, int] = {}
        self._secrets_made: dict[str, tuple[str, float]] = {}  # by the analysis's uid: the Job's uid, and when
        self._job_rejections: dict[str, str] = {}  # by the analysis's uid
        self._quota_refusals: dict[str, QuotaRefusal] = {}  # by the analysis's uid
        self._secret_refusals: dict[str, str] = {}  # by the analysis's uid
        self._lookups: dict[str, Lookup] = {}  # by the analysis's uid
        self._written_at: dict[str, float] = {}  # by the analysis's uid, while it runs
        self._posting: set[asyncio.Task[None]] = set()
        self._unpackable: set[str] = set()  # uids
        self._given_up = 0  # how many were packed or let go since memory was given back thoroughly
        self._resyncs = 0

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._resync_forever(), name="resync")
                for number in range(_WORKERS):
                    tasks.create_task(self._work(), name=f"reconcile-{number}")
        finally:
            if self._posting:
                await asyncio.wait(self._posting, timeout=_LAST_EVENTS_SECONDS)

    def seconds_since_resync(self) -> float:
        """How long ago everything was last looked at; before the first time, since this began."""
        return self._store.now() - self._resynced_at

    def seconds_overdue(self) -> float:
        """For how long everything should have been looked at again; 0 or less: it is not yet time."""
        return self._store.now() - self._due_at

    def snapshot(self) -> Snapshot:
        """What the gauges say now."""
        now = self._store.now()
        return Snapshot(
            analyses=self._store.analyses(),
            work_queue_depth=len(self._queue),
            seconds_since_resync=self.seconds_since_resync(),
            seconds_since_event={resource: now - at for resource, at in self._last_event_at.items()},
            stale_watches=len(self.stale_watches()),
        )

    @property
    def is_synced(self) -> bool:
        """Whether everything that has not ended was looked at once."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Wait until everything that has not ended was looked at once."""
        await self._synced.wait()

    async def wait_caught_up(self) -> None:
        """Wait until everything was looked at once, and all that is due had its turn."""
        await self._synced.wait()
        await self._queue.wait_ran_dry()

    def stale_watches(self) -> list[str]:
        """Which watches do not deliver, each in a sentence without a full stop."""
        return self._watches.stale()

    def resync_soon(self) -> None:
        """List everything as soon as possible, because a watch needs to know from where to go on."""
        self._list_asked_for.set()

    def take_everything_up(self) -> None:
        """Look at all analyses, because this process leads from now on."""
        # What was answered to this process in an earlier term is asked for anew.
        for answers in (self._job_rejections, self._quota_refusals, self._secret_refusals, self._lookups):
            answers.clear()
        # First who runs: standing by, it was not noted whose Job the other leader made or saw end.
        for uid in dict.fromkeys((*self._places.taken(), *self._store.unfinished())):
            if (observation := self._observe(uid)) is not None:
                self._line_up(observation)
        self._take_up([one.uid for one in self._store.analyses()])

    # What the watches say.

    def see_analysis(self, raw: Raw, *, is_deleted: bool, is_listed: bool = False) -> None:
        """Take note of an analysis; `is_listed`: of one in a watch's first list, where most have ended long ago."""
        self._last_event_at[names.PLURAL] = self._store.now()
        parse: Callable[[Raw], KnownAnalysis] = known_analysis_from if is_listed else analysis_from
        self._given_up += is_listed  # Kopf's queue and worker for it, which leave cycles
        if (analysis := _read(parse, raw, self._store.known_analysis)) is None:
            return
        self._watches.delivered(analysis, is_deleted=is_deleted)
        if is_deleted:
            self._store.put_analysis(analysis)  # its last version tells what came before from what comes after
            self._forget(analysis.uid)
        elif self._store.put_analysis(analysis, may_return=True):
            self._look_at(analysis)

    def see_job(self, raw: Raw, *, is_deleted: bool) -> None:
        """Take note of a Job."""
        self._last_event_at["jobs"] = self._store.now()
        if (job := _read(job_from, raw, self._store.job)) is None:
            return
        self._watches.delivered(job, is_deleted=is_deleted)
        is_news = self._store.put_job(job)
        if is_deleted:
            self._store.remove_job(job)
        if is_news or is_deleted:
            self._hurry(job.owner_uid, may_matter_later=job.is_active)

    def see_pod(self, raw: Raw, *, is_deleted: bool) -> None:
        """Take note of a pod."""
        self._last_event_at["pods"] = self._store.now()
        if (pod := _read(pod_from, raw, self._store.pod)) is None:
            return
        self._watches.delivered(pod, is_deleted=is_deleted)
        is_news = self._store.put_pod(pod)
        if is_deleted:
            self._store.remove_pod(pod)
        if is_news or is_deleted:
            self._hurry(pod.analysis_uid)

    def _hurry(self, uid: str, *, may_matter_later: bool = False) -> None:
        """Look at an analysis whose run moved on, before those that wait.

        At one that has ended only if there is a Job to be deleted still: half of what a Job and its pod have to say
        comes after the end, and a terminal status never changes by it.
        """
        analysis = self._store.known_analysis(uid)
        if may_matter_later or analysis is None or not has_ended(analysis):
            self._queue.add(uid, is_urgent=analysis is not None and _runs(analysis))

    # The slow look at everything.

    async def _resync_forever(self) -> None:
        failures = 0
        while True:
            self._list_asked_for.clear()
            began_at = self._store.now()
            try:
                await self._resync(is_first_look=failures == 0 and not self.is_synced)
            except errors.ApiError as error:
                failures += 1
                self._due_at = min(self._due_at, self._resynced_at + self._settings.resync_seconds)
                self._watches.start_anew()  # an API server that is away says nothing about them
                hint = f" Is {names.PLURAL}.{names.GROUP} installed?" if isinstance(error, errors.NotFoundError) else ""
                logger.warning("The cluster cannot be listed, trying again: %s%s", error.message, hint)
                await asyncio.sleep(_backoff_seconds(failures, error, _LONGEST_RESYNC_RETRY_SECONDS))
                continue
            failures = 0
            self._resynced_at = self._store.now()
            self._synced.set()
            took_seconds = self._resynced_at - began_at
            pause_seconds = _pause_seconds(self._settings.resync_seconds, took_seconds)
            self._due_at = self._resynced_at + pause_seconds + took_seconds
            await self._pause(pause_seconds)

    async def _pause(self, seconds: float) -> None:
        """Wait until a list is asked for, it is time for one, or none would be answered.

        Whether it would, and what memory can be saved, is seen to as often as without longer pauses.
        """
        parts = max(1, round(seconds / self._settings.resync_seconds))
        for part in range(parts):
            if part > 0:
                await self._save_memory()
                if not await self._can_list():
                    return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds / parts):
                    await self._list_asked_for.wait()
                return

    async def _can_list(self) -> bool:
        """Whether lists are answered: an open watch goes on for minutes after the right to it was taken away."""
        try:
            for namespace in self._settings.namespaces or (None,):
                await self._api.check_lists(namespace)
        except errors.ApiError:
            return False
        return True

    async def _resync(self, *, is_first_look: bool) -> None:
        for namespace in self._settings.namespaces or (None,):
            began_at = self._store.now()
            pods = await self._list("pods", namespace, self._api.list_pods(namespace), pod_from, self._store.pod)
            self._take_up(self._store.replace_pods(namespace, pods, list_began_at=began_at))
            began_at = self._store.now()
            jobs = await self._list("jobs", namespace, self._api.list_jobs(namespace), job_from, self._store.job)
            self._take_up(self._store.replace_jobs(namespace, jobs, list_began_at=began_at))
            await self._resync_analyses(namespace, is_first_look=is_first_look)
        # All that run are known before a place is given away. Who only waits for one is called when it is free.
        unfinished = [one for uid in self._store.unfinished() if (one := self._observe(uid)) is not None]
        for observation in unfinished:
            if self._line_up(observation) is not Standing.WAITS:
                self._queue.add(observation.analysis.uid, is_urgent=_runs(observation.analysis))
        self._call_next()
        await self._save_memory()

    async def _resync_analyses(self, namespace: str | None, *, is_first_look: bool) -> None:
        """All analyses; at first those that have not ended, for which somebody waits.

        Thousands that have ended come from Kopf meanwhile, and with the next resync. If the first look fails, the next
        one is complete: it is read page by page, and what was deleted meanwhile is missing in it.
        """
        if is_first_look:
            with contextlib.suppress(errors.RejectedError):  # by an older definition
                listing = self._api.list_unfinished_analyses(namespace)
                unfinished = await self._list_analyses(namespace, listing)
                self._take_up([one.uid for one in unfinished if self._store.put_analysis(one)])
                return
        began_at = self._store.now()
        analyses = await self._list_analyses(namespace, self._api.list_analyses(namespace))
        lost = self._store.lost_analyses(namespace, analyses, list_began_at=began_at)
        if not all(has_ended(one) for one in lost):
            # A list may lag, and no event would bring back what it takes away: two have to agree.
            confirming = self._api.list_analyses(namespace)
            analyses += await _collect(known_analysis_from, confirming, self._store.known_analysis)
        self._take_up(self._store.replace_analyses(namespace, analyses, list_began_at=began_at))

    async def _list_analyses(self, namespace: str | None, listing: Listing) -> list[KnownAnalysis]:
        return await self._list("analyses", namespace, listing, known_analysis_from, self._store.known_analysis)

    async def _save_memory(self) -> None:
        """Keep what has ended in little memory, and give back what is free."""
        for number, uid in enumerate(self._store.ended_and_not_packed()):
            if number % _PACKED_AT_ONCE == 0:
                await asyncio.sleep(0)
            self._pack(uid)
        self._resyncs += 1
        is_thorough = self._given_up >= _MUCH or self._resyncs % _RESYNCS_BETWEEN == 0
        if is_thorough:
            self._given_up = 0
        give_back(is_thorough=is_thorough)

    def _pack(self, uid: str) -> None:
        if uid in self._unpackable:
            return
        try:
            self._store.pack(uid)
            self._given_up += 1
        except (TypeError, ValueError) as error:  # half a surrogate pair, or a number beyond 64 bits
            self._unpackable.add(uid)
            self._logger(uid).warning("It is kept as it is, because it cannot be packed (%s).", type(error).__name__)

    async def _list(
        self,
        kind: str,
        namespace: str | None,
        listing: Listing,
        parse: Callable[[Raw], ParsedT],
        known: Callable[[str], ParsedT | None],
    ) -> list[ParsedT]:
        """A complete list; the watch of its objects has to tell what is new in it, unless it begins there."""
        values = await _collect(parse, listing, known)
        if self._on_listed(kind, namespace, listing.resource_version):
            self._watches.begins(kind, namespace)
        else:
            self._watches.compare(kind, namespace, values, self._store.knows)
        return values

    def _take_up(self, uids: Iterable[str]) -> None:
        """Look at what a list changed: at once, because a later one may fail, and the next finds no change here."""
        known = []
        for uid in uids:
            if (analysis := self._store.known_analysis(uid)) is None:
                self._let_go(uid)  # deleted, and no watch said so
            else:
                known.append(analysis)
        for analysis in sorted(known, key=has_ended):
            self._look_at(analysis)

    def _look_at(self, analysis: KnownAnalysis) -> None:
        """Look at an analysis: now, or if it has ended, when there is something to do."""
        uid = analysis.uid
        if not has_ended(analysis) or self._store.has_active_job(uid):
            self._queue.add(uid, is_urgent=_runs(analysis))
            return
        time_ = analysis.look_at if isinstance(analysis, PackedAnalysis) else look_at(analysis)
        seconds = None if time_ is None else (time_ - self._now()).total_seconds()
        if seconds is not None and seconds <= 0:
            self._queue.add(uid)
            return
        self._leave(uid)
        if seconds is not None:
            self._queue.add_after(uid, seconds)

    # One analysis.

    async def _work(self) -> None:
        await self._synced.wait()  # before, a Job that is merely not listed yet would look deleted
        while True:
            uid = await self._queue.get()
            if self._leadership.seconds_left() <= 0:
                self._queue.done(uid)  # everything is taken up when this process leads
                continue
            began_at = self._store.now()
            try:
                await self._reconcile(uid)
                self._failures.pop(uid, None)
                self._metrics.reconciled(self._store.now() - began_at, None)
            except errors.NotLeadingError:
                pass  # likewise
            except errors.ApiError as error:
                self._metrics.reconciled(self._store.now() - began_at, error)
                self._retry(uid, error)
            except Exception as error:
                self._metrics.reconciled(self._store.now() - began_at, error, is_expected=False)
                self._logger(uid).exception("It could not be handled, trying again.")
                self._retry(uid, None)
            finally:
                self._queue.done(uid)

    async def _reconcile(self, uid: str) -> None:
        is_fresh = False
        for _ in range(_MAX_PASSES):
            observation = self._observe(uid, is_fresh=is_fresh)
            if observation is None:
                self._let_go(uid)
                return
            self._line_up(observation)
            observation = replace(observation, has_place=self._places.claim(uid))
            decision = decide(
                observation,
                self._now().replace(microsecond=0),
                start_deadline_seconds=self._settings.start_deadline_seconds,
            )
            is_fresh = decision.needs_fresh
            pause = self._pause_before_progress(uid) if decision.can_wait else 0.0
            if decision.needs_fresh:
                await self._refresh(observation)
            elif decision.is_empty or pause > 0:
                for seconds in (decision.requeue_after_seconds, pause or None):
                    if seconds is not None:
                        self._queue.add_after(uid, seconds)
                return
            else:
                await self._remember(observation, decision)
                await self._carry_out(observation, decision)
        self._logger(uid).warning("Still not settled after %s passes.", _MAX_PASSES)
        self._queue.add_after(uid, _FIRST_RETRY_SECONDS)

    def _pause_before_progress(self, uid: str) -> float:
        """The seconds until progress is written again; 0: now."""
        share = self._places.count_taken() / _PROGRESS_PER_SECOND
        pause = min(max(share, _PROGRESS_SECONDS), _LONGEST_PROGRESS_SECONDS)
        return max(0.0, self._written_at.get(uid, -math.inf) + pause - self._store.now())

    def _line_up(self, observation: Observation) -> Standing:
        """Note where an analysis stands in the competition for places."""
        now = self._now()
        standing = standing_of(observation, now)
        analysis = observation.analysis
        asked_for_at = None if analysis.status.has_ended else analysis.asked_for_at
        candidate = Candidate(analysis.uid, analysis.namespace, standing, analysis.spec.priority, asked_for_at or now)
        if self._places.update(candidate):
            self._call_next()
        return standing

    def _call_next(self) -> None:
        for uid in self._places.next_in_line():
            self._queue.add(uid)

    def _close(self, namespace: str) -> None:
        """Call nobody of a namespace without room for a while: thousands may wait, and one is enough to try."""
        if self._places.close(namespace):
            # A second later, as decisions know whole seconds: who was refused first is first in line again.
            asyncio.get_running_loop().call_later(_QUOTA_RETRY_SECONDS + 1, self._open, namespace)

    def _open(self, namespace: str) -> None:
        self._places.open(namespace)
        self._call_next()

    def _observe(self, uid: str, *, is_fresh: bool = False) -> Observation | None:
        observation = self._store.observe(uid)
        if observation is None:
            return None
        job = observation.job
        made_for, made_at = self._secrets_made.get(uid, ("", 0.0))
        is_recent = self._store.now() - made_at < _SECRET_RECHECK_SECONDS
        return replace(
            observation,
            is_fresh=is_fresh,
            has_failed=uid in self._failures,
            has_secret=job is not None and job.uid == made_for and is_recent,
            job_rejection=self._job_rejections.get(uid),
            quota_refusal=self._quota_refusals.get(uid),
            secret_refusal=self._secret_refusals.get(uid),
            lookup=self._lookups.get(uid) if self._reuse is not None else NO_REUSE,
        )

    async def _refresh(self, observation: Observation) -> None:
        """Ask the API server itself for the run's Job and pods."""
        analysis = observation.analysis
        began_at = self._store.now()
        try:
            job = job_from(await self._api.get_job(analysis.namespace, analysis.expected_job_name))
            self._store.put_job(job, is_fresh=True)
        except errors.NotFoundError:
            if observation.job is not None:
                self._store.remove_job(observation.job)
        pods = await _collect(pod_from, self._api.list_pods(analysis.namespace, analysis.uid), self._store.pod)
        self._store.replace_pods(analysis.namespace, pods, list_began_at=began_at, analysis_uid=analysis.uid)

    async def _remember(self, observation: Observation, decision: Decision) -> None:
        """Note a new report before its run's end is on record: after a kill in between, both are done again."""
        status, job = decision.status, observation.job
        if self._reuse is not None and status is not None and job is not None and new_report(observation, status):
            await self._reuse.remember(observation.analysis, status, job.reuse_note)

    async def _carry_out(self, observation: Observation, decision: Decision) -> None:
        """Write the status, then act. Returns early if the analysis is no longer the one that was decided on."""
        analysis = observation.analysis
        try:
            if decision.status is not None:
                raw = await self._api.replace_status(_status_manifest(analysis, decision))
                analysis = analysis_from(raw)
                self._store.put_analysis(analysis)
                self._written_at[analysis.uid] = self._store.now()
                self._log_transition(analysis)
                self._count_transition(observation, analysis)
                for note in decision.events:
                    self._post(analysis, note)
            for action in decision.actions:
                await self._act(analysis, action)
        except errors.ConflictError:
            self._metrics.conflicted()
            await self._reread(analysis)
        except errors.NotFoundError:
            await self._reread(analysis)
            if self._store.known_analysis(analysis.uid) is not None:
                raise  # it is there; something else is not, such as its namespace's leave to create a Job

    async def _reread(self, analysis: Analysis) -> None:
        try:
            current = analysis_from(await self._api.get_analysis(analysis.namespace, analysis.name))
        except errors.NotFoundError:
            self._forget(analysis.uid)
            return
        if current.uid != analysis.uid:
            self._forget(analysis.uid)
        if self._store.put_analysis(current):
            self._queue.add(current.uid)

    async def _act(self, analysis: Analysis, action: Action) -> None:
        match action:
            case LookUpReport():
                if self._reuse is not None:
                    await self._look_up(self._reuse, analysis)
            case CreateJob():
                await self._create_job(analysis, action)
            case CreateSecret(job, run):
                await self._create_secret(analysis, job, run)
            case DeleteJob(name, uid):
                await self._delete_job(analysis, name, uid)
            case DeleteAnalysis(uid, resource_version):
                await self._delete_analysis(analysis, uid, resource_version)

    async def _look_up(self, reuse: Reuse, analysis: Analysis) -> None:
        lookup = self._lookups[analysis.uid] = await reuse.look_up(analysis)
        if lookup.unavailable is None:
            for uid in reuse.called_back():
                if uid != analysis.uid:
                    self._lookups.pop(uid, None)
                    self._queue.add(uid)

    async def _create_job(self, analysis: Analysis, action: CreateJob) -> None:
        note = self._reuse.note_for_job(analysis, self._lookups.get(analysis.uid)) if self._reuse is not None else ""
        manifest = job_manifest(analysis, action.name, action.run, self._settings, reuse_note=note)
        try:
            raw = await self._api.create_job(manifest)
            now = self._now().replace(microsecond=0)
            waited = now - (analysis.asked_for_at or now)
            self._metrics.job_created(analysis.status, waited.total_seconds())
        except errors.AlreadyExistsError:
            raw = await self._api.get_job(analysis.namespace, action.name)
        except errors.QuotaExceededError as error:
            retry_at = self._now() + timedelta(seconds=_QUOTA_RETRY_SECONDS)
            self._quota_refusals[analysis.uid] = QuotaRefusal(error.message, retry_at)
            self._close(analysis.namespace)
            return
        except errors.RejectedError as error:
            self._job_rejections[analysis.uid] = error.message
            return
        self._quota_refusals.pop(analysis.uid, None)
        job = job_from(raw)
        if job.owner_uid != analysis.uid:
            self._job_rejections[analysis.uid] = f"a Job named {action.name} exists and belongs to something else"
            return
        self._store.put_job(job)
        self._lookups.pop(analysis.uid, None)
        if not job.is_suspended:
            await self._create_secret(analysis, job, action.run)

    async def _create_secret(self, analysis: Analysis, job: JobState, run: int) -> None:
        key = analysis.spec.document.key
        assert key is not None, "an analysis without a key has no Job"
        urls = self._presigner.urls_for(
            key,
            names.report_key(analysis.namespace, analysis.uid, run),
            names.checkpoint_key(analysis.namespace, analysis.uid, run),
            valid_seconds=(deadline_of(analysis, job) - self._now()).total_seconds(),
        )
        try:
            await self._api.create_secret(secret_manifest(analysis, job, run, urls, self._settings))
        except errors.AlreadyExistsError:
            pass  # made by an earlier try: nobody else could guess the name
        except errors.RejectedError as error:
            waits_until = job.began_at + timedelta(seconds=self._settings.start_deadline_seconds)
            if isinstance(error, errors.QuotaExceededError) and self._now() < waits_until:
                self._secret_refusals[analysis.uid] = error.message
                raise  # to be tried again
            self._job_rejections[analysis.uid] = error.message
            return
        self._secret_refusals.pop(analysis.uid, None)
        self._secrets_made[analysis.uid] = (job.uid, self._store.now())

    async def _delete_job(self, analysis: Analysis, name: str, uid: str) -> None:
        try:
            raw = await self._api.delete_job(analysis.namespace, name, uid=uid)
        except errors.NotFoundError:
            raw = {}
        except errors.ConflictError as error:  # another one of that name, or somebody wrote to it at this moment
            if await self._has_job(analysis.namespace, name, uid):
                raise errors.UnavailableError(error.message) from error
            raw = {}
        if raw.get("kind") == "Job":
            self._store.put_job(job_from(raw))
        elif (observation := self._store.observe(analysis.uid)) and observation.job and observation.job.uid == uid:
            self._store.remove_job(observation.job)

    async def _has_job(self, namespace: str, name: str, uid: str) -> bool:
        try:
            return job_from(await self._api.get_job(namespace, name)).uid == uid
        except errors.NotFoundError:
            return False

    async def _delete_analysis(self, analysis: Analysis, uid: str, resource_version: str) -> None:
        AnalysisLogger(analysis).info("Deleting it, as spec.ttlSecondsAfterFinished asks.")
        try:
            raw = await self._api.delete_analysis(
                analysis.namespace, analysis.name, uid=uid, resource_version=resource_version
            )
        except errors.NotFoundError:
            raw = {}
        if raw.get("kind") == names.KIND:  # somebody's finalizer holds it
            self._store.put_analysis(analysis_from(raw))
        else:
            self._forget(uid)

    def _forget(self, uid: str) -> None:
        self._store.remove_analysis(uid)
        self._let_go(uid)

    def _let_go(self, uid: str) -> None:
        """Keep nothing more for an analysis that is not known, or no longer."""
        self._given_up += 1
        self._unpackable.discard(uid)
        if self._reuse is not None:
            self._reuse.forget(uid)
        self._leave(uid)

    def _leave(self, uid: str) -> None:
        """Keep nothing more of what an analysis needed until its end."""
        if self._places.remove(uid):
            self._call_next()
        self._failures.pop(uid, None)
        self._forget_run(uid)

    def _forget_run(self, uid: str) -> None:
        """Keep nothing more of a run that ended."""
        self._written_at.pop(uid, None)
        self._secrets_made.pop(uid, None)
        self._job_rejections.pop(uid, None)
        self._quota_refusals.pop(uid, None)
        self._secret_refusals.pop(uid, None)
        self._lookups.pop(uid, None)

    def _retry(self, uid: str, error: errors.ApiError | None) -> None:
        failures = self._failures[uid] = self._failures.get(uid, 0) + 1
        seconds = _backoff_seconds(failures, error)
        analysis = self._store.analysis(uid)
        if error is not None and analysis is not None:
            AnalysisLogger(analysis).warning("The API server did not do it, trying again in %.1f s: %s", seconds, error)
        self._queue.add_after(uid, seconds)

    def _logger(self, uid: str) -> CorrelatedLogger:
        analysis = self._store.analysis(uid)
        return CorrelatedLogger(uid=uid) if analysis is None else AnalysisLogger(analysis)

    def _count_transition(self, observation: Observation, written: Analysis) -> None:
        before, after = observation.analysis.status, written.status
        self._metrics.status_written(before, after, observation.pods)
        if has_ended_run(before, after):
            self._trace_run(written, observation.pods)

    def _log_transition(self, analysis: Analysis) -> None:
        status = analysis.status
        if status.has_ended:
            self._forget_run(analysis.uid)
        stage = f"/{status.stage}" if status.stage else ""
        reason = status.conditions[0].reason if status.conditions else ""
        AnalysisLogger(analysis).info("Run %s is %s%s (%s).", status.run, status.phase, stage, reason)

    def _post(self, analysis: Analysis, note: EventNote) -> None:
        """Post an Event beside the work: nobody waits for it, and if it fails there is the status."""
        task = asyncio.create_task(self._create_event(analysis, note))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _create_event(self, analysis: Analysis, note: EventNote) -> None:
        try:
            await self._api.create_event(_event_manifest(analysis, note, self._now()))
        except errors.ApiError as error:
            AnalysisLogger(analysis).warning("The Event %s could not be posted: %s", note.reason, error.message)


def _runs(analysis: KnownAnalysis) -> bool:
    """Whether it has a Job on record and has not ended."""
    return isinstance(analysis, Analysis) and analysis.status.job_name is not None and not analysis.status.has_ended


def _status_manifest(analysis: Analysis, decision: Decision) -> dict[str, Any]:
    assert decision.status is not None
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {
            "namespace": analysis.namespace,
            "name": analysis.name,
            "uid": analysis.uid,
            "resourceVersion": analysis.resource_version,
        },
        # Required by the schema, ignored by the status subresource.
        "spec": analysis.spec.to_wire(),
        "status": decision.status.to_wire(),
    }


def _event_manifest(analysis: Analysis, note: EventNote, now: datetime) -> dict[str, Any]:
    timestamp = now.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": analysis.namespace, "name": f"{analysis.name[:200]}.{uuid.uuid4().hex[:16]}"},
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "namespace": analysis.namespace,
            "name": analysis.name,
            "uid": analysis.uid,
        },
        "type": note.type.value,
        "reason": note.reason,
        "message": note.message,
        "source": {"component": names.MANAGED_BY},
        "firstTimestamp": timestamp,
        "lastTimestamp": timestamp,
        "count": 1,
    }


def _pause_seconds(resync_seconds: float, took_seconds: float) -> float:
    """How long to wait until everything is looked at again, after that took so long.

    Spread by a tenth, so that several operators do not list in step.
    """
    longest_seconds = _LONGEST_PAUSE_RESYNCS * resync_seconds
    seconds = min(longest_seconds, max(resync_seconds, took_seconds * (1 / _RESYNC_SHARE - 1)))
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311


def _backoff_seconds(
    failures: int, error: errors.ApiError | None, longest_seconds: float = _LONGEST_RETRY_SECONDS
) -> float:
    """The pause before another try: doubled each time, spread by half, never shorter than the server asked for."""
    longest: float = min(longest_seconds, _FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 10))
    asked_for = error.retry_after_seconds if isinstance(error, errors.UnavailableError) else None
    return (asked_for or 0.0) + longest * random.uniform(0.5, 1.0)  # noqa: S311


def _read(parse: Callable[[Raw], ParsedT], raw: Raw, known: Callable[[str], ParsedT | None]) -> ParsedT | None:
    """The object in `raw`; None if it cannot be read.

    What is known in the same version is not read again: of thousands in a list few have changed, and what this process
    wrote comes back from the watch.
    """
    metadata = mapping_in(raw, "metadata")
    value = known(text_in(metadata, "uid"))
    if value is not None and value.resource_version == metadata.get("resourceVersion"):
        return value
    try:
        return parse(raw)
    except errors.UnreadableResourceError as error:
        where = f"{raw.get('kind')} {metadata.get('namespace')}/{metadata.get('name')}"
        # Jobs and pods carry the analysis's uid in a label.
        uid = mapping_in(metadata, "labels").get(names.LABEL_UID) or metadata.get("uid")
        CorrelatedLogger(uid=str(uid)).warning("%s is left alone: %s.", where, error)
        return None


async def _collect(
    parse: Callable[[Raw], ParsedT], listing: Listing, known: Callable[[str], ParsedT | None]
) -> list[ParsedT]:
    return [value async for raw in listing if (value := _read(parse, raw, known)) is not None]
