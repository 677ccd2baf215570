"""Follows analyses until each is finished: by a watch that may be cut at any time.

Level, not edge: every time the watch ends (its own timeout, a forgotten version, a lost connection) a new snapshot
tells where things stand, so nothing that happened in between is missed.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.adapters.cluster import Cluster
from dealguard_cli.errors import CliReason, UnavailableError

# Short, so that a connection that died silently is noticed within a minute; a new watch costs one list of a few items.
_WATCH_SECONDS = 30
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class Selection:
    """Which analyses are followed: those of `namespace` that `label_selector` matches."""

    namespace: str
    label_selector: str


class Observer(Protocol):
    """Who is told what happens."""

    def changed(self, analysis: Analysis) -> None:
        """`analysis` is as it now stands; also told when nothing of interest changed."""

    def deleted(self, analysis: Analysis) -> None:
        """`analysis`, as last seen, is gone."""

    def disconnected(self, message: str) -> None:
        """The cluster does not answer; it is tried again."""

    def connected(self) -> None:
        """The cluster answers."""


class Followed:
    """The analyses that are followed, as last seen."""

    def __init__(self, analyses: Sequence[Analysis], observer: Observer) -> None:
        self._latest = {analysis.uid: analysis for analysis in analyses}
        self._deleted: set[str] = set()
        self.observer = observer

    @property
    def analyses(self) -> list[Analysis]:
        """All of them, in the order in which they were submitted."""
        return list(self._latest.values())

    @property
    def all_ended(self) -> bool:
        """Whether each is finished or deleted."""
        return not self.unfinished

    @property
    def unfinished(self) -> list[Analysis]:
        """Those that go on."""
        return [each for uid, each in self._latest.items() if not each.is_finished and uid not in self._deleted]

    def is_deleted(self, analysis: Analysis) -> bool:
        """Whether it is gone."""
        return analysis.uid in self._deleted

    def see(self, analysis: Analysis) -> None:
        """Take in the state of one; others' are ignored."""
        if analysis.uid in self._latest and analysis.uid not in self._deleted:
            self._latest[analysis.uid] = analysis
            self.observer.changed(analysis)

    def see_deleted(self, uid: str) -> None:
        """Take in that one is gone. A finished one stays finished, as after its time to live."""
        if uid in self._latest and uid not in self._deleted and not self._latest[uid].is_finished:
            self._deleted.add(uid)
            self.observer.deleted(self._latest[uid])

    def see_snapshot(self, analyses: Sequence[Analysis]) -> None:
        """Take in the state of all: those that are missing are gone."""
        for analysis in analyses:
            self.see(analysis)
        for uid in self._latest.keys() - {analysis.uid for analysis in analyses}:
            self.see_deleted(uid)


def follow(cluster: Cluster, selection: Selection, followed: Followed, timeout_seconds: float) -> None:
    """Return when all have ended or the time is over: `followed` tells which.

    Raises:
        UnavailableError: the cluster refuses. While it merely does not answer, it is tried again.
    """
    ends_at = time.monotonic() + timeout_seconds
    pause_seconds = _FIRST_PAUSE_SECONDS
    while not followed.all_ended and (remaining_seconds := ends_at - time.monotonic()) > 0:
        try:
            _follow_once(cluster, selection, followed, ends_at)
            pause_seconds = _FIRST_PAUSE_SECONDS
        except UnavailableError as error:
            if error.reason != CliReason.CLUSTER_UNAVAILABLE:
                raise
            followed.observer.disconnected(error.message)
            time.sleep(min(pause_seconds, remaining_seconds))
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)


def _follow_once(cluster: Cluster, selection: Selection, followed: Followed, ends_at: float) -> None:
    """One snapshot and one watch from there on."""
    snapshot = cluster.snapshot(selection.namespace, selection.label_selector)
    followed.observer.connected()
    followed.see_snapshot(snapshot.analyses)
    remaining_seconds = ends_at - time.monotonic()
    if followed.all_ended or remaining_seconds <= 0:
        return
    watch_seconds = min(_WATCH_SECONDS, math.ceil(remaining_seconds))
    changes = cluster.changes(selection.namespace, selection.label_selector, snapshot.resource_version, watch_seconds)
    for change in changes:
        if change.deleted:
            followed.see_deleted(change.analysis.uid)
        else:
            followed.see(change.analysis)
        if followed.all_ended or time.monotonic() >= ends_at:
            return
