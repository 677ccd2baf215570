"""The API server: the analyses in it, created, read and watched, as the current kubeconfig allows."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import urllib3
import yaml
from kubernetes import client, config, watch

from dealguard_api import names
from dealguard_cli.adapters.analyses import Analysis, RawObject, parse
from dealguard_cli.adapters.api_errors import sentence
from dealguard_cli.errors import CliReason, UnavailableError

_REQUEST_TIMEOUT_SECONDS = (5, 30)  # to connect, to answer
_PAGE_SIZE = 500  # as kubectl's
_GONE = 410
_SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

_RESOURCE: dict[str, Any] = {"group": names.GROUP, "version": names.VERSION, "plural": names.PLURAL}


@dataclass(frozen=True)
class Change:
    """One event of a watch."""

    analysis: Analysis
    deleted: bool


@dataclass(frozen=True)
class Snapshot:
    """Analyses at one moment; `resource_version` is where a watch goes on from there."""

    analyses: list[Analysis]
    resource_version: str


class Cluster:
    """A connection to one API server.

    Every method raises a `CliError` whose message is a sentence: `UnavailableError` when the server is away or refuses,
    `NotFoundError`, `BadInputError` when it finds the request invalid.
    """

    def __init__(self, api_client: client.ApiClient, default_namespace: str) -> None:
        self.default_namespace = default_namespace
        self._api_client = api_client
        self._objects = client.CustomObjectsApi(api_client)
        self._server = str(api_client.configuration.host)

    def user_name(self) -> str | None:
        """Who the server takes us for; None where it does not tell."""
        try:
            review = self._review_self()
        except client.ApiException:
            return None
        user = review.status and review.status.user_info
        return user.username if user else None

    def _review_self(self) -> client.V1SelfSubjectReview:
        with self._unreachable_as_sentence():
            return client.AuthenticationV1Api(self._api_client).create_self_subject_review(
                client.V1SelfSubjectReview(), _request_timeout=_REQUEST_TIMEOUT_SECONDS
            )

    def create(self, manifest: RawObject, *, dry_run: bool = False) -> Analysis:
        """The resource as created; with `dry_run`, as it would be: the server checks everything and stores nothing."""
        namespace = manifest["metadata"]["namespace"]
        with self._errors_as_sentences(namespace):
            raw = self._objects.create_namespaced_custom_object(
                **_RESOURCE,
                namespace=namespace,
                body=manifest,
                field_manager="dealguard-cli",
                field_validation="Strict",
                dry_run="All" if dry_run else None,
                _request_timeout=_REQUEST_TIMEOUT_SECONDS,
            )
        return parse(cast("RawObject", raw))

    def get(self, namespace: str, name: str) -> Analysis:
        """One analysis."""
        with self._errors_as_sentences(namespace):
            raw = self._objects.get_namespaced_custom_object(
                **_RESOURCE, namespace=namespace, name=name, _request_timeout=_REQUEST_TIMEOUT_SECONDS
            )
        return parse(cast("RawObject", raw))

    def read(self, path: str, **query: str | int) -> bytes:
        """The answer to a GET of `path`, as the server sends it: for what `explain` shows beside the analysis."""
        request = self._api_client.param_serialize(
            "GET",
            path,
            query_params=[(name, str(value)) for name, value in query.items()],
            header_params={"Accept": "application/json, */*"},
            auth_settings=["BearerToken"],
        )
        with self._errors_as_sentences(None):
            answer = self._api_client.call_api(*request, _request_timeout=_REQUEST_TIMEOUT_SECONDS)
            content = cast("bytes", answer.read())  # type: ignore[no-untyped-call]
            if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                raise client.ApiException.from_response(http_resp=answer, body=None, data=None)
        return content

    def log_lines(self, namespace: str, pod_name: str, **query: str | int) -> list[str]:
        """Lines of a container's log, each after the time at which the node took it."""
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod_name)}/log"
        return self.read(path, timestamps="true", **query).decode(errors="replace").splitlines()

    def snapshot(self, namespace: str | None, label_selector: str | None = None) -> Snapshot:
        """All analyses of a namespace, or of all namespaces for None, page by page."""
        analyses: list[Analysis] = []
        page: dict[str, Any] = {"metadata": {"continue": None}}
        with self._errors_as_sentences(namespace):
            while True:
                page = self._list(namespace, label_selector, page["metadata"]["continue"])
                analyses += [parse(item) for item in page["items"]]
                if not page["metadata"].get("continue"):
                    return Snapshot(analyses, page["metadata"]["resourceVersion"])

    def changes(
        self, namespace: str, label_selector: str, resource_version: str, timeout_seconds: int
    ) -> Iterator[Change]:
        """Changes after `resource_version`, until the server ends the watch: after the timeout, or when it forgot that
        version. The caller then takes a new snapshot."""
        watcher = watch.Watch()  # type: ignore[no-untyped-call]
        with self._errors_as_sentences(namespace):
            try:
                for event in watcher.stream(  # type: ignore[no-untyped-call]
                    self._objects.list_namespaced_custom_object,
                    **_RESOURCE,
                    namespace=namespace,
                    label_selector=label_selector,
                    resource_version=resource_version,
                    timeout_seconds=timeout_seconds,
                    # A connection that died without a word is noticed soon after the server should have ended it.
                    _request_timeout=(_REQUEST_TIMEOUT_SECONDS[0], timeout_seconds + 5),
                ):
                    yield Change(parse(event["raw_object"]), deleted=event["type"] == "DELETED")
            except client.ApiException as error:
                if error.status != _GONE:
                    raise

    def _list(self, namespace: str | None, label_selector: str | None, continue_token: str | None) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            **_RESOURCE,
            "label_selector": label_selector,
            "limit": _PAGE_SIZE,
            "_continue": continue_token,
            "_request_timeout": _REQUEST_TIMEOUT_SECONDS,
        }
        if namespace is None:
            # It lists all namespaces, too; `list_custom_object_for_all_namespaces` names its argument differently.
            return cast("dict[str, Any]", self._objects.list_cluster_custom_object(**arguments))
        return cast("dict[str, Any]", self._objects.list_namespaced_custom_object(namespace=namespace, **arguments))

    @contextmanager
    def _errors_as_sentences(self, namespace: str | None) -> Iterator[None]:
        try:
            with self._unreachable_as_sentence():
                yield
        except client.ApiException as error:
            raise sentence(error.status, error.body, namespace) from error

    @contextmanager
    def _unreachable_as_sentence(self) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError, json.JSONDecodeError) as error:
            raise UnavailableError(
                CliReason.CLUSTER_UNAVAILABLE,
                f"The cluster at {self._server} does not answer. Check that it is running and that the kubeconfig's "
                "context is the one you mean (`kubectl config current-context`).",
            ) from error


