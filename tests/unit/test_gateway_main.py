"""The process: what it does when a part of it fails, and what the chart gives it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dealguard_gateway import main
from dealguard_gateway.http.streams import MAX_STREAMS
from dealguard_gateway.kubernetes.api import Connection, TokenFile
from dealguard_gateway.kubernetes.watch import AnalysisWatch
from tests.unit.gateway_settings import settings

CHART = Path(__file__).parents[2] / "charts" / "dealguard"


async def _serve(monkeypatch: pytest.MonkeyPatch) -> int:
    async def connection(_: Mapping[str, str]) -> Connection:
        return Connection("http://127.0.0.1:1", TokenFile(Path("/nowhere")))

    monkeypatch.setattr(main, "find_connection", connection)
    monkeypatch.setattr(main, "check_page", lambda _: None)
    monkeypatch.setattr(main, "collect_rarely", lambda: None)
    async with asyncio.timeout(60):
        return await main.serve(settings(HOST="127.0.0.1", PORT="0", HEALTH_PORT="0"))


@pytest.mark.parametrize("failure", [RuntimeError("secret words"), None])
async def test_a_gateway_whose_watch_ends_makes_room_for_another(
    failure: Exception | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(_: AnalysisWatch) -> None:
        await asyncio.sleep(0.1)
        if failure:
            raise failure

    monkeypatch.setattr(AnalysisWatch, "run", run)
    assert await _serve(monkeypatch) == 1
    assert "the watch of the analyses has ended unexpectedly" in caplog.text


async def test_a_watch_that_is_ended_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    class Watch(AnalysisWatch):
        def __init__(self) -> None:
            pass

        async def run(self) -> None:
            await asyncio.Event().wait()

    given_up: list[None] = []
    async with main.watching(Watch(), lambda: given_up.append(None)):
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not given_up
    assert "unexpectedly" not in caplog.text


def test_streams_fit_into_the_memory_that_the_chart_gives() -> None:
    gateway: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())["gateway"]
    limit = gateway["resources"]["limits"]["memory"]
    assert limit.endswith("Mi")
    assert int(limit.removesuffix("Mi")) * 1024 * 1024 / 4 > MAX_STREAMS * 50_000, "the store and uploads need some too"


def test_a_replica_may_work_before_another_one_comes() -> None:
    gateway: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())["gateway"]
    request = gateway["resources"]["requests"]["cpu"]
    share = gateway["autoscaling"]["targetCPUUtilizationPercentage"]
    assert int(request.removesuffix("m")) * share / 100 >= 150, "of a thousandth of a CPU"
