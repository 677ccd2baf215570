"""What the operator observes and what it decides: frozen types without I/O.

Times are aware datetimes in UTC. Objects of the Kubernetes API appear here only with the fields that a decision reads.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dealguard_api import names
from dealguard_api.base import WireModel
from dealguard_api.report import DocumentInfo
from dealguard_api.resource import ContractAnalysisSpec, ContractAnalysisStatus, Result


@dataclass(frozen=True)
class Analysis:
    """A `ContractAnalysis`."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    is_deleting: bool
    spec: ContractAnalysisSpec
    status: ContractAnalysisStatus
    created_at: datetime | None = None

    @property
    def asked_for_at(self) -> datetime | None:
        """When the present run was asked for: as recorded, else when the analysis was created."""
        return self.status.queued_at or self.created_at

    @property
    def expected_job_name(self) -> str:
        """The Job of the present run: the recorded one, else the one that would be made."""
        return self.status.job_name or names.job_name(
            self.name, self.uid, self.status.run or 1, job_number=self.status.job_count or 1
        )


@dataclass(frozen=True, slots=True)
class PackedAnalysis:
    """An analysis that has ended, in a tenth of the memory: thousands of them are known, and few looked at again."""

    namespace: str
    uid: str
    resource_version: str
    content: bytes  # what `observe.py` reads of it, as compressed JSON
    look_at: datetime | None  # when there is something to do for it, as `decide.look_at` says


KnownAnalysis = Analysis | PackedAnalysis


# Jobs and pods are kept by the thousand as well.
@dataclass(frozen=True, slots=True)
class JobCondition:
    """A condition of a Job whose status is True."""

    type: str
    reason: str
    message: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class JobState:
    """A Job that an analysis controls."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    owner_uid: str
    created_at: datetime
    deleting_since: datetime | None
    conditions: tuple[JobCondition, ...] = ()
    secret_name: str = ""  # the Secret that its pods mount
    is_suspended: bool = False  # by somebody else: it has no pods and its deadline does not run
    started_at: datetime | None = None  # anew each time it is no longer suspended
    reuse_note: str = ""  # what its report will have followed from, as the operator wrote it

    @property
    def began_at(self) -> datetime:
        """When its deadline began to run."""
        return self.started_at or self.created_at

    def condition(self, *types: str) -> JobCondition | None:
        """The first condition of one of `types` that holds."""
        return next((condition for condition in self.conditions if condition.type in types), None)

    @property
    def is_finished(self) -> bool:
        """Whether the Job starts no more pods and has none left."""
        return self.condition("Complete", "Failed") is not None

    @property
    def is_active(self) -> bool:
        """Whether the Job still runs or starts pods."""
        return not self.is_finished and self.deleting_since is None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A container that has not started."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A container that runs."""

    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Terminated:
    """A container that ended. `message` is what it wrote to its termination message, not to be trusted."""

    exit_code: int
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def has_run(self) -> bool:
        """Whether it ever ran: a deleted pod's kubelet reports those that never did as ended, with an invented code."""
        return self.started_at is not None or self.reason != "ContainerStatusUnknown"


ContainerState = Waiting | Running | Terminated


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod of a Job, or the last that was seen of it."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    analysis_uid: str
    job_name: str
    job_uid: str
    created_at: datetime
    phase: str = "Pending"
    reason: str = ""
    is_disrupted: bool = False  # the node or the scheduler took it away (condition DisruptionTarget)
    disrupted_at: datetime | None = None  # since when that is known
    unschedulable_message: str | None = None
    scheduled_at: datetime | None = None  # when it was given a node
    gone_by: datetime | None = None  # when its grace period is over, if it is being deleted
    extract: ContainerState = Waiting()
    analyze: ContainerState = Waiting()
    is_gone: bool = False  # deleted; this is what it said last

    @property
    def has_started(self) -> bool:
        """Whether a container has run in it."""
        return any(
            isinstance(state, Running) or (isinstance(state, Terminated) and state.has_run)
            for state in (self.extract, self.analyze)
        )

    @property
    def has_ended(self) -> bool:
        """Whether nothing runs in it any more, nor will."""
        return (
            self.is_gone
            or self.phase in ("Succeeded", "Failed")
            or isinstance(self.analyze, Terminated)
            or (isinstance(self.extract, Terminated) and self.extract.exit_code != 0)
        )

    @property
    def deciding_container(self) -> Terminated | None:
        """The container whose end is the pod's end; None if none ran to such an end."""
        if isinstance(self.analyze, Terminated) and self.analyze.has_run:
            return self.analyze
        if isinstance(self.extract, Terminated) and self.extract.exit_code != 0 and self.extract.has_run:
            return self.extract
        return None


