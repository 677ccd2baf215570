"""Erasing a contract: the analysis, its document, its reports and the notes that would bring them back; verified.

The order makes every failure before the resource goes repeatable: while something is left, the resource is there, and
says what is to be erased. So first what the caller's rights allow is tried out (a dry run of the deletion), then the
storage is cleared, then the resource goes, then the storage is looked at again, because a pod that runs may store its
report until it ends, some seconds after its resource.

What another analysis of the namespace still needs is kept, and said. Nothing outside the namespace's folders is
touched, whatever a resource says.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from dealguard_api import names
from dealguard_api.untrusted import Raw, mapping_in, mappings_in, text_in
from dealguard_gateway.access.callers import Access, Caller
from dealguard_gateway.contracts import contract_id, split_id
from dealguard_gateway.kubernetes.api import KubernetesApi, analyses_path
from dealguard_gateway.kubernetes.errors import ApiError, problems_of
from dealguard_gateway.kubernetes.store import AnalysisStore, Entry
from dealguard_gateway.model import Erasure
from dealguard_gateway.problems import Problem, UnavailableProblem, contract_not_found
from dealguard_gateway.storage.documents import DocumentStorage, StoredObject

# A pod ends within five seconds of its Job, which goes with the resource.
_AGAIN_SECONDS = (3.0, 12.0, 45.0)
_GONE_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)
_MAX_POINTER_BYTES = 64 * 1024
# Read to find those that lead to an erased report: the newest first. The sweep takes care of the rest.
_MAX_POINTERS = 5_000
_AT_A_TIME = 8
_ANOTHERS_DOCUMENT = "The document: {} is an analysis of it too. Erase that as well."
_ANOTHERS_RESULT = "A report: it is the result of {} too. Erase that as well."
_ANOTHERS_REPORT = "A report: it was made for {}. Erase that as well."
# The clocks of the storage and the API server.
_SKEW = timedelta(minutes=5)

ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """What stays because another analysis needs it.

    Args:
        what: stays, in the words of `Erasure.erased`.
        sentence: that says so; `{}` is the other analysis.
        needed_by: its id, not for everybody's eyes.
    """

    what: Literal["document", "reports"]
    sentence: str
    needed_by: str


@dataclass(frozen=True)
class Plan:
    """What is to be erased from the storage.

    Args:
        namespace: whose.
        document: key of the document; None: none of its own.
        reports: keys of reports.
        folder: prefix of the reports and checkpoints of the analysis's own runs.
        kept: what stays, and why.
        kept_keys: what stays within the folder.
        since: nothing to be erased is older.
    """

    namespace: str
    document: str | None
    reports: frozenset[str]
    folder: str
    kept: tuple[Kept, ...]
    kept_keys: frozenset[str]
    since: datetime


@dataclass
class _Needs:
    """Who needs which key."""

    documents: dict[str, str] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)


def plan_for(entry: Entry, others: Iterable[Entry]) -> Plan:
    """What of an analysis nothing else needs.

    Args:
        entry: the analysis.
        others: those of its namespace; itself may be among them.
    """
    needs = _needs_of(other for other in others if other.uid != entry.uid)
    folder = f"{names.report_prefix(entry.namespace)}{entry.uid}/"
    kept: list[Kept] = []
    document = text_in(mapping_in(mapping_in(entry.raw, "spec"), "document"), "key")
    if names.document_key_violation(document, entry.namespace) is not None:
        document = ""
    elif document in needs.documents:
        kept.append(Kept("document", _ANOTHERS_DOCUMENT, needs.documents[document]))
        document = ""
    reports: set[str] = set()
    for key in sorted(_report_keys(entry)):
        if key in needs.reports:
            kept.append(Kept("reports", _ANOTHERS_RESULT, needs.reports[key]))
        elif (owner := needs.uids.get(key.split("/")[2])) is not None:
            kept.append(Kept("reports", _ANOTHERS_REPORT, owner))
        else:
            reports.add(key)
    in_folder = frozenset(key for key in needs.reports if key.startswith(folder))
    for key in sorted(in_folder - _report_keys(entry)):
        kept.append(Kept("reports", _ANOTHERS_RESULT, needs.reports[key]))
    created_at = min(entry.contract.created_at, datetime.now(UTC))
    return Plan(
        entry.namespace, document or None, frozenset(reports), folder, tuple(kept), in_folder, created_at - _SKEW
    )


def _needs_of(others: Iterable[Entry]) -> _Needs:
    needs = _Needs()
    for other in others:
        id_ = contract_id(other.namespace, other.name)
        needs.uids[other.uid] = id_
        needs.documents[text_in(mapping_in(mapping_in(other.raw, "spec"), "document"), "key")] = id_
        for key in _report_keys(other):
            needs.reports[key] = id_
    return needs


def _report_keys(entry: Entry) -> set[str]:
    """The reports that an analysis refers to, within its namespace's folder."""
    prefix = names.report_prefix(entry.namespace)
    return {
        key
        for key in _references(mapping_in(entry.raw, "status"))
        if key.startswith(prefix) and len(key.split("/")) == 4 and not {"", ".", ".."} & set(key.split("/"))
    }


