"""The parts of a story: frozen, with aware times in UTC."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from dealguard_api.text import one_line

# A line is read on a screen; the rest is where it came from.
_MAX_TEXT = 300


class SourceKind(StrEnum):
    """Which of the sources an entry is from."""

    RESOURCE = "resource"
    JOB = "job"
    POD = "pod"
    CONTAINER = "container"
    EVENT = "event"
    LOG = "log"


class Level(StrEnum):
    """How much attention an entry deserves."""

    NORMAL = "normal"
    WARNING = "warning"
    ERROR = "error"


class Rank(IntEnum):
    """What comes first where times are equal: most of them are whole seconds."""

    CREATED = 0
    QUEUED = 1
    JOB = 2
    POD = 3
    SCHEDULED = 4
    BEFORE_START = 5
    START = 6
    LOG = 7
    END = 8
    ATTEMPT = 9
    JOB_END = 10
    FINISHED = 11
    AFTER = 12


@dataclass(frozen=True)
class Source:
    """Where an entry is from: `name` is the container, or the kind of object that an Event is about."""

    kind: SourceKind
    name: str = ""
    pod: str = ""

    def __str__(self) -> str:
        shown = str(self.name if self.kind is SourceKind.CONTAINER else self.kind)
        parts = [shown, self.name if self.kind in (SourceKind.EVENT, SourceKind.LOG) else "", self.pod[-5:]]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Entry:
    """One thing that happened, `count` times from `time` until `until`."""

    time: datetime
    source: Source
    text: str
    rank: Rank
    level: Level = Level.NORMAL
    count: int = 1
    until: datetime | None = None
    is_out_of_step: bool = False  # by its clock it would stand elsewhere: what it follows from says a later time

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", shortened(self.text))


@dataclass(frozen=True)
class Stage:
    """How long one stage took; `seconds` None: not known, and `note` says why."""

    name: str
    seconds: float | None
    note: str = ""


@dataclass(frozen=True)
class Headline:
    """Where the analysis stands."""

    state: str
    reason: str | None
    since: datetime | None
    why: str
    next_step: str


@dataclass(frozen=True)
class Story:
    """Everything there is to tell."""

    namespace: str
    name: str
    uid: str
    run: int
    headline: Headline
    entries: tuple[Entry, ...]
    stages: tuple[Stage, ...]
    attempts: int | None
    cost_usd: str | None  # None: nothing is recorded
    has_unknown_cost: bool
    gaps: tuple[str, ...]
    began_at: datetime | None  # what the relative times count from


def shortened(text: str) -> str:
    """On one line and of bounded length: servers, runtimes and images say what they like."""
    line = one_line(text)
    return line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT].rstrip()}…"
