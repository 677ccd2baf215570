"""Objects as nobody would write them, against the pure functions: they never raise, and always decide."""

import contextlib
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealguard_operator.decide import decide
from dealguard_operator.errors import UnreadableResourceError
from dealguard_operator.model import Analysis, JobState, Observation, PodState
from dealguard_operator.observe import analysis_from, job_from, pod_from
from dealguard_operator.store import Store
from tests.faults import fuzzed

pytestmark = pytest.mark.timeout(1800)

EXAMPLES = 600 if os.environ.get("DEALGUARD_FAULTS") == "full" else 60
MAX_STATUS_BYTES = 8192

# A spoilt status takes one more than a good one.
PASSES = 5


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(raw=fuzzed.anything)
def test_anything_at_all_is_read_or_refused(raw: Any) -> None:
    for parse in (analysis_from, job_from, pod_from):
        for whole in (raw, {"metadata": raw}, {"metadata": {"name": raw}, "spec": raw, "status": raw}):
            if isinstance(whole, dict):
                with contextlib.suppress(UnreadableResourceError):
                    parse(whole)


@settings(max_examples=EXAMPLES * 4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    raw=fuzzed.analysis,
    raw_job=st.none() | fuzzed.job,
    raw_pods=st.lists(fuzzed.pod, max_size=3, unique_by=lambda raw: raw["metadata"]["uid"]),
    is_gone=st.booleans(),
    minutes=st.sampled_from([0, 1, 6, 120]),
)
def test_whatever_is_observed_a_decision_follows_and_settles(
    raw: Any, raw_job: Any, raw_pods: list[Any], is_gone: bool, minutes: int
) -> None:
    try:
        observed = analysis_from(raw)
        observed_job = job_from(raw_job) if raw_job else None
        pods = [pod_from(raw_pod) for raw_pod in raw_pods]
    except UnreadableResourceError:
        return
    now = datetime(2026, 11, 23, 12 + minutes // 60, minutes % 60, 0, tzinfo=UTC)
    decide(_observe(observed, observed_job, pods, is_gone), now)
    for _ in range(PASSES):
        observation = replace(_observe(observed, observed_job, pods, is_gone), is_fresh=True)
        decision = decide(observation, now)
        assert not decision.needs_fresh, "what the API server itself says is enough"
        if decision.status is None:
            return
        wire = decision.status.to_wire()
        assert len(json.dumps(wire, ensure_ascii=False).encode()) < MAX_STATUS_BYTES
        observed = analysis_from({**raw, "status": json.loads(json.dumps(wire))})
        assert observed.status.to_wire() == wire, "what is written can be read"
    raise AssertionError("deciding on its own output does not come to an end")


def _observe(analysis: Analysis, job: JobState | None, pods: list[PodState], is_gone: bool) -> Observation:
    """What the store makes of them: only the present run's Job and pods."""
    store = Store()
    store.put_analysis(analysis)
    if job is not None:
        store.put_job(job)
    for pod in pods:
        store.put_pod(pod)
        if is_gone:
            store.remove_pod(pod)
    observation = store.observe(analysis.uid)
    assert observation is not None
    return replace(observation, has_secret=True)
