"""Creates analyses (or bare Jobs) and takes the time of what happens to them, from two watches in one process."""

import asyncio
import copy
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.operator.api import ANALYSES, CORE, JOBS, Api, NotDoneError, Raw

# As many as DealGuard's operator and the twin have workers: the loop of bare Jobs is not slower by itself.
_CREATORS = 16
_POLL_SECONDS = 0.05


@dataclass
class Times:
    """When things happened to one analysis, in seconds of the Unix clock."""

    created: float
    job_seen: float | None = None
    done: float | None = None
    outcome: str = ""


@dataclass
class Load:
    """The analyses of one namespace; `template` makes it bare Jobs instead."""

    api: Api
    namespace: str
    template: Raw | None = None
    times: dict[str, Times] = field(default_factory=dict)
    _jobs_seen: dict[str, float] = field(default_factory=dict)
    _done: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def create(self, name: str) -> None:
        """Create one; its time counts from the API server's answer, when it exists."""
        if self.template is None:
            await self.api.request(
                "POST", f"{ANALYSES}/namespaces/{self.namespace}/contractanalyses", _analysis(self.namespace, name)
            )
        else:
            await self.api.request("POST", f"{JOBS}/namespaces/{self.namespace}/jobs", _bare_job(self.template, name))
        self.times[name] = Times(time.time())

    async def create_many(self, prefix: str, count: int) -> None:
        """Create `count` as fast as the API server takes them."""
        numbers = iter(range(count))

        async def creator() -> None:
            for number in numbers:
                await self.create(f"{prefix}-{number}")

        await asyncio.gather(*(creator() for _ in range(_CREATORS)))

    async def restore_many(self, prefix: str, like: str, count: int) -> None:
        """Create `count` that have ended already: with the status of the one named `like`, under their own names.

        An operator that sees one before its status is there lines it up; nobody may be given its place, so each is
        created suspended.
        """
        path = f"{ANALYSES}/namespaces/{self.namespace}/contractanalyses"
        status = (await self.api.request("GET", f"{path}/{like}"))["status"]
        numbers = iter(range(count))

        async def restorer() -> None:
            for number in numbers:
                name = f"{prefix}-{number}"
                manifest = _analysis(self.namespace, name)
                manifest["spec"]["suspend"] = True
                created = await self.api.request("POST", path, manifest)
                # A patch without a version: the operator may have written meanwhile that it is suspended.
                generation = created["metadata"]["generation"]
                body = {"status": {**status, "stage": None, "observedGeneration": generation}}
                await self.api.request("PATCH", f"{path}/{name}/status", body, kind="application/merge-patch+json")

        await asyncio.gather(*(restorer() for _ in range(_CREATORS)))

    async def wait(
        self, is_there: Callable[[Times], bool], what: str, *, prefix: str = "", timeout_seconds: float = 1800
    ) -> list[Times]:
        """Wait until `is_there` for all that are named so, and return their times."""
        end = time.monotonic() + timeout_seconds
        while True:
            mine = [self._complete(name, times) for name, times in self.times.items() if name.startswith(prefix)]
            open_ones = sum(not is_there(times) for times in mine)
            if not open_ones:
                return mine
            if time.monotonic() > end:
                raise NotDoneError(f"{open_ones} of {len(mine)} in {self.namespace} without: {what}")
            await asyncio.sleep(_POLL_SECONDS)

    async def wait_done(self, prefix: str = "", *, timeout_seconds: float = 1800) -> list[Times]:
        """Wait until all have ended; each must have ended well."""
        times = await self.wait(
            lambda one: one.done is not None, "an end", prefix=prefix, timeout_seconds=timeout_seconds
        )
        if failed := [one.outcome for one in times if one.outcome not in ("Completed", "Complete")]:
            raise NotDoneError(f"{len(failed)} of {len(times)} ended as {failed[0]}")
        return times

    async def exit_times(self) -> dict[str, float]:
        """When each analysis's container exited, as the stand-in noted it."""
        exits = {}
        for pod in await self.api.list(f"{CORE}/namespaces/{self.namespace}/pods"):
            owner = pod["metadata"]["labels"]
            message = pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"]
            name = owner["job-name"] if self.template is not None else owner["dealguard.io/analysis-name"]
            exits[name] = float(message.partition("exit ")[2].partition('"')[0])
        return exits

    def _complete(self, name: str, times: Times) -> Times:
        times.job_seen = self._jobs_seen.get(name)
        times.done, times.outcome = self._done.get(name, (None, ""))
        return times

    def _see_job(self, job: Raw) -> None:
        now = time.time()
        owners = job["metadata"].get("ownerReferences", [])
        name = owners[0]["name"] if owners else job["metadata"]["name"]
        self._jobs_seen.setdefault(name, now)
        if self.template is not None:
            for condition in job.get("status", {}).get("conditions", []):
                if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
                    self._done.setdefault(name, (now, condition["type"]))

    def _see_analysis(self, analysis: Raw) -> None:
        phase = analysis.get("status", {}).get("phase", "")
        if phase in ("Completed", "Failed", "Cancelled"):
            self._done.setdefault(analysis["metadata"]["name"], (time.time(), phase))

    async def _follow(self, path: str, see: Callable[[Raw], None]) -> None:
        async for event in self.api.watch(path):
            if event["type"] in ("ADDED", "MODIFIED"):
                see(event["object"])


@asynccontextmanager
async def watched(api: Api, namespace: str, template: Raw | None = None) -> AsyncIterator[Load]:
    """A load whose analyses and Jobs are watched until the end of the block. Both are, whoever is measured."""
    load = Load(api, namespace, template)
    async with asyncio.TaskGroup() as tasks:
        watches = [
            tasks.create_task(load._follow(f"{JOBS}/namespaces/{namespace}/jobs", load._see_job)),
            tasks.create_task(load._follow(f"{ANALYSES}/namespaces/{namespace}/contractanalyses", load._see_analysis)),
        ]
        try:
            yield load
        finally:
            for watch in watches:
                watch.cancel()


def _analysis(namespace: str, name: str) -> Raw:
    return {
        "apiVersion": "dealguard.io/v1alpha1",
        "kind": "ContractAnalysis",
        "metadata": {"name": name},
        "spec": {"document": {"key": f"documents/{namespace}/contract.pdf"}, "engine": "rules"},
    }


def _bare_job(template: Raw, name: str) -> Raw:
    job: dict[str, Any] = copy.deepcopy(template)
    job["metadata"]["name"] = name
    return job
