"""`python -m dealguard_operator sweep`: remove from the object storage what no analysis needs any more.

A dry run unless `--delete` is given. Nothing is removed before its grace period is over, and nothing at all unless all
analyses could be listed. The storage is listed first and the analyses after it: what appears meanwhile is not judged.
What was first seen without an owner when is noted under `sweep/`, so the period runs from there, also in dry runs.
"""

import argparse
import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pydantic

from dealguard_api.base import WireModel
from dealguard_api.resource import Phase
from dealguard_api.untrusted import Raw
from dealguard_operator import errors
from dealguard_operator.kubernetes_api import KubernetesApi, client_configuration
from dealguard_operator.policies.orphans import Living, Sort, is_dangling, is_due, is_orphan, sort_of
from dealguard_operator.policies.reuse import report_of_pointer
from dealguard_operator.report_storage import ReportStorage, StoredObject
from dealguard_operator.settings import OperatorSettings

_DEFAULT_GRACE_SECONDS = 7 * 24 * 3600
# A lookup that read a pointer just before its removal has its status written by then, or is made again.
_SETTLE_SECONDS = 30.0
_MAX_POINTER_BYTES = 64 * 1024
_MAX_RECORD_BYTES = 256 * 1024 * 1024
_KEYS_SHOWN = 20
_AT_A_TIME = 8
# Some seconds' work, after which all analyses are listed again: a new one may need what nothing needed before.
_REMOVED_AT_ONCE = 500
_RECORDS = "sweep/"


class Record(WireModel):
    """What a sweep notes of one namespace."""

    orphan_since: dict[str, datetime] = {}


@dataclass(frozen=True)
class Survey:
    """What a sweep found."""

    orphans: list[StoredObject]  # all that nothing needs, pointers apart
    due: list[StoredObject]  # those among them whose grace period is over
    pointers: list[StoredObject]  # that lead nowhere, or to what is due


