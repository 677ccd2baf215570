"""The whole way, from the upload to `completed`, and what is lost when what works on it is killed."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import redis.asyncio
from pypdf import PdfReader, PdfWriter

from benchmarks.gateway.old_system_data import old_token
from benchmarks.gateway.place import REPOSITORY, User
from benchmarks.gateway.servers import OLD, System, old_environment, start_worker
from benchmarks.operator.api import BenchmarkError
from benchmarks.operator.processes import group_cpu_seconds

_SAMPLE = REPOSITORY / "samples" / "license-agreement.en.pdf"
_FINISHED = ("completed", "failed", "cancelled")
_POLL_SECONDS = 0.05
_marks = itertools.count(time.time_ns())


def sample_pdf(copies: int = 1) -> bytes:
    """A contract that was never uploaded before: the same bytes would be the same analysis."""
    content = _SAMPLE.read_bytes()
    if copies > 1:
        writer = PdfWriter()
        for _ in range(copies):
            writer.append(PdfReader(_SAMPLE))
        writer.write(buffer := BytesIO())
        content = buffer.getvalue()
    return content + b"\n%% %d\n" % next(_marks)


@dataclass
class Client:
    """Somebody who uploads and polls, the same for each system."""

    system: System
    user: User
    session: aiohttp.ClientSession = field(init=False)

    async def __aenter__(self) -> "Client":
        token = old_token() if self.system.contender == OLD else self.user.token
        connector = aiohttp.TCPConnector(limit=0)
        headers = {"Authorization": f"Bearer {token}"}
        self.session = aiohttp.ClientSession(self.system.url, connector=connector, headers=headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def upload(self, content: bytes) -> str:
        """Send a PDF; the contract's id."""
        form = aiohttp.FormData()
        if self.system.contender != OLD:
            form.add_field("engine", "rules")
        form.add_field("file", content, filename="contract.pdf", content_type="application/pdf")
        query = {} if self.system.contender == OLD else {"organization": self.user.organization}
        async with self.session.post("/contracts", params=query, data=form) as answer:
            if answer.status != 202:
                raise BenchmarkError(f"the upload was answered {answer.status}: {await answer.text()}")
            body: dict[str, Any] = await answer.json()
            return str(body["id"])

    async def status(self, id: str) -> str:  # noqa: A002
        """Where it stands."""
        async with self.session.get(f"/contracts/{id}") as answer:
            if answer.status != 200:
                raise BenchmarkError(f"the poll was answered {answer.status}: {await answer.text()}")
            return str((await answer.json())["status"])

    async def wait(self, id: str, timeout_seconds: float) -> str:  # noqa: A002
        """The last status: a finished one, or what it was when the time was over."""
        end = time.monotonic() + timeout_seconds
        while True:
            status = await self.status(id)
            if status in _FINISHED or time.monotonic() > end:
                return status
            await asyncio.sleep(_POLL_SECONDS)


async def whole_way(client: Client, *, timeout_seconds: float = 600) -> tuple[float, float]:
    """One contract: seconds until the upload was accepted, and until `completed` was read."""
    content = sample_pdf()
    began = time.monotonic()
    contract = await client.upload(content)
    accepted = time.monotonic() - began
    status = await client.wait(contract, timeout_seconds)
    if status != "completed":
        raise BenchmarkError(f"{client.system.contender}: a contract ended as {status}")
    return accepted, time.monotonic() - began


async def many_ways(client: Client, count: int, *, at_once: bool) -> tuple[list[float], list[float], dict[str, float]]:
    """`count` contracts: seconds until each was accepted, and completed; CPU seconds of the processes and the node."""
    own, node = client.system.cpu_seconds(), node_cpu_seconds(client.system)
    if at_once:
        times = await asyncio.gather(*(whole_way(client) for _ in range(count)))
    else:
        times = [await whole_way(client) for _ in range(count)]
    spent = {
        "own_cpu_seconds": client.system.cpu_seconds() - own,
        "node_cpu_seconds": node_cpu_seconds(client.system) - node,
    }
    return [accepted for accepted, _ in times], [done for _, done in times], spent