@dataclass(frozen=True)
class QuotaRefusal:
    """A Job that the namespace's quota has no room for now. `message` is the API server's."""

    message: str
    retry_at: datetime


class DocumentVersion(WireModel):
    """The version of a document that the storage has. While it stays equal, so do the bytes."""

    etag: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True)
class StoredReport:
    """An earlier report of the same input, in short."""

    result: Result
    document: DocumentInfo


@dataclass(frozen=True)
class Lookup:
    """What the object storage said when it was asked for an earlier report."""

    at: datetime | None  # None: it is not asked, in this installation
    document: DocumentVersion | None = None  # as it was then; None if there was none
    report: StoredReport | None = None
    job_name: str | None = None  # the run's Job, if it was asked for the run's own report, because that Job is gone
    is_own_stored: bool = False  # whether that report is there
    unavailable: str | None = None  # why it said nothing, in a sentence
    retry_at: datetime | None = None  # when to ask again, if it said nothing


NO_REUSE = Lookup(at=None)


@dataclass(frozen=True)
class Observation:
    """Everything that one decision looks at."""

    analysis: Analysis
    job: JobState | None = None  # the Job of the present run
    pods: tuple[PodState, ...] = ()  # of that Job, oldest first
    is_fresh: bool = False  # job and pods were just read from the API server, not remembered from a watch
    has_secret: bool = False  # the Job's Secret was made by this process
    job_rejection: str | None = None  # why the API server refused the Job, in its words
    quota_refusal: QuotaRefusal | None = None  # the namespace had no room for the Job
    secret_refusal: str | None = None  # it has a Job and no room for its Secret, in the API server's words
    has_place: bool = True  # within the limits on how many run at the same time
    has_failed: bool = False  # the last try to bring it on
    lookup: Lookup | None = NO_REUSE  # what the storage said of an earlier report; None: it was not asked yet

    @property
    def live_pods(self) -> tuple[PodState, ...]:
        """The pods in which something runs or is about to."""
        return tuple(pod for pod in self.pods if not pod.has_ended)


@dataclass(frozen=True)
class LookUpReport:
    """Ask the object storage for an earlier report of the same input."""


@dataclass(frozen=True)
class CreateJob:
    """Create the present run's Job, and its Secret."""

    name: str
    run: int


@dataclass(frozen=True)
class CreateSecret:
    """Create the Secret of a Job that has none, as far as this process knows."""

    job: JobState
    run: int


@dataclass(frozen=True)
class DeleteJob:
    """Delete a Job and wait for none of its pods."""

    name: str
    uid: str


@dataclass(frozen=True)
class DeleteAnalysis:
    """Delete the resource, if it is still the one that was decided on."""

    uid: str
    resource_version: str


Action = LookUpReport | CreateJob | CreateSecret | DeleteJob | DeleteAnalysis


class EventType(StrEnum):
    """The types of a Kubernetes Event."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True)
class EventNote:
    """An Event for people who read `kubectl describe`."""

    type: EventType
    reason: str
    message: str


@dataclass(frozen=True)
class Decision:
    """What to do now: write `status` (unless None), then `actions`, and look again after `requeue_after_seconds`.

    `can_wait` says that `status` need not be written at once: what follows it may be written in its place.

    `needs_fresh` asks to decide again on what the API server says right now: something is missing that a watch may
    merely not have delivered yet.
    """

    status: ContractAnalysisStatus | None = None
    actions: tuple[Action, ...] = ()
    events: tuple[EventNote, ...] = ()
    requeue_after_seconds: float | None = None
    can_wait: bool = False
    needs_fresh: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do now."""
        return self.status is None and not self.actions and not self.needs_fresh


NOTHING = Decision()


@dataclass(frozen=True)
class Verdict:
    """What follows from the observations for the status.

    `status` None means: not to be said yet. Then either `needs_fresh`, or what is awaited ends by `wait_until` at the
    latest.
    """

    status: ContractAnalysisStatus | None = None
    needs_fresh: bool = False
    wait_until: datetime | None = field(default=None)
