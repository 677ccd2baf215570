"""Settings and errors of the outside world, as the command line puts them into words."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dealguard_api.resource import ContractAnalysisSpec, Document
from dealguard_cli.adapters.analyses import manifest
from dealguard_cli.adapters.api_errors import sentence
from dealguard_cli.adapters.storage import DocumentStore, StorageSettings
from dealguard_cli.errors import ExitStatus, UnavailableError

ENVIRONMENT = {
    "DEALGUARD_S3_ENDPOINT": "http://10.0.0.1:9000",
    "DEALGUARD_S3_ACCESS_KEY": "access",
    "DEALGUARD_S3_SECRET_KEY": "the-secret",
    "DEALGUARD_S3_BUCKET": "dealguard",
}


def status_object(message: str, **details: str) -> str:
    """A Kubernetes `Status`, as the API server sends it."""
    return json.dumps({"kind": "Status", "message": message, "details": details})


def test_storage_settings_come_from_the_environment() -> None:
    settings = StorageSettings.from_environment(ENVIRONMENT)
    assert (settings.host, settings.secure, settings.bucket) == ("10.0.0.1:9000", False, "dealguard")
    assert settings.region == "us-east-1"
    assert StorageSettings.from_environment({**ENVIRONMENT, "DEALGUARD_S3_ENDPOINT": "https://s3.example/"}).secure


def test_no_secret_is_in_the_settings_text() -> None:
    assert "the-secret" not in repr(StorageSettings.from_environment(ENVIRONMENT))


def test_each_missing_storage_setting_is_named() -> None:
    with pytest.raises(UnavailableError) as caught:
        StorageSettings.from_environment({"DEALGUARD_S3_BUCKET": "", "DEALGUARD_S3_ACCESS_KEY": "x"})
    message = caught.value.message
    assert all(f"DEALGUARD_S3_{name}" in message for name in ("ENDPOINT", "SECRET_KEY", "BUCKET"))
    assert "DEALGUARD_S3_ACCESS_KEY" not in message


@pytest.mark.parametrize(
    "endpoint",
    [
        *("10.0.0.1:9000", "ftp://x", "http://", "http://x/bucket", "localhost", "http://x?y"),
        *("http://[::1", "http://x:port", "http://:9000"),
    ],
)
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(UnavailableError, match="must be a URL without a path"):
        StorageSettings.from_environment({**ENVIRONMENT, "DEALGUARD_S3_ENDPOINT": endpoint})


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ENDPOINT", "https://me:hunter2@s3.example", "must not hold a user name or password"),
        ("ENDPOINT", "https://foo.amazonaws.com", "cannot be used"),
        ("BUCKET", "a/b", "cannot be used"),
        ("BUCKET", "192.168.0.1", "cannot be used"),
        ("REGION", "no region", "cannot be used"),
    ],
)
def test_a_storage_setting_that_cannot_be_is_named(variable: str, value: str, words: str) -> None:
    with pytest.raises(UnavailableError, match=words) as caught:
        DocumentStore(StorageSettings.from_environment({**ENVIRONMENT, f"DEALGUARD_S3_{variable}": value}))
    assert caught.value.reason == "StorageNotConfigured"
    assert f"DEALGUARD_S3_{variable}" in caught.value.message
    assert "hunter2" not in caught.value.message


class _OtherRegion(BaseHTTPRequestHandler):
    """A storage that is asked with the wrong region, as S3 answers then."""

    def do_GET(self) -> None:
        body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>"
        self.send_response(400)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Not in the tests' output."""


def test_the_wrong_region_is_named() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _OtherRegion) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        store = DocumentStore(StorageSettings.from_environment({**ENVIRONMENT, "DEALGUARD_S3_ENDPOINT": endpoint}))
        with pytest.raises(UnavailableError, match="Set DEALGUARD_S3_REGION") as caught:
            store.download_report("reports/acme/u1/1.json")
        server.shutdown()
    assert caught.value.reason == "StorageNotConfigured"


@pytest.mark.parametrize(
    ("code", "body", "reason", "exit_status", "words"),
    [
        (401, None, "Unauthorized", ExitStatus.UNAVAILABLE, "Log in again"),
        (403, status_object("User x cannot create y"), "Forbidden", ExitStatus.UNAVAILABLE, "User x cannot create y"),
        (404, "404 page not found\n", "NotInstalled", ExitStatus.UNAVAILABLE, "`make deploy`"),
        (404, status_object("gone", kind="namespaces"), "NotFound", ExitStatus.NOT_FOUND, "create namespace acme"),
        (404, status_object("gone", name="lease"), "NotFound", ExitStatus.NOT_FOUND, "There is no analysis lease"),
        (409, status_object("lease already exists"), "AlreadyExists", ExitStatus.BAD_INPUT, "Choose another --name"),
        (422, status_object("spec.engine: bad"), "Invalid", ExitStatus.BAD_INPUT, "spec.engine: bad"),
        (400, status_object("unknown field"), "Invalid", ExitStatus.BAD_INPUT, "unknown field"),
        (429, status_object("slow down"), "ClusterUnavailable", ExitStatus.UNAVAILABLE, "slow down"),
        (503, "<html>", "ClusterUnavailable", ExitStatus.UNAVAILABLE, "answered 503"),
        (None, None, "ClusterUnavailable", ExitStatus.UNAVAILABLE, "answered nothing"),
    ],
)
def test_answers_of_the_api_server_become_sentences(
    code: int | None, body: str | None, reason: str, exit_status: ExitStatus, words: str
) -> None:
    error = sentence(code, body, "acme")
    assert (error.reason, error.exit_status) == (reason, exit_status)
    assert words in error.message


def test_a_manifest_says_only_what_was_asked() -> None:
    spec = ContractAnalysisSpec(document=Document(key="documents/acme/a.pdf"), max_cost_usd="0.50", engine="claude")
    made = manifest(spec, "acme", name=None, slug="lease", labels={"a": "b"})
    assert made["spec"] == {"document": {"key": "documents/acme/a.pdf"}, "maxCostUSD": "0.50", "engine": "claude"}
    assert made["metadata"] == {"namespace": "acme", "generateName": "lease-", "labels": {"a": "b"}}
    assert manifest(spec, "acme", name="x", slug="lease", labels={})["metadata"]["name"] == "x"
