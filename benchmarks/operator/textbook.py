"""The operator of Kopf's tutorial for this resource: `on.create` makes the Job, `on.event` copies its condition.

Run by `kopf run`. Nothing in it is tuned, on purpose: it is what one writes first.
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

import kopf
import kubernetes

kubernetes.config.load_kube_config(os.environ["KUBECONFIG"])
_TEMPLATE = json.loads(Path(os.environ["BENCH_JOB_TEMPLATE"]).read_text())
_RESOURCE = ("dealguard.io", "v1alpha1", "contractanalyses")
_PHASES = {"Complete": "Completed", "Failed": "Failed"}


@kopf.on.create(*_RESOURCE)
def create_job(name: str, namespace: str, uid: str, patch: kopf.Patch, **_: Any) -> None:
    """Make the Job."""
    job = copy.deepcopy(_TEMPLATE)
    job["metadata"] = {"name": f"{name}-{uid[:8]}", "labels": dict(_TEMPLATE["metadata"]["labels"])}
    for metadata in (job["metadata"], job["spec"]["template"]["metadata"]):
        metadata["labels"] |= {"dealguard.io/analysis-name": name, "dealguard.io/analysis-uid": uid}
    kopf.adopt(job)
    kubernetes.client.BatchV1Api().create_namespaced_job(namespace, job)
    patch.status["phase"] = "Processing"


@kopf.on.event("batch", "v1", "jobs")
def copy_condition(body: kopf.Body, namespace: str, **_: Any) -> None:
    """Copy the Job's end into the analysis."""
    owners = [owner for owner in body["metadata"].get("ownerReferences", []) if owner["kind"] == "ContractAnalysis"]
    for condition in body.get("status", {}).get("conditions", []):
        phase = _PHASES.get(condition["type"])
        if owners and phase and condition["status"] == "True":
            kubernetes.client.CustomObjectsApi().patch_namespaced_custom_object_status(
                _RESOURCE[0], _RESOURCE[1], namespace, _RESOURCE[2], owners[0]["name"], {"status": {"phase": phase}}
            )