def connect(kubeconfig: str | None, context: str | None) -> Cluster:
    """A connection by kubectl's rules: `--kubeconfig`, `KUBECONFIG`, `~/.kube/config`, then the pod's own account.

    Raises:
        UnavailableError: there is no usable kubeconfig.
    """
    paths = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    if any(Path(path).expanduser().exists() for path in paths.split(os.pathsep) if path):
        return _connect_by_kubeconfig(paths, context)
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
        return _connect_in_cluster()
    raise UnavailableError(
        CliReason.CLUSTER_NOT_CONFIGURED,
        f"There is no kubeconfig at {paths}. Set KUBECONFIG or --kubeconfig to the cluster's, or start the local "
        "cluster with `make demo`.",
    )


def _connect_by_kubeconfig(paths: str, context: str | None) -> Cluster:
    try:
        contexts, active = config.list_kube_config_contexts(paths)  # type: ignore[no-untyped-call]
        if context and context not in (known := [entry["name"] for entry in contexts]):
            raise UnavailableError(
                CliReason.CLUSTER_NOT_CONFIGURED,
                f"The kubeconfig at {paths} has no context {context!r}. It has: {', '.join(known) or 'none'}.",
            )
        chosen = next((entry for entry in contexts if entry["name"] == context), active)
        api_client = config.new_client_from_config(paths, context)  # type: ignore[no-untyped-call]
        return Cluster(api_client, chosen["context"].get("namespace") or "default")
    except (config.ConfigException, yaml.YAMLError, OSError, KeyError, TypeError, ValueError) as error:
        # Not the error's own words: a parser's may quote the file, and that holds keys.
        raise UnavailableError(
            CliReason.CLUSTER_NOT_CONFIGURED,
            f"The kubeconfig at {paths} cannot be used ({type(error).__name__}). Check it with `kubectl config view`.",
        ) from error


def _connect_in_cluster() -> Cluster:
    configuration = client.Configuration()
    try:
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except config.ConfigException as error:
        raise UnavailableError(
            CliReason.CLUSTER_NOT_CONFIGURED,
            "This pod has no service account token. Set automountServiceAccountToken to true, or give a --kubeconfig.",
        ) from error
    namespace = _SERVICE_ACCOUNT_NAMESPACE.read_text() if _SERVICE_ACCOUNT_NAMESPACE.exists() else "default"
    return Cluster(client.ApiClient(configuration), namespace.strip())
