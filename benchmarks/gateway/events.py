"""How long a change of status takes to the client that follows it by server-sent events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp

from benchmarks.gateway.place import User, write_status
from benchmarks.gateway.servers import System
from benchmarks.operator.api import Api, BenchmarkError

_TIMEOUT_SECONDS = 30.0


async def measure_events(
    system: System, api: Api, contracts: Sequence[tuple[User, str]], changes: int, *, per_second: float
) -> list[float]:
    """Milliseconds from the moment that the status is sent to the API server until its own follower has read it.

    Args:
        system: the gateway.
        api: writes the statuses, as the operator would.
        contracts: each has one follower; they change in turn.
        changes: how many are measured.
        per_second: how often one changes.
    """
    latencies: list[float] = []
    async with _followers(system, contracts) as arrivals:
        for number in range(changes):
            user, name = contracts[number % len(contracts)]
            began = time.monotonic()
            run = number // len(contracts) + 2
            waiting = arrivals[name, run] = asyncio.get_running_loop().create_future()
            await write_status(api, user.organization, name, attemptCount=run)
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                latencies.append((await waiting - began) * 1000)
            await asyncio.sleep(max(0.0, 1 / per_second - (time.monotonic() - began)))
    return latencies


@asynccontextmanager
async def _followers(
    system: System, contracts: Sequence[tuple[User, str]]
) -> AsyncIterator[dict[tuple[str, int], "asyncio.Future[float]"]]:
    """One client for each contract; what it reads of a number of attempts ends the wait for it."""
    arrivals: dict[tuple[str, int], asyncio.Future[float]] = {}
    connected = asyncio.Semaphore(0)

    async def follow(session: aiohttp.ClientSession, user: User, name: str) -> None:
        path = f"/contracts/{user.organization}.{name}/events"
        async with session.get(path, headers={"Authorization": f"Bearer {user.token}"}) as answer:
            if answer.status != 200:
                raise BenchmarkError(f"{path} was answered {answer.status}: {await answer.text()}")
            connected.release()
            async for line in answer.content:
                if line.startswith(b"data: "):
                    waiting = arrivals.get((name, json.loads(line[6:])["attempts"]))
                    if waiting is not None and not waiting.done():
                        waiting.set_result(time.monotonic())

    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(system.url, connector=connector, timeout=timeout) as session,
        asyncio.TaskGroup() as tasks,
    ):
        clients = [tasks.create_task(follow(session, user, name)) for user, name in contracts]
        for _ in contracts:
            await connected.acquire()
        try:
            yield arrivals
        finally:
            for client in clients:
                client.cancel()
