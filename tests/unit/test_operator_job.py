"""The Job and the Secret of a run: what may reach a pod that reads hostile input, and what may not."""

import json
import re
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dealguard_api import names, pod
from dealguard_api.exit_codes import PERMANENT, ExitCode
from dealguard_api.prices import PriceTable
from dealguard_operator.job import job_manifest, secret_manifest
from dealguard_operator.observe import job_from
from dealguard_operator.presign import Presigner
from tests.unit.operator_cases import (
    JOB_UID,
    KEY,
    NAME,
    NAMESPACE,
    REPORT_KEY,
    SECRET_NAME,
    SHA256,
    UID,
    analysis,
    job,
    settings,
)

JOB_NAME = names.job_name(NAME, UID, 1)
CHECKPOINT_KEY = names.checkpoint_key(NAMESPACE, UID, 1)
CHECKPOINT_URLS = ["checkpoint-get-url", "checkpoint-put-url", "checkpoint-delete-url"]
LABELS = {
    "app.kubernetes.io/managed-by": "dealguard-operator",
    "app.kubernetes.io/component": "analyzer",
    "dealguard.io/analysis-name": NAME,
    "dealguard.io/analysis-uid": UID,
    "dealguard.io/run": "1",
}


PRICES = {"claude-haiku-5-5": {"contextTokens": 500_000, "prices": []}}


