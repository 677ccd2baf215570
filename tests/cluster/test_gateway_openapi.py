"""What OpenAPI promises, held against the running gateway by schemathesis: real API server, real object storage."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.gateway_tools import Gateway, Tenants, gateway, gateway_kubeconfig, tenants

__all__ = ["gateway", "gateway_kubeconfig", "tenants"]  # fixtures

pytestmark = pytest.mark.cluster

# Streams do not end within a test, and logging in is the sessions' own test.
LEFT_OUT = ("followContract", "followContracts", "beginLogin", "finishLogin")
# What a random request can break: an answer that is not declared, of another shape or type, or a failure of ours.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"


def test_every_answer_is_one_that_openapi_declares(gateway: Gateway, tenants: Tenants, tmp_path: Path) -> None:
    tenants.create("described", annotations={"dealguard.io/file-name": "Lease.pdf"})
    excluded = [argument for id in LEFT_OUT for argument in ("--exclude-operation-id", id)]  # noqa: A001
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "run", f"{gateway.url}/openapi.json",
            "--header", f"Authorization: Bearer {tenants.own.token}",
            "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
            "--seed", "6", "--max-examples", "8", "--generation-database", "none", "--no-shrink",
            "--request-timeout", "10", "--warnings", "off", "--no-color", *excluded,
        ],
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:] + gateway.log[-3000:]
    assert gateway.process.poll() is None
    severities = {line.split('"severity": "')[1].split('"')[0] for line in gateway.log.splitlines()}
    assert severities <= {"info"}, gateway.log[-3000:]
