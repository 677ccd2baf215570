"""The CustomResourceDefinition: installed, removed, installed again."""

from pathlib import Path

import yaml

from dealguard_api import names
from tests.faults.api import ApiServer, RefusedError
from tests.faults.stage import wait_until

REPOSITORY = Path(__file__).resolve().parent.parent.parent
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_NAME = f"{names.PLURAL}.{names.GROUP}"


def install_definition(api: ApiServer) -> None:
    """Create it, or bring the one that is there up to date, and wait until it is served."""
    (file,) = (REPOSITORY / "crds").glob("*.yaml")
    manifest = yaml.safe_load(file.read_text())
    apply = f"{_DEFINITIONS}/{_NAME}?fieldManager=faults&force=true"
    api.request("PATCH", apply, manifest, content_type="application/apply-patch+yaml")
    wait_until("the definition to be served", lambda: _is_served(api), 30)


def remove_definition(api: ApiServer) -> None:
    """Delete it, with all analyses, and wait until it is gone."""
    api.request("DELETE", f"{_DEFINITIONS}/{_NAME}")
    wait_until("the definition to be gone", lambda: not _exists(api), 60)


def _exists(api: ApiServer) -> bool:
    return bool(api.request("GET", f"{_DEFINITIONS}?fieldSelector=metadata.name={_NAME}")["items"])


def _is_served(api: ApiServer) -> bool:
    try:
        api.request("GET", f"/apis/{names.API_VERSION}/{names.PLURAL}?limit=1")
    except RefusedError:
        return False
    return True