def _references(status: Raw) -> Iterator[str]:
    yield text_in(mapping_in(mapping_in(status, "result"), "report"), "key")
    for run in mappings_in(status, "runs"):
        yield text_in(mapping_in(run, "report"), "key")


async def told(kept: Kept, caller: Caller, access: Access) -> str:
    """What the caller is told of it: the other analysis by its id only if they may see it.

    Raises:
        UnavailableProblem: the API server does not answer.
    """
    namespace, name = split_id(kept.needed_by)
    is_known = await access.may(caller, "get", namespace, name)
    return kept.sentence.format(kept.needed_by if is_known else "another analysis")


class Eraser:
    """Erases one contract after another.

    Args:
        kubernetes: asked with the caller's credentials; whether it is gone, with the gateway's own.
        store: who else needs what.
        documents: the storage.
        access: which other analyses the caller may know of.
    """

    def __init__(
        self, kubernetes: KubernetesApi, store: AnalysisStore, documents: DocumentStorage, access: Access
    ) -> None:
        self._kubernetes = kubernetes
        self._store = store
        self._documents = documents
        self._access = access

    async def erase(self, entry: Entry, caller: Caller) -> Erasure:
        """Erase it, and say what is gone.

        Raises:
            Problem: it could not be erased, or not all of it. The resource is still there: the same request goes on.
                (What fails after the resource has gone is told in `kept`.)
        """
        if not self._store.synced:
            raise UnavailableProblem(
                "cluster-unavailable", "The gateway has not read all contracts yet. Repeat the request a little later."
            )
        await self._delete(entry, caller, is_dry=True)
        plan = plan_for(entry, self._store.in_namespace(entry.namespace))
        kept = [await told(each, caller, self._access) for each in plan.kept]
        await self._clear(plan)
        self._documents.later(self._clear_again(plan, entry.uid))
        await self._delete(entry, caller)
        is_gone = await self._is_gone(entry)
        if is_gone:
            self._store.remove(entry.raw)
        else:
            kept.append(_HELD)
        keeps_reports = any(each.what == "reports" for each in plan.kept)
        try:
            await self._clear(plan)
        except Problem:
            keeps_reports = True
            kept.append(_NOT_VERIFIED)
        gone = {"analysis": is_gone, "document": plan.document is not None, "reports": not keeps_reports}
        return Erasure(erased=[what for what, is_erased in gone.items() if is_erased], kept=kept)

    async def _delete(self, entry: Entry, caller: Caller, *, is_dry: bool = False) -> None:
        """Delete the resource, or look whether the caller may."""
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            # One of the same name that came later is another contract.
            "preconditions": {"uid": entry.uid},
            "propagationPolicy": "Background",
            **({"dryRun": ["All"]} if is_dry else {}),
        }
        try:
            await self._kubernetes.request(
                "DELETE",
                analyses_path(entry.namespace, entry.name),
                credentials=caller.credentials,
                body=options,
            )
        except ApiError as error:
            if is_dry and error.status == 400:  # a webhook that cannot be asked without consequences
                return
            if error.status in (404, 409):  # 409: another uid
                if is_dry:
                    self._store.remove(entry.raw)
                    raise contract_not_found() from None
                return
            raise problems_of(error) from None

    async def _is_gone(self, entry: Entry) -> bool:
        """Whether the resource is; a finalizer of somebody else's may hold it."""
        for pause_seconds in _GONE_PAUSES_SECONDS:
            try:
                raw = await self._kubernetes.request(
                    "GET", analyses_path(entry.namespace, entry.name), credentials=None
                )
            except ApiError as error:
                if error.status == 404:
                    return True
            else:
                if text_in(mapping_in(raw, "metadata"), "uid") != entry.uid:
                    return True
                self._store.put(raw)
            await asyncio.sleep(pause_seconds)
        return False

    async def _clear(self, plan: Plan) -> None:
        """Remove what the plan says, and look that it is gone.

        Raises:
            UnavailableProblem: the storage does not do its part, or something came back.
        """
        own = await self._documents.list_keys(plan.folder)
        going = {item.key for item in own} - plan.kept_keys | plan.reports
        # First what would lead to them, so that no new analysis is completed by a report that goes.
        await self._remove_all(await self._pointers_to(going, plan))
        going |= {plan.document} if plan.document else set()
        await self._remove_all(going)
        left = [item.key for item in await self._documents.list_keys(plan.folder) if item.key not in plan.kept_keys]
        elsewhere = [key for key in going if not key.startswith(plan.folder)]
        left += [found.key for found in await _few_at_a_time(map(self._documents.find, elsewhere)) if found is not None]
        if left:
            raise UnavailableProblem(
                "erasure-incomplete",
                "Not everything could be erased yet: it is still being written. Send the request again in a few "
                "seconds.",
            )

    async def _clear_again(self, plan: Plan, uid: str) -> None:
        """What a pod stored while it was being ended; nothing of an analysis that is there all the same."""
        for pause_seconds in _AGAIN_SECONDS:
            is_last = await self._documents.pause(pause_seconds)
            try:
                # An analysis of the same document may have come since.
                needs = _needs_of(self._store.in_namespace(plan.namespace))
                if uid in needs.uids:
                    return
                document = None if plan.document in needs.documents else plan.document
                await self._clear(
                    Plan(
                        plan.namespace,
                        document,
                        plan.reports - needs.reports.keys(),
                        plan.folder,
                        plan.kept,
                        frozenset(needs.reports),
                        plan.since,
                    )
                )
            except Problem:
                logger.warning("What was erased could not be looked for again: the sweep removes what is left.")
            if is_last:
                return

    async def _pointers_to(self, reports: set[str], plan: Plan) -> set[str]:
        """The notes for reuse that lead to these reports: they hold the summary, too."""
        pointers = [
            item
            for item in await self._documents.list_keys(names.cache_prefix(plan.namespace))
            if item.modified_at >= plan.since and item.size_bytes <= _MAX_POINTER_BYTES
        ]
        pointers.sort(key=lambda item: item.modified_at, reverse=True)
        targets = await _few_at_a_time(map(self._target_of, pointers[:_MAX_POINTERS]))
        return {
            pointer.key
            for pointer, target in zip(pointers, targets, strict=False)
            if target in reports or (target.startswith(plan.folder) and target not in plan.kept_keys)
        }

    async def _target_of(self, pointer: StoredObject) -> str:
        """The report that a note leads to; empty if it is none."""
        content = await self._documents.read(pointer.key, _MAX_POINTER_BYTES)
        try:
            parsed = json.loads(content or b"{}")
        except ValueError:
            return ""
        if not isinstance(parsed, dict):
            return ""
        return text_in(mapping_in(mapping_in(parsed, "result"), "report"), "key")

    async def _remove_all(self, keys: set[str]) -> None:
        await _few_at_a_time(map(self._documents.remove, sorted(keys)))


_HELD = (
    "The analysis itself: something in the cluster (a finalizer) holds its deletion back. It goes when that lets go; "
    "`kubectl describe` shows it."
)
_NOT_VERIFIED = (
    "Perhaps a report that a running analysis stored in its last seconds: the object storage could not be looked "
    "through at the end. It is erased when that is possible again, else by the installation's sweep."
)


async def _few_at_a_time(work: Iterable[Awaitable[ResultT]]) -> list[ResultT]:
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def one(item: Awaitable[ResultT]) -> ResultT:
        async with limit:
            return await item

    return await asyncio.gather(*(one(item) for item in work))
