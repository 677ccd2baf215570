"""What OpenAPI promises, held against the running gateway by schemathesis: real API server, real object storage."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dealguard_cluster import Cluster
from tests.cluster.gateway_tools import (
    Gateway,
    Tenants,
    a_pdf,
    complete,
    gateway_kubeconfig,
    is_completed,
    own_storage_settings,
    running_gateway,
    tenants,
    upload,
)
from tests.cluster.tools import wait_for
from tests.object_storage import ObjectStorage, running_object_storage
from tests.reports import report_with

__all__ = ["gateway_kubeconfig", "tenants"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]

# Streams do not end within a test, and logging in is the sessions' own test.
LEFT_OUT = ("followContract", "followContracts", "beginLogin", "finishLogin")
# What a random request can break: an answer that is not declared, of another shape or type, or a failure of ours.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"
CONTRACT, REPORT, DOCUMENT = "GET /contracts/{id}", "GET /contracts/{id}/report", "GET /contracts/{id}/document"
CANCEL, RERUN, ERASE = "POST /contracts/{id}/cancel", "POST /contracts/{id}/rerun", "DELETE /contracts/{id}"
JSON = "application/json"
# Answers without which the document is not held against what clients use it for.
NEEDED = [
    (CONTRACT, 200, JSON),
    (REPORT, 200, JSON),
    (REPORT, 200, "text/markdown"),
    (REPORT, 200, "text/html"),
    (DOCUMENT, 200, "application/pdf"),
    (DOCUMENT, 206, "application/pdf"),
    ("GET /contracts", 200, JSON),
    ("POST /contracts", 202, JSON),
    (CANCEL, 202, JSON),
    (RERUN, 202, JSON),
    (ERASE, 200, JSON),
]


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as storage:
        yield storage


@pytest.fixture(scope="module")
def gateway(
    cluster: Cluster, gateway_kubeconfig: Path, storage: ObjectStorage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("log")
    with running_gateway(cluster, gateway_kubeconfig, folder, **own_storage_settings(storage)) as gateway:
        yield gateway


def uploaded(client: httpx.Client, tenants: Tenants) -> str:
    answer = upload(client, tenants.namespace, a_pdf(), name="Lease.pdf", engine="rules")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def completed(client: httpx.Client, tenants: Tenants, storage: ObjectStorage) -> str:
    id_ = uploaded(client, tenants)
    complete(tenants, storage, id_, report_with("The tenant pays the rent.").model_dump_json(by_alias=True).encode())
    wait_for("the report", lambda: is_completed(client, id_), 10)
    return id_


def test_every_answer_is_one_that_openapi_declares(
    gateway: Gateway, tenants: Tenants, storage: ObjectStorage, tmp_path: Path
) -> None:
    with gateway.client(tenants.own) as client:
        whole = completed(client, tenants, storage)
        # What is changed or erased is nobody else's.
        ids = {
            CONTRACT: [whole],
            REPORT: [whole],
            DOCUMENT: [whole],
            CANCEL: [uploaded(client, tenants)],
            RERUN: [completed(client, tenants, storage)],
            ERASE: [uploaded(client, tenants), completed(client, tenants, storage)],
        }
    answers_file = tmp_path / "answers.jsonl"
    hints = {"organization": tenants.namespace, "ids": ids, "answers": str(answers_file)}
    excluded = [argument for id in LEFT_OUT for argument in ("--exclude-operation-id", id)]  # noqa: A001
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "run", f"{gateway.url}/openapi.json",
            "--header", f"Authorization: Bearer {tenants.own.token}",
            "--checks", f"{CHECKS},noted", "--phases", "examples,coverage,fuzzing",
            "--seed", "6", "--max-examples", "12", "--generation-database", "none", "--no-shrink",
            "--request-timeout", "10", "--warnings", "off", "--no-color", *excluded,
        ],
        env={
            **os.environ,
            "NO_PROXY": "127.0.0.1",
            "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("openapi_hooks.py")),
            "DEALGUARD_OPENAPI_HINTS": json.dumps(hints),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:] + gateway.log[-3000:]
    answers = Counter(tuple(json.loads(line)) for line in answers_file.read_text().splitlines())
    print(answers)
    assert not [needed for needed in NEEDED if not answers[needed]], answers
    assert gateway.process.poll() is None
    severities = {line.split('"severity": "')[1].split('"')[0] for line in gateway.log.splitlines()}
    assert severities <= {"info"}, gateway.log[-3000:]
