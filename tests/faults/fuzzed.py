"""Objects as nobody would write them, drawn by Hypothesis: mostly what belongs there, now and then anything."""

import json
from typing import Any

from hypothesis import strategies as st

from dealguard_api import names
from dealguard_api.exit_codes import ExitCode
from tests.unit.operator_cases import KEY, NAME, NAMESPACE, UID

leaf = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-11-23T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-23T12:00:00"])
)
anything = st.recursive(leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))

TIMES = st.sampled_from(
    [
        "2026-11-23T12:00:03Z",
        "2026-11-23T12:04:00Z",
        "2026-11-23T13:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:00:00Z",
    ]
)
JOB_NAME = names.job_name(NAME, UID, 1)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what belongs there, now and then anything."""
    return st.integers(0, 11).flatmap(lambda dice: anything if dice == 0 else strategy)


message = maybe(
    st.fixed_dictionaries(
        {},
        optional={
            "result": maybe(
                st.fixed_dictionaries(
                    {
                        "riskLevel": maybe(st.sampled_from(["Low", "High"])),
                        "riskScore": maybe(st.integers(-5, 30)),
                        "findings": maybe(st.just({"total": 1})),
                        "summary": maybe(st.text(max_size=1200)),
                        "report": maybe(
                            st.fixed_dictionaries(
                                {
                                    "key": st.sampled_from(
                                        [names.report_key(NAMESPACE, UID, 1), "reports/other/1.json"]
                                    ),
                                    "sha256": st.just("ab" * 32),
                                }
                            )
                        ),
                        "engine": maybe(st.sampled_from(["rules", "claude"])),
                    }
                )
            ),
            "failure": maybe(
                st.fixed_dictionaries({"reason": st.text(max_size=70), "message": st.text(max_size=1200)})
            ),
            "usage": maybe(st.fixed_dictionaries({"inputTokens": maybe(st.integers()), "costUSD": maybe(st.text())})),
            "document": maybe(st.fixed_dictionaries({"sha256": st.just("ab" * 32), "bytes": st.integers()})),
        },
    ).map(lambda value: json.dumps(value, default=str))
)
state = maybe(
    st.one_of(
        st.fixed_dictionaries({"waiting": maybe(st.just({"reason": "ImagePullBackOff"}))}),
        st.fixed_dictionaries({"running": maybe(st.fixed_dictionaries({"startedAt": maybe(TIMES)}))}),
        st.fixed_dictionaries(
            {
                "terminated": maybe(
                    st.fixed_dictionaries(
                        {
                            "exitCode": maybe(st.sampled_from([0, 1, 137, 143, -1, 2**40, *map(int, ExitCode)])),
                            "reason": maybe(
                                st.sampled_from(["Completed", "Error", "OOMKilled", "ContainerStatusUnknown"])
                            ),
                            "message": message,
                            "startedAt": maybe(TIMES),
                            "finishedAt": maybe(TIMES),
                        }
                    )
                )
            }
        ),
    )
)


def _containers(name: str) -> st.SearchStrategy[Any]:
    return maybe(st.lists(maybe(st.fixed_dictionaries({"name": maybe(st.just(name)), "state": state})), max_size=2))


pod = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {
                "namespace": st.just(NAMESPACE),
                "name": st.sampled_from(["a", "b", "c"]).map(lambda letter: f"{JOB_NAME}-{letter}"),
                "uid": st.sampled_from(["pod-1", "pod-2", "pod-3"]),
                "resourceVersion": st.just("9"),
                "creationTimestamp": maybe(TIMES),
                "labels": maybe(st.just({names.LABEL_UID: UID})),
                "ownerReferences": maybe(
                    st.just([{"kind": "Job", "name": JOB_NAME, "uid": "job", "controller": True}]),
                ),
            }
        ),
        "status": maybe(
            st.fixed_dictionaries(
                {
                    "phase": maybe(st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"])),
                    "reason": maybe(st.sampled_from(["", "Evicted", "NodeLost", "DeadlineExceeded"])),
                    "conditions": maybe(
                        TIMES.map(
                            lambda time: [{"type": "DisruptionTarget", "status": "True", "lastTransitionTime": time}]
                        )
                    ),
                    "initContainerStatuses": _containers("extract"),
                    "containerStatuses": _containers("analyze"),
                }
            )
        ),
    }
)
job = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {
                "namespace": st.just(NAMESPACE),
                "name": st.just(JOB_NAME),
                "uid": st.just("job"),
                "resourceVersion": st.just("8"),
                "creationTimestamp": maybe(TIMES),
                "deletionTimestamp": maybe(st.none()),
                "ownerReferences": maybe(st.just([{"kind": names.KIND, "uid": UID, "controller": True}])),
            }
        ),
        "spec": maybe(st.fixed_dictionaries({"suspend": maybe(st.booleans()), "template": anything})),
        "status": maybe(
            st.fixed_dictionaries(
                {
                    "startTime": maybe(TIMES),
                    "conditions": maybe(
                        st.lists(
                            st.fixed_dictionaries(
                                {
                                    "type": maybe(
                                        st.sampled_from(["Failed", "FailureTarget", "Complete", "Suspended"])
                                    ),
                                    "status": maybe(st.just("True")),
                                    "reason": maybe(st.sampled_from(["DeadlineExceeded", "BackoffLimitExceeded"])),
                                    "message": maybe(
                                        st.sampled_from(["failed with exit code 25 matching", "x" * 5000])
                                    ),
                                    "lastTransitionTime": maybe(TIMES),
                                }
                            ),
                            max_size=2,
                        )
                    ),
                }
            )
        ),
    }
)
analysis = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {
                "namespace": st.just(NAMESPACE),
                "name": st.just(NAME),
                "uid": st.just(UID),
                "resourceVersion": st.just("7"),
                "generation": st.integers(1, 3),
            }
        ),
        "spec": st.fixed_dictionaries(
            {"document": maybe(st.fixed_dictionaries({"key": maybe(st.just(KEY))}))},
            optional={
                "suspend": st.booleans(),
                "cancel": st.booleans(),
                "runToken": st.sampled_from(["a", "b"]),
                "ttlSecondsAfterFinished": maybe(st.integers(0, 315_360_000)),
                "backoffLimit": maybe(st.integers(0, 10)),
            },
        ),
        "status": st.fixed_dictionaries(
            {},
            optional={
                "phase": st.sampled_from(["Pending", "Processing", "Completed", "Failed", "Cancelled"]),
                "run": maybe(st.integers(1, 3)),
                "jobName": maybe(st.sampled_from([JOB_NAME, "another"])),
                "jobCount": maybe(st.integers(1, 3)),
                "startedAt": TIMES,
                "finishedAt": TIMES,
                "attempts": maybe(st.just([{"podName": f"{JOB_NAME}-a", "reason": "Evicted"}])),
                "conditions": maybe(
                    st.just(
                        [
                            {
                                "type": "Ready",
                                "status": "False",
                                "reason": "Unschedulable",
                                "message": "x",
                                "lastTransitionTime": "2026-11-23T12:00:00Z",
                            }
                        ]
                    )
                ),
            },
        ),
    }
)