class Sweep:
    """One sweep.

    Args:
        storage: the object storage.
        api: the API server.
        namespaces: the namespaces to look at; empty: all.
        grace: how long an object is kept after it was first seen without an owner.
        now: the time.
        settle_seconds: between removing the pointers to a report and looking a last time whether it is needed.
    """

    def __init__(
        self,
        storage: ReportStorage,
        api: KubernetesApi,
        *,
        namespaces: Sequence[str],
        grace: timedelta,
        now: datetime,
        settle_seconds: float = _SETTLE_SECONDS,
    ) -> None:
        self._storage = storage
        self._api = api
        self._namespaces = namespaces
        self._grace = grace
        self._now = now
        self._settle_seconds = settle_seconds

    async def survey(self) -> Survey:
        """Look at everything, and note since when nothing needs what nothing needs.

        Raises:
            errors.ApiError, errors.StorageUnavailableError: not everything could be seen.
        """
        # A report is stored before its pointer, so one that is listed after the pointers is there if it ever was.
        pointers = await self._list("cache/")
        reports = await self._list("reports/")
        documents = await self._list("documents/")
        living = await self._living()
        orphans = [item for item in (*reports, *documents) if is_orphan(item.key, living)]
        since = await self._note(orphans)
        due = [item for item in orphans if is_due(since[item.key], item.modified_at, self._now, self._grace)]
        present, going = {item.key for item in reports}, {item.key for item in due}
        targets = await _few_at_a_time(self._target(pointer) for pointer in pointers)
        dangling = [
            pointer
            for pointer, target in zip(pointers, targets, strict=True)
            if sort_of(pointer.key) is Sort.POINTER
            and is_dangling(target, present, going)
            and (target in going or pointer.modified_at + self._grace <= self._now)
        ]
        return Survey(orphans, due, dangling)

    async def remove(self, survey: Survey) -> list[StoredObject]:
        """Remove what is due and still needed by nothing; what was removed.

        Raises:
            errors.ApiError, errors.StorageUnavailableError: it stopped on its way; the next one goes on.
        """
        removed = await self._remove_unchanged(survey.pointers)
        if removed:
            await asyncio.sleep(self._settle_seconds)
        for start in range(0, len(survey.due), _REMOVED_AT_ONCE):
            living = await self._living()
            due = [item for item in survey.due[start : start + _REMOVED_AT_ONCE] if is_orphan(item.key, living)]
            removed += await self._remove_unchanged(due)
        return removed

    async def _list(self, prefix: str) -> list[StoredObject]:
        prefixes = [f"{prefix}{namespace}/" for namespace in self._namespaces] or [prefix]
        return [item for each in prefixes for item in await self._storage.list_objects(each)]

    async def _living(self) -> Living:
        raws = [raw for namespace in self._namespaces or (None,) async for raw in self._api.list_analyses(namespace)]
        return living_from(raws)

    async def _target(self, pointer: StoredObject) -> str | None:
        return report_of_pointer(await self._storage.read(pointer.key, _MAX_POINTER_BYTES) or b"")

    async def _note(self, orphans: Iterable[StoredObject]) -> dict[str, datetime]:
        """By key, since when it is known that nothing needs it."""
        by_namespace: dict[str, dict[str, datetime]] = {}
        for item in orphans:
            by_namespace.setdefault(_namespace_of(item.key), {})[item.key] = self._now
        records = {f"{_RECORDS}{namespace}.json": new for namespace, new in by_namespace.items()}
        for record in await self._storage.list_objects(_RECORDS):
            namespace = record.key.removeprefix(_RECORDS).removesuffix(".json")
            if record.key not in records and (not self._namespaces or namespace in self._namespaces):
                await self._storage.remove(record.key)  # nothing there is without an owner any more
        since: dict[str, datetime] = {}
        for key, new in records.items():
            before = _record_from(await self._storage.read(key, _MAX_RECORD_BYTES)).orphan_since
            now = {orphan: before.get(orphan, first_seen) for orphan, first_seen in new.items()}
            if now != before:
                await self._storage.write(key, json.dumps(Record(orphan_since=now).to_wire()).encode())
            since.update(now)
        return since

    async def _remove_unchanged(self, items: Iterable[StoredObject]) -> list[StoredObject]:
        async def remove(item: StoredObject) -> StoredObject | None:
            if not _is_same(item, await self._storage.find(item.key)):
                return None  # put again since it was listed
            await self._storage.remove(item.key)
            return item

        return [item for item in await _few_at_a_time(remove(item) for item in items) if item is not None]


def living_from(raws: Iterable[Raw]) -> Living:
    """What `raws` need: read leniently, because what another version wrote needs its report as well."""
    runs: dict[str, tuple[int, bool]] = {}
    documents: set[str] = set()
    reports: set[str] = set()
    for raw in raws:
        status = raw.get("status") or {}
        run = status.get("run")
        has_ended = status.get("phase") in {phase for phase in Phase if phase.is_terminal}
        runs[raw["metadata"]["uid"]] = (run if isinstance(run, int) else 0, has_ended)
        documents.add(_at(raw, "spec", "document", "key"))
        reports.add(_at(status, "result", "report", "key"))
        reports.update(_at(earlier, "report", "key") for earlier in status.get("runs") or [])
    return Living(runs, frozenset(documents - {""}), frozenset(reports - {""}))


def _at(raw: object, *path: str) -> str:
    for name in path:
        raw = raw.get(name) if isinstance(raw, Mapping) else None
    return raw if isinstance(raw, str) else ""


def _record_from(content: bytes | None) -> Record:
    try:
        return Record.model_validate_json(content or b"{}")
    except pydantic.ValidationError:
        return Record()  # the periods begin anew


def _namespace_of(key: str) -> str:
    return key.split("/", 2)[1]


def _is_same(listed: StoredObject, found: StoredObject | None) -> bool:
    if found is None:
        return False
    # A HEAD tells whole seconds.
    modified_at = listed.modified_at.replace(microsecond=0)
    return (found.etag, found.size_bytes, found.modified_at) == (listed.etag, listed.size_bytes, modified_at)


async def _few_at_a_time(work: Iterable[Any]) -> list[Any]:
    limit = asyncio.Semaphore(_AT_A_TIME)

    async def one(item: Any) -> Any:
        async with limit:
            return await item

    return await asyncio.gather(*(one(item) for item in work))


