"""The operator's liveness: a reconciler that sees nothing any more, or has ended, asks for a restart."""

import asyncio
import logging

import kmock as mock
import kopf
import pytest
from kubernetes.aio import client

from dealguard_operator.main import Operator
from tests.unit.operator_cases import settings

pytestmark = pytest.mark.kmock(cls=mock.RawHandler)


async def test_it_is_live_until_the_last_look_is_too_long_ago() -> None:
    times = [1000.0]
    nowhere = client.Configuration(host="http://127.0.0.1:9")
    operator = Operator(settings(RESYNC_SECONDS="30"), nowhere, clock=lambda: times[0])
    with pytest.raises(kopf.PermanentError):
        operator.check()
    await operator.start()
    times[0] += 5 * 30 + 60
    assert operator.check() == "running", "an API server that restarts is no reason"
    times[0] += 1
    with pytest.raises(kopf.PermanentError, match="could not be listed for 211 s"):
        operator.check()
    await operator.stop()


async def test_why_the_reconciler_ended_is_logged_by_type(
    kmock: mock.RawHandler, caplog: pytest.LogCaptureFixture
) -> None:
    kmock["get"] << {"items": ["contract text"]}
    operator = Operator(settings(), client.Configuration(host=str(kmock.url).rstrip("/")))
    with caplog.at_level(logging.ERROR):
        await operator.start()
        while not caplog.records:  # noqa: ASYNC110 - a log line sets no event
            await asyncio.sleep(0.01)
    assert "The reconciler ended (AttributeError)" in caplog.text
    assert "contract text" not in caplog.text
    with pytest.raises(kopf.PermanentError, match="not running"):
        operator.check()
    await operator.stop()
