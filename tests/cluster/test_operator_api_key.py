"""The installation's own API key on the real API server: where it is copied to, and for how long."""

import base64
from typing import Any

import pytest

from dealguard_api.pod import API_KEY_FILE
from tests.cluster.operator_tools import (
    Analyses,
    Kubelet,
    analyses,
    environment,
    kubelet,
    running_operator,
    secret_name,
)
from tests.cluster.tools import wait_for

__all__ = ["analyses", "environment", "kubelet"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]

KEY = "sk-ant-the-installations-own"


def _secrets(analyses: Analyses) -> dict[str, dict[str, str]]:
    """What each Secret of the namespace says, by its name."""
    found = analyses.kubectl.items("secrets", analyses.namespace)
    return {
        secret["metadata"]["name"]: {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        for secret in found
    }


def _job_with_secret(analyses: Analyses, name: str) -> tuple[dict[str, Any], dict[str, str]]:
    """An analysis's Job, and what its Secret says, once both are there."""
    (job,) = wait_for("the Job", lambda: analyses.jobs(name))
    return job, wait_for("its Secret", lambda: _secrets(analyses).get(secret_name(job)))


def test_it_is_in_the_secret_of_each_job_that_may_need_it_and_goes_with_the_job(
    analyses: Analyses, kubelet: Kubelet, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_operator({**environment, "DEALGUARD_API_KEY": KEY}, monkeypatch):
        for engine in ("claude", "auto", "rules"):
            analyses.create(engine, engine=engine)
        for engine in ("claude", "auto"):
            assert _job_with_secret(analyses, engine)[1][API_KEY_FILE] == KEY
        _, of_rules = _job_with_secret(analyses, "rules")
        assert API_KEY_FILE not in of_rules
        assert KEY not in of_rules.values()

        job, _ = _job_with_secret(analyses, "claude")
        kubelet.pod("claude")
        analyses.kubectl.check("-n", analyses.namespace, "delete", "job", job["metadata"]["name"])
        assert analyses.wait_finished("claude")["failure"]["reason"] == "JobDeleted"
        wait_for("its Secret to be gone", lambda: secret_name(job) not in _secrets(analyses))
        analyses.kubectl.check("-n", analyses.namespace, "delete", "ca", "auto", "rules")
        wait_for("all Secrets to be gone", lambda: not _secrets(analyses))
    visible = analyses.kubectl.check("-n", analyses.namespace, "get", "ca,jobs,pods,events", "-o", "json")
    assert KEY not in visible


def test_without_the_setting_no_secret_has_a_key(
    analyses: Analyses, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_operator(environment, monkeypatch):
        analyses.create("lease", engine="claude")
        job, secret = _job_with_secret(analyses, "lease")
    assert API_KEY_FILE not in secret
    volumes = [volume["secret"] for volume in job["spec"]["template"]["spec"]["volumes"] if "secret" in volume]
    (of_namespace,) = [volume for volume in volumes if volume.get("optional")]
    assert of_namespace["secretName"] == "dealguard-claude", "the namespace's own"
