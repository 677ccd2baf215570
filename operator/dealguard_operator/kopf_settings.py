"""How Kopf is set, each setting with its reason."""

from typing import Any

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from dealguard_api import names
from dealguard_operator.connection import ANALYSES
from dealguard_operator.kubernetes_api import (
    CONNECT_SECONDS,
    REQUEST_TIMEOUT_SECONDS,
    WATCH_INACTIVITY_SECONDS,
    WATCH_SECONDS,
)
from dealguard_operator.settings import OperatorSettings


class _NoDiffs(kopf.DiffBaseStorage):
    """No comparison of an object with what it was: `on.event` handlers, and there are only those, never see one.

    Kopf prepares it all the same, by deep copies of each object in each event: a sixth of the operator's CPU time.
    """

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        raise NotImplementedError("a handler that compares needs kopf.AnnotationsDiffBaseStorage here")


class NoMemories(ResourceMemories):
    """No memory of an object from one event to the next: `on.event` handlers need none.

    Kopf keeps 1 KB of each, so 10 MB with 10,000 analyses that have ended. (`kopf.operator` takes another object in its
    place, but its class is not among the names that Kopf exports.)
    """

    async def recall(self, raw_body: Any, **kwargs: Any) -> ResourceMemory:
        """A new memory each time."""
        return await super().recall(raw_body, **{**kwargs, "ephemeral": True})


def kopf_settings(settings: OperatorSettings) -> kopf.OperatorSettings:
    """Kopf's settings for this operator."""
    kopfs = kopf.OperatorSettings()

    # Nothing of Kopf's is written into a resource (there are only `on.event` handlers). Should a handler ever be added
    # that needs it, it shall be under our own name.
    kopfs.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=names.GROUP)
    kopfs.persistence.diffbase_storage = _NoDiffs()
    kopfs.persistence.finalizer = f"{names.GROUP}/kopf"

    # Several operators may share the analyses; the API server picks this one's, so that it pays for no others.
    if settings.analysis_selector:
        kopfs.watching.label_selectors[names.GROUP, names.VERSION, names.PLURAL] = settings.analysis_selector

    # A watch is renewed before load balancers tend to cut idle connections (5 min), with a limit on our side a little
    # later in case the server does not keep to it.
    kopfs.watching.server_timeout = WATCH_SECONDS
    kopfs.watching.client_timeout = WATCH_SECONDS + 30
    kopfs.watching.connect_timeout = CONNECT_SECONDS
    # A connection that went dead without a word shows in missing bookmarks, which come every 60 s.
    kopfs.watching.inactivity_timeout = WATCH_INACTIVITY_SECONDS

    # By default the first list is one answer, of which all decoded objects are there at once: 200 MB for 10,000.
    kopfs.watching.chunk_size = ANALYSES.page_size

    # The default of 300 s would let one lost answer stop a watch from starting for five minutes.
    kopfs.networking.request_timeout = REQUEST_TIMEOUT_SECONDS
    kopfs.networking.connect_timeout = CONNECT_SECONDS
    # By default Kopf gives up after 54 s and the process ends. An API server that restarts takes longer, and a
    # restarted operator waits in CrashLoopBackOff for longer still: wait here, never more than 5 s past its return.
    kopfs.networking.error_backoffs = (1, 1, 2, 3, *[5] * 120)

    # Handlers only note what they saw, so a worker is done at once. Without a limit each object of a first list gets a
    # task of its own; with the default idle time of 5 s, 50 workers would take 100 s for 1,000 objects.
    kopfs.queueing.worker_limit = 50
    kopfs.queueing.idle_timeout = 0.01
    kopfs.queueing.exit_timeout = 0.5

    # An object that Kopf fails on waits for so long, or for its next event. `NoMemories` makes every failure the first.
    # Without it, the default delays grow to ten minutes, for which Kopf is deaf to the object.
    kopfs.queueing.error_delays = (1,)

    # For a handler that does not say it itself, as those of main.py do: the default is 60 s.
    kopfs.execution.default_backoff = 5

    # Events are written explicitly, by the reconciler: log lines are no Events.
    kopfs.posting.enabled = False
    kopfs.posting.loggers = False

    # Alone: Kopf's peering needs a resource of its own.
    kopfs.peering.standalone = True

    # Watching for new resource definitions needs cluster-wide rights; with Roles alone it ends in 54 s of refusals.
    kopfs.scanning.disabled = bool(settings.namespaces)
    return kopfs
