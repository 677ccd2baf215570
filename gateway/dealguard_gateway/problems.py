"""What can go wrong between a client and the gateway: each is an answer in the form of RFC 9457.

Problem
├── UnauthenticatedProblem    401  no credentials, or none that the cluster accepts (any more)
├── ForbiddenProblem          403  may see it, may not do this
├── NotFoundProblem           404  not there, or nothing of which the caller may know
├── InvalidProblem            400, 409, 411, 413, 415, 422: what was sent cannot be used as it is
├── TooManyProblem            429  more than one user's share
└── UnavailableProblem        502, 503: the API server or the storage is away; the same request may succeed later

`type` is a word that programs may match on, as the reference `about:blank` cannot be; `detail` says what to do next.
No problem quotes a contract, a key, a token or a URL with a signature.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"


class ProblemBody(BaseModel):
    """RFC 9457's body, as it is sent."""

    type: Annotated[str, Field(description="`urn:dealguard:problem:` and a word that programs may match on.")]
    title: Annotated[str, Field(description="The kind of problem, in a few words.")]
    status: Annotated[int, Field(description="The HTTP status.")]
    detail: Annotated[str, Field(description="What happened and what to do next.")]


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """The root. `app.py` turns each into its answer.

    Args:
        word: what programs match on, in kebab case: `contract-not-found`.
        detail: a sentence on what happened, and one on what to do next.
        status: the HTTP status, where the class has several.
        headers: more headers of the answer.
    """

    default_status: ClassVar[int] = 500
    title: ClassVar[str] = "Something failed"

    def __init__(
        self, word: str, detail: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.word = word
        self.detail = detail
        self.status = status or self.default_status
        self.headers = dict(headers or {})

    @property
    def body(self) -> ProblemBody:
        """As it is sent."""
        return ProblemBody(
            type=f"urn:dealguard:problem:{self.word}", title=self.title, status=self.status, detail=self.detail
        )


class UnauthenticatedProblem(Problem):
    """The caller is nobody."""

    default_status = 401
    title = "Log in first"

    def __init__(self, word: str, detail: str) -> None:
        super().__init__(word, detail, headers={"WWW-Authenticate": "Bearer"})


class ForbiddenProblem(Problem):
    """The caller may see it, but not do this."""

    default_status = 403
    title = "Not permitted"


class NotFoundProblem(Problem):
    """There is none, or the caller may not know: both answers are the same."""

    default_status = 404
    title = "Not found"


class InvalidProblem(Problem):
    """What was sent cannot be used as it is."""

    default_status = 422
    title = "The request cannot be used"


class TooManyProblem(Problem):
    """More than one user's share."""

    default_status = 429
    title = "Too many requests"

    def __init__(self, word: str, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(word, detail, headers={"Retry-After": str(retry_after_seconds)})


class UnavailableProblem(Problem):
    """Something behind the gateway is away; the same request may succeed later."""

    default_status = 503
    title = "Not available at the moment"

    def __init__(self, word: str, detail: str, *, status: int | None = None, retry_after_seconds: int = 5) -> None:
        super().__init__(word, detail, status=status, headers={"Retry-After": str(retry_after_seconds)})


def contract_not_found() -> NotFoundProblem:
    """The one answer to every contract that is not there for this caller."""
    return NotFoundProblem(
        "contract-not-found", "There is no such contract, or you may not see it. Look for it in GET /contracts."
    )