def summary(items: Sequence[StoredObject]) -> list[str]:
    """How many objects of which sort, of what size, and the first keys."""
    counts, sizes = Counter[str](), Counter[str]()
    for item in items:
        counts[sort_of(item.key) or "others"] += 1
        sizes[sort_of(item.key) or "others"] += item.size_bytes
    lines = [f"  {sort:<12} {counts[sort]:>8} {_size(sizes[sort]):>12}" for sort in Sort if counts[sort]]
    lines += [f"    {item.key}" for item in items[:_KEYS_SHOWN]]
    hidden = len(items) - _KEYS_SHOWN
    return [*lines, f"    … and {hidden} more"] if hidden > 0 else lines


def _size(size_bytes: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} GiB"


async def _run(settings: OperatorSettings, *, is_dry: bool, grace: timedelta, settle_seconds: float) -> list[str]:
    """What was done, in lines; the last says what to do next."""
    storage = ReportStorage(settings)
    api = KubernetesApi(await client_configuration())
    sweep = Sweep(
        storage,
        api,
        namespaces=settings.namespaces,
        grace=grace,
        now=datetime.now(UTC),
        settle_seconds=settle_seconds,
    )
    try:
        survey = await sweep.survey()
        waiting = len(survey.orphans) - len(survey.due)
        later = [f"Needed by no analysis, but not yet for {_days(grace)}: {waiting} objects."] if waiting else []
        due = [*survey.due, *survey.pointers]
        if not due:
            return ["There is nothing to remove.", *later, "Next: nothing to do; run it again now and then."]
        if is_dry:
            head = f"Dry run: {len(due)} objects would be removed."
            return [head, *summary(due), *later, "Next: python -m dealguard_operator sweep --delete"]
        removed = await sweep.remove(survey)
        kept = len(due) - len(removed)
        changed = [f"Kept, because they are needed or were put again meanwhile: {kept} objects."] if kept else []
        head = f"Removed {len(removed)} objects."
        return [head, *summary(removed), *changed, *later, "Next: nothing to do; run it again now and then."]
    finally:
        await storage.close()
        await api.close()


def _days(grace: timedelta) -> str:
    days = grace.total_seconds() / 86400
    return f"{days:g} days" if days >= 1 else f"{grace.total_seconds():.0f} s"


def main(arguments: Sequence[str]) -> int:
    """Sweep once; the process's exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m dealguard_operator sweep",
        description="Remove stored reports, documents, checkpoints and pointers that no analysis needs any more.",
        epilog="Its environment is the operator's. Exit codes: 0 done, 1 not (run it again), 2 wrong settings.",
    )
    parser.add_argument("--delete", action="store_true", help="remove; without it, only show what would be removed")
    parser.add_argument(
        "--grace-seconds",
        type=int,
        default=_DEFAULT_GRACE_SECONDS,
        help="how long an object is kept after a sweep first found it without an owner (default: %(default)s)",
    )
    parser.add_argument("--settle-seconds", type=float, default=_SETTLE_SECONDS, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.grace_seconds < 0:
        parser.error("--grace-seconds must be 0 or more")
    try:
        settings = OperatorSettings.from_environment(os.environ)
        lines = asyncio.run(
            _run(
                settings,
                is_dry=not chosen.delete,
                grace=timedelta(seconds=chosen.grace_seconds),
                settle_seconds=chosen.settle_seconds,
            )
        )
    except errors.SettingsError as error:
        return _say(2, [str(error)], to=sys.stderr)
    except errors.ApiError as error:
        what = f"The sweep stopped: not all analyses could be listed ({error.message})."
        return _say(1, [what, "What is needed is unknown, so nothing more was removed. Run it again."], to=sys.stderr)
    except errors.StorageUnavailableError as error:
        return _say(1, [f"The sweep stopped: {error.message} Run it again: it takes up the rest."], to=sys.stderr)
    return _say(0, lines)


def _say(exit_code: int, lines: Iterable[str], *, to: Any = None) -> int:
    (to or sys.stdout).write("\n".join(lines) + "\n")
    return exit_code