def build(more: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return job_manifest(analysis(**spec), JOB_NAME, 1, settings(**(more or {})))


def pod_spec(manifest: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def environment(container: dict[str, Any]) -> dict[str, str]:
    """As the kubelet sets it: $$ is a dollar sign, $(NAME) a variable listed before."""
    values: dict[str, str] = {}
    for item in container["env"]:
        values[item["name"]] = re.sub(
            r"\$\$|\$\((\w+)\)",
            lambda match: "$" if match[1] is None else values.get(match[1], match[0]),
            item["value"],
        )
    return values


def secret(chosen: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    urls = Presigner(settings()).urls_for(KEY, REPORT_KEY, CHECKPOINT_KEY, valid_seconds=300)
    return secret_manifest(analysis(**spec), job(), 1, urls, settings(**(chosen or {})))


def test_the_job_belongs_to_the_analysis_and_ends_by_itself() -> None:
    manifest = build(deadlineSeconds=120, backoffLimit=2)
    assert manifest["metadata"] == {
        "name": JOB_NAME,
        "namespace": NAMESPACE,
        "labels": LABELS,
        "ownerReferences": [
            {
                "apiVersion": "dealguard.io/v1alpha1",
                "kind": "ContractAnalysis",
                "name": NAME,
                "uid": UID,
                "controller": True,
            }
        ],
    }
    spec = {key: value for key, value in manifest["spec"].items() if key not in ("template", "podFailurePolicy")}
    assert spec == {
        "activeDeadlineSeconds": 120,
        "backoffLimit": 2,
        "ttlSecondsAfterFinished": 86400,
        "podReplacementPolicy": "Failed",
    }
    assert manifest["spec"]["template"]["metadata"]["labels"] == LABELS, "the operator's watch on pods selects on them"


def test_permanent_exit_codes_fail_the_job_in_both_containers() -> None:
    rules = build()["spec"]["podFailurePolicy"]["rules"]
    codes = sorted(int(code) for code in PERMANENT)
    assert [rule["action"] for rule in rules] == ["FailJob", "FailJob", "Ignore"]
    assert [(rule["onExitCodes"]["containerName"], rule["onExitCodes"]["values"]) for rule in rules[:2]] == [
        ("extract", codes),
        ("analyze", codes),
    ]
    assert rules[2]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert int(ExitCode.ENGINE_UNAVAILABLE) not in codes, "passing codes are retried"


def test_the_pod_is_restricted() -> None:
    spec = pod_spec(build())
    assert spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["terminationGracePeriodSeconds"] == 5
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for container in (*spec["initContainers"], *spec["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["terminationMessagePolicy"] == "File", "a log's last lines could quote the contract"
        assert container["resources"]["limits"]["memory"]
        assert container["image"] == "registry.example/analyzer:1"


def test_each_container_runs_its_part() -> None:
    spec = pod_spec(build())
    assert [(c["name"], c["args"]) for c in spec["initContainers"]] == [("extract", ["extract"])]
    assert [(c["name"], c["args"]) for c in spec["containers"]] == [("analyze", ["analyze"])]
    assert "command" not in json.dumps(spec), "the image's own entry point"


@pytest.mark.parametrize(
    ("engine", "analyze_volumes"),
    [
        ("claude", {"analyze-job", "work", "api-key"}),
        ("auto", {"analyze-job", "work", "api-key"}),
        ("rules", {"analyze-job", "work"}),
    ],
)
def test_each_container_sees_only_its_own_secrets(engine: str, analyze_volumes: set[str]) -> None:
    spec = pod_spec(build(engine=engine))
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    extract, analyze = spec["initContainers"][0], spec["containers"][0]
    assert {mount["name"] for mount in extract["volumeMounts"]} == {"extract-job", "work"}
    assert {mount["name"] for mount in analyze["volumeMounts"]} == analyze_volumes
    assert set(volumes) == {"extract-job"} | analyze_volumes
    keys = {name: [item["key"] for item in volumes[name]["secret"]["items"]] for name in ("extract-job", "analyze-job")}
    assert keys == {
        "extract-job": ["document-url", "deadline"],
        "analyze-job": ["report-get-url", "report-put-url", *CHECKPOINT_URLS, "deadline"],
    }
    assert len({volumes[name]["secret"]["secretName"] for name in keys}) == 1
    assert {volumes[name]["secret"]["defaultMode"] for name in keys} == {0o444}
    writable = [(c["name"], m["name"]) for c in (extract, analyze) for m in c["volumeMounts"] if not m["readOnly"]]
    assert writable == [("extract", "work")]
    assert volumes["work"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "268435456"}


def test_the_installations_own_api_key_goes_into_the_jobs_secret_where_it_is_needed() -> None:
    chosen = {"API_KEY": "sk-installation"}
    assert secret(chosen)["stringData"]["api-key"] == "sk-installation"
    volumes = {volume["name"]: volume for volume in pod_spec(build(chosen))["volumes"]}
    assert volumes["api-key"]["secret"]["items"] == [{"key": "api-key", "path": "api-key"}]
    assert volumes["api-key"]["secret"]["secretName"] == volumes["analyze-job"]["secret"]["secretName"]
    (analyze,) = pod_spec(build(chosen))["containers"]
    assert "DEALGUARD_API_KEY_SECRET" not in environment(analyze), "a tenant cannot correct that key"
    assert "sk-installation" not in json.dumps(build(chosen)), "the Job's manifest is no secret"
    assert "api-key" not in secret(chosen, engine="rules")["stringData"]
    assert "api-key" not in {volume["name"] for volume in pod_spec(build(chosen, engine="rules"))["volumes"]}


def test_the_api_key_is_optional_and_named_by_the_installation() -> None:
    more = {"API_KEY_SECRET_NAME": "our-key", "API_KEY_SECRET_KEY": "anthropic"}
    spec = pod_spec(build(more, engine="auto"))
    (volume,) = [volume for volume in spec["volumes"] if volume["name"] == "api-key"]
    assert volume["secret"] == {
        "secretName": "our-key",
        "defaultMode": 0o444,
        "optional": True,
        "items": [{"key": "anthropic", "path": "api-key"}],
    }
    (mount,) = [mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "api-key"]
    assert mount["mountPath"] == pod.API_KEY_MOUNT_PATH


def test_what_the_analysis_asks_for_reaches_its_container() -> None:
    spec = pod_spec(
        build(
            {
                "MAX_PAGES": "7",
                "ANTHROPIC_BASE_URL": "http://claude.example",
                "MODEL": "claude-haiku-5-5",
                "EFFORT": "low",
                "MAX_OUTPUT_TOKENS": "9000",
                "MAX_INPUT_TOKENS": "90000",
                "PRICES": json.dumps(PRICES),
            },
            document={"key": KEY, "sha256": SHA256},
            engine="claude",
            language="de",
            perspective="Käufer",
            maxCostUSD="0.50",
        )
    )
    extract, analyze = environment(spec["initContainers"][0]), environment(spec["containers"][0])
    assert pod.ExtractSettings.from_environment(extract) == pod.ExtractSettings(expected_sha256=SHA256, max_pages=7)
    assert pod.AnalyzeSettings.from_environment(analyze) == pod.AnalyzeSettings(
        engine="claude",
        language="de",
        perspective="Käufer",
        max_cost_usd="0.50",
        anthropic_base_url="http://claude.example",
        model="claude-haiku-5-5",
        effort="low",
        max_output_tokens=9_000,
        max_input_tokens=90_000,
        prices=PriceTable.model_validate(PRICES),
        api_key_secret=f"{NAMESPACE}/dealguard-claude",
        report_key=REPORT_KEY,
    )


def test_a_text_with_dollar_signs_arrives_as_it_was_written() -> None:
    perspective = "A$$AP $(DEALGUARD_MODEL) $(DEALGUARD_ENGINE) $"
    analyze = environment(pod_spec(build(perspective=perspective))["containers"][0])
    assert analyze["DEALGUARD_PERSPECTIVE"] == perspective


def test_the_job_carries_no_credential() -> None:
    text = json.dumps(build(engine="claude"))
    for secret_text in ("the-access-key", "the-secret-key", "X-Amz", "storage.example"):
        assert secret_text not in text


def test_the_secret_belongs_to_the_job_and_carries_urls_and_deadline_only() -> None:
    manifest = secret()
    assert manifest["metadata"]["name"] == SECRET_NAME
    assert manifest["metadata"]["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "Job", "name": JOB_NAME, "uid": JOB_UID, "controller": True}
    ]
    urls = {"document-url", "report-get-url", "report-put-url", *CHECKPOINT_URLS}
    assert set(manifest["stringData"]) == urls | {"deadline"}
    assert pod.parse_deadline(manifest["stringData"]["deadline"]).isoformat() == "2026-11-23T12:05:01+00:00"
    assert "the-secret-key" not in json.dumps(manifest)


def test_nobody_can_guess_the_secrets_name_and_the_job_tells_it() -> None:
    raw = [build(), build()]
    for manifest in raw:
        manifest["metadata"] |= {"uid": JOB_UID, "resourceVersion": "1", "creationTimestamp": "2026-11-23T12:00:01Z"}
    first, second = (job_from(manifest).secret_name for manifest in raw)
    assert first != second
    assert first.startswith(f"{JOB_NAME}-")
    assert len(first) == len(JOB_NAME) + 17, "64 bits"


def test_the_urls_are_signed_for_the_host_that_pods_use_and_outlive_the_deadline() -> None:
    urls = Presigner(settings()).urls_for(
        "documents/acme/Mietvertrag Büro.pdf", REPORT_KEY, CHECKPOINT_KEY, valid_seconds=300
    )
    signed = asdict(urls)
    checkpoint = f"/dealguard/reports/{NAMESPACE}/{UID}/1.checkpoint.json"
    assert {name: urlsplit(url).path for name, url in signed.items()} == {
        "document_get": "/dealguard/documents/acme/Mietvertrag%20B%C3%BCro.pdf",
        "report_get": f"/dealguard/{REPORT_KEY}",
        "report_put": f"/dealguard/{REPORT_KEY}",
        "checkpoint_get": checkpoint,
        "checkpoint_put": checkpoint,
        "checkpoint_delete": checkpoint,
    }
    for url in signed.values():
        query = parse_qs(urlsplit(url).query)
        assert urlsplit(url).netloc == "storage.example:9000"
        assert query["X-Amz-Expires"] == ["420"]
    signatures = {parse_qs(urlsplit(url).query)["X-Amz-Signature"][0] for url in signed.values()}
    assert len(signatures) == len(signed), "a signature holds for one method and one key"
    assert "X-Amz" not in repr(urls), "a log of it shows no signature"


def test_a_deadline_in_the_past_still_signs() -> None:
    urls = Presigner(settings()).urls_for(KEY, REPORT_KEY, CHECKPOINT_KEY, valid_seconds=-50)
    assert parse_qs(urlsplit(urls.document_get).query)["X-Amz-Expires"] == ["120"]
