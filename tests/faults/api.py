"""The API server as the fault tests use it: raw JSON over kept connections, because kubectl takes 0.1 s to start."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3
import yaml

from dealguard_api import names
from tests.cluster.api_proxy import tls_of

Raw = dict[str, Any]

PLURALS = {"jobs": "/apis/batch/v1", "contractanalyses": f"/apis/{names.API_VERSION}"}
MERGE_PATCH = "application/merge-patch+json"


class RefusedError(Exception):
    """The API server said no."""

    def __init__(self, status: int, answer: Raw) -> None:
        super().__init__(f"{status}: {answer.get('message')}")
        self.status = status
        self.message = str(answer.get("message"))


# It is away: what the tests do to it on purpose.
AWAY = (urllib3.exceptions.HTTPError, OSError)


class ApiServer:
    """One API server, as its administrator. Safe for threads."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self.server: str = cluster["server"]
        self.authority: str = cluster["certificate-authority-data"]
        self._pool = urllib3.PoolManager(
            ssl_context=_modern(tls_of(cluster, user)),
            maxsize=20,
            retries=False,
            timeout=urllib3.Timeout(connect=2, read=15),
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def request(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Raw:
        """One request.

        Raises:
            RefusedError: for any status from 300.
        """
        data = json.dumps(body).encode() if body is not None else None
        answer = self._pool.request(method, self.server + path, body=data, headers={"Content-Type": content_type})
        try:
            read = json.loads(answer.data) if answer.data else {}
        except ValueError:
            read = {"message": answer.data.decode(errors="replace")}
        if answer.status >= 300:
            raise RefusedError(answer.status, read)
        result: Raw = read
        return result

    def is_ready(self) -> bool:
        """Whether it answers, and says that it is ready."""
        try:
            return self._pool.request("GET", f"{self.server}/readyz").status == 200
        except AWAY:
            return False

    def get(self, plural: str, namespace: str, name: str) -> Raw | None:
        """One object; None if there is none."""
        try:
            return self.request("GET", _path(plural, namespace, name))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def list(self, plural: str, namespace: str, query: str = "") -> list[Raw]:
        """The objects of a namespace."""
        items: list[Raw] = self.request("GET", _path(plural, namespace) + query)["items"]
        return items

    def versions(self, plural: str, namespace: str, name: str, seconds: int) -> Iterator[Raw]:
        """An object as it is, and then each version of it, for so many seconds: none is too short to be seen."""
        query = f"?watch=1&fieldSelector=metadata.name={name}&timeoutSeconds={seconds}"
        url = self.server + _path(plural, namespace) + query
        answer = self._pool.request("GET", url, preload_content=False, timeout=seconds + 5)
        try:
            if answer.status >= 300:
                raise RefusedError(answer.status, json.loads(answer.read()))
            while line := answer.readline():
                yield json.loads(line)["object"]
        finally:
            answer.close()

    def create(self, plural: str, namespace: str, manifest: Raw) -> Raw:
        """Create an object."""
        return self.request("POST", _path(plural, namespace), manifest)

    def merge(self, plural: str, namespace: str, name: str, patch: Raw, subresource: str = "") -> Raw:
        """Change parts of an object."""
        return self.request("PATCH", _path(plural, namespace, name) + subresource, patch, content_type=MERGE_PATCH)

    def delete(self, plural: str, namespace: str, name: str) -> None:
        """Delete an object in the background; one that is not there is deleted already."""
        try:
            # As kubectl does: without it, the API server leaves a Job's pods behind.
            self.request("DELETE", _path(plural, namespace, name), {"propagationPolicy": "Background"})
        except RefusedError as error:
            if error.status != 404:
                raise


def _path(plural: str, namespace: str, name: str = "") -> str:
    base = PLURALS.get(plural, "/api/v1")
    return f"{base}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def _modern(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
