"""What the API's and the connection's failures mean for an analysis.

Told apart by status, `type` and `error_code`, as the SDK advises; messages are read only where no code exists.
"""

import math

import httpx2
from anthropic import APIConnectionError, APIStatusError

from dealguard_analyzer.errors import AnalysisError, EngineRefusedError, PassingError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.report import Usage

# A server that asks for more patience than this is not waited for: the deadline is 300 s for everything.
MAX_RETRY_AFTER_SECONDS = 60.0

_TOO_LONG = ("prompt is too long", "too long", "exceeds the maximum", "context window", "context limit")
_NO_CREDIT = ("credit balance", "usage limits", "spend limit", "billing")


def classify(error: Exception, model: str, secret: str | None, usage: Usage) -> AnalysisError:
    """The analysis's error for an exception of the SDK or of the HTTP client.

    Args:
        error: what was raised.
        model: the model asked for, to name it.
        secret: "<namespace>/<name>" of the Secret with the key, to name it; never the key.
        usage: what was spent until then.
    """
    if isinstance(error, APIStatusError):
        return _status_error(error, model, secret, usage)
    if isinstance(error, APIConnectionError):
        return PassingError(ExitCode.ENGINE_UNAVAILABLE, "Claude's API could not be reached.", usage)
    if isinstance(error, httpx2.HTTPError | httpx2.StreamError):
        return PassingError(ExitCode.ENGINE_OUTPUT_INVALID, "The connection broke in the middle of the answer.", usage)
    # The SDK could not read what came: a cut event, or something that is not the API.
    return PassingError(ExitCode.ENGINE_OUTPUT_INVALID, "The answer could not be read.", usage)


def retry_after_seconds(error: Exception) -> float | None:
    """The server's `retry-after`; None if it sent none."""
    if not isinstance(error, APIStatusError):
        return None
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _status_error(error: APIStatusError, model: str, secret: str | None, usage: Usage) -> AnalysisError:
    status, kind, code = error.status_code, error.type or "", error.error_code or ""
    if _is_spend_limit(error):
        return EngineRefusedError(ExitCode.SPEND_LIMIT_REACHED, None, usage)
    if status in (401, 403) or kind in ("authentication_error", "permission_error"):
        where = f" in the Secret {secret}" if secret else ""
        return EngineRefusedError(
            ExitCode.API_KEY_REJECTED,
            f"Claude's API refused the API key{where} ({status} {kind}).".replace(" )", ")"),
            usage,
        )
    if status == 413 or (status == 400 and _says(error, _TOO_LONG)):
        return EngineRefusedError(ExitCode.CONTRACT_TOO_LONG, None, usage)
    if (
        status in (408, 409, 429)
        or status >= 500
        or kind in ("overloaded_error", "api_error", "rate_limit_error", "timeout_error")
    ):
        detail = f"Claude's API was overloaded or unavailable ({status} {kind or code})."
        return PassingError(ExitCode.ENGINE_UNAVAILABLE, detail.replace(" )", ")"), usage)
    if status == 404:
        return EngineRefusedError(
            ExitCode.ENGINE_REQUEST_REJECTED, f"Claude's API does not know the model {model}.", usage
        )
    return EngineRefusedError(
        ExitCode.ENGINE_REQUEST_REJECTED,
        f"Claude's API refused the request ({status} {kind or code}).".replace(" )", ")"),
        usage,
    )


def _is_spend_limit(error: APIStatusError) -> bool:
    code = error.error_code or ""
    if code.endswith("spend_limit_reached") or "billing" in code or code == "organization_on_hold":
        return True
    if error.status_code == 402 or error.type == "billing_error":
        return True
    return error.status_code == 400 and _says(error, _NO_CREDIT)


def _says(error: APIStatusError, phrases: tuple[str, ...]) -> bool:
    message = (error.api_message or "").lower()
    return any(phrase in message for phrase in phrases)
