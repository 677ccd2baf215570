"""What the API server refuses, and the words for it."""

from collections.abc import Mapping
from typing import Any

from dealguard_gateway.problems import (
    ForbiddenProblem,
    InvalidProblem,
    NotFoundProblem,
    Problem,
    TooManyProblem,
    UnauthenticatedProblem,
    UnavailableProblem,
)

_MAX_MESSAGE_CHARACTERS = 500


class ApiError(Exception):
    """The API server did not do what was asked.

    Args:
        status: the HTTP status; 0 where there was no answer.
        reason: of the `metav1.Status`: `AlreadyExists`, `Conflict`, `Expired`, …; empty if none came.
        message: of the `metav1.Status`, in the API server's words.
        retry_after_seconds: after which the API server wants to be asked again, where it says so.
    """

    def __init__(self, status: int, reason: str, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(f"{status or 'no answer'} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after_seconds = retry_after_seconds

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (0, 429) or self.status >= 500

    @property
    def is_expired(self) -> bool:
        """Whether a watch or a page asks for a state that the API server no longer has."""
        return self.status == 410 or self.reason == "Expired"


def error_from(status: int, answer: object, headers: Mapping[str, str]) -> ApiError:
    """The error that an answer stands for.

    Args:
        status: of the answer.
        answer: its body: a `metav1.Status`, or anything else.
        headers: of the answer.
    """
    details: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    retry_after = headers.get("Retry-After", "")
    return ApiError(
        status,
        str(details.get("reason") or ""),
        str(details.get("message") or f"HTTP {status}")[:_MAX_MESSAGE_CHARACTERS],
        retry_after_seconds=int(retry_after) if retry_after.isdecimal() else None,
    )


def problems_of(error: ApiError) -> Problem:  # noqa: PLR0911 - a table, one line a status
    """What a refusal of the API server means to the client, with the next step."""
    words = error.message.rstrip(".")
    match error.status:
        case 401:
            return UnauthenticatedProblem(
                "credentials-rejected", "The cluster does not accept these credentials (any more). Log in again."
            )
        case 403:
            return ForbiddenProblem(
                "forbidden",
                f"The cluster does not permit it: {words}. Ask its administrator for the right, or use an "
                "organization where you have it.",
            )
        case 404:
            return NotFoundProblem("not-found", f"The cluster does not have it: {words}. Look in GET /contracts.")
        case 409:
            return InvalidProblem(
                "conflict", f"It was changed meanwhile: {words}. Look at it again, then repeat.", status=409
            )
        case 400 | 422:
            return InvalidProblem("rejected", f"The cluster refused it: {words}. Correct it and send it again.")
        case 429:
            return TooManyProblem(
                "cluster-busy",
                "The cluster has too much to do at the moment. Repeat the request a little later.",
                retry_after_seconds=error.retry_after_seconds or 5,
            )
        case _:
            return UnavailableProblem(
                "cluster-unavailable",
                "The cluster does not answer at the moment. Nothing is lost; repeat the request a little later.",
                retry_after_seconds=error.retry_after_seconds or 5,
            )
