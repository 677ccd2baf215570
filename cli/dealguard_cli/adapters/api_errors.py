"""What the API server's errors mean to the user, as a table from status code to sentence."""

import json
from http import HTTPStatus
from typing import Any

from dealguard_cli.errors import BadInputError, CliError, CliReason, NotFoundError, UnavailableError


def sentence(status_code: int | None, body: str | None, namespace: str | None) -> CliError:
    """The error that stands for an answer of the API server.

    Args:
        status_code: HTTP status; None where there was no answer.
        body: a Kubernetes `Status` as JSON, or whatever else was sent.
        namespace: where the request went; None for all.
    """
    details = _status_object(body)
    words = str(details.get("message") or "").rstrip(".")
    match status_code:
        case HTTPStatus.UNAUTHORIZED:
            return UnavailableError(
                CliReason.UNAUTHORIZED,
                "The cluster does not accept your credentials (401). Log in again, or choose another --context.",
            )
        case HTTPStatus.FORBIDDEN:
            return UnavailableError(
                CliReason.FORBIDDEN,
                f"The cluster does not permit it: {words}. Ask its administrator for the right, or use a namespace "
                "where you have it (-n).",
            )
        case HTTPStatus.NOT_FOUND:
            return _not_found(details, words, namespace)
        case HTTPStatus.CONFLICT:
            return BadInputError(
                CliReason.ALREADY_EXISTS, f"The cluster refused: {words}. Choose another --name, or leave it out."
            )
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY:
            return BadInputError(
                CliReason.INVALID, f"The cluster refused the analysis: {words}. Correct it and submit it again."
            )
        case _:
            return UnavailableError(
                CliReason.CLUSTER_UNAVAILABLE,
                f"The cluster answered {status_code or 'nothing'}{f': {words}' if words else ''}. Try again later.",
            )


def _not_found(details: dict[str, Any], words: str, namespace: str | None) -> CliError:
    if not details:
        # An API that is not there answers "404 page not found" as plain text; a missing object, a Status.
        return UnavailableError(
            CliReason.NOT_INSTALLED,
            "DealGuard is not installed in this cluster. Install it with `make deploy`, or choose another --context.",
        )
    if details.get("details", {}).get("kind") == "namespaces":
        return NotFoundError(
            CliReason.NOT_FOUND,
            f"There is no namespace {namespace}. Create it with `kubectl create namespace {namespace}`, or choose "
            "another with -n.",
        )
    name = details.get("details", {}).get("name", "")
    return NotFoundError(
        CliReason.NOT_FOUND,
        f"There is no analysis {name} in namespace {namespace}. `dealguard get -n {namespace}` lists those there are.",
    )


def _status_object(body: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(body or "")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) and parsed.get("kind") == "Status" else {}