async def at_rest(system: System, seconds: float) -> dict[str, Any]:
    """What it costs to have nothing to do: CPU per second, and memory of each process, the node's included."""
    own, node = system.cpu_seconds(), node_cpu_seconds(system)
    await asyncio.sleep(seconds)
    return {
        "own_cpu_per_second": (system.cpu_seconds() - own) / seconds,
        "node_cpu_per_second": (node_cpu_seconds(system) - node) / seconds,
        "own_memory_mb": system.memory_mb(),
        "node_memory_mb": {} if system.contender == OLD else _node_memory_mb(system),
    }


def node_cpu_seconds(system: System) -> float:
    """Of everything in the node so far, pods and all; the old system has none."""
    return 0.0 if system.contender == OLD else group_cpu_seconds(system.place.cluster.layout.cgroup)


async def killed_in_the_middle(client: Client, count: int, copies: int, limit_seconds: float) -> dict[str, Any]:
    """`count` contracts at once; SIGKILL to what works on them: ours one pod's process, theirs the worker.

    The worker is started again at once, as a supervisor would. What has not been completed `limit_seconds` after that
    counts as open; `marker_seconds` is how long ARQ still keeps others from the jobs that were under way.
    """
    contents = [sample_pdf(copies) for _ in range(count)]
    contracts = [await client.upload(content) for content in contents]
    is_old = client.system.contender == OLD
    await _until(lambda: _is_worked_on(client, contracts), 120)
    killed = _kill_worker(client.system) if is_old else _kill_pod(client.system)
    began = time.monotonic()
    before = [await client.status(contract) for contract in contracts]
    marker = 0.0
    if is_old:
        marker = await _marker_seconds(client.system)
        start_worker(client.system)

    async def finished(contract: str) -> tuple[str, float]:
        return await client.wait(contract, limit_seconds), time.monotonic() - began

    ends = await asyncio.gather(*(finished(contract) for contract in contracts))
    return {
        "killed_processes": killed,
        "statuses_at_the_kill": before,
        "statuses_at_the_end": [status for status, _ in ends],
        "seconds_until_completed": [seconds for status, seconds in ends if status == "completed"],
        "not_completed": sum(status != "completed" for status, _ in ends),
        "limit_seconds": limit_seconds,
        "marker_seconds": marker,
    }


async def _is_worked_on(client: Client, contracts: list[str]) -> bool:
    if client.system.contender == OLD:
        return "processing" in [await client.status(contract) for contract in contracts]
    return bool(_analyzers(client.system))


def _kill_worker(system: System) -> int:
    part = system.parts["worker"]
    part.process.kill()
    part.process.wait()
    return 1


def _kill_pod(system: System) -> int:
    """Every process of one pod's container that works on a document."""
    group = Path(f"/proc/{_analyzers(system)[0]}/cgroup").read_text()
    killed = 0
    for process_id in _analyzers(system):
        with suppress(OSError):
            if Path(f"/proc/{process_id}/cgroup").read_text() == group:
                os.kill(process_id, signal.SIGKILL)
                killed += 1
    return killed


def _analyzers(system: System) -> list[int]:
    return [number for number, words in _commands(system) if b"dealguard_analyzer" in words]


def _commands(system: System) -> list[tuple[int, bytes]]:
    found = []
    for number in sorted(system.place.process_ids()):
        with suppress(OSError):
            found.append((number, Path(f"/proc/{number}/cmdline").read_bytes()))
    return found


def _node_memory_mb(system: System) -> dict[str, float]:
    memory: dict[str, float] = {}
    for number, words in _commands(system):
        with suppress(OSError, StopIteration):
            status = Path(f"/proc/{number}/status").read_text().splitlines()
            kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
            name = Path(words.split(b"\0")[0].decode()).name
            memory[name] = memory.get(name, 0.0) + kilobytes * 1024 / 1e6
    return memory


async def _marker_seconds(system: System) -> float:
    async with redis.asyncio.Redis(unix_socket_path=old_environment(system)["BENCH_REDIS_SOCKET"]) as client:
        keys = [key async for key in client.scan_iter("arq:in-progress:*")]
        return max([await client.pttl(key) / 1000 for key in keys], default=0.0)


async def _until(probe: Callable[[], Awaitable[bool]], timeout_seconds: float) -> None:
    end = time.monotonic() + timeout_seconds
    while not await probe():
        if time.monotonic() > end:
            raise BenchmarkError("nothing began to work on the contracts")
        await asyncio.sleep(0.02)
