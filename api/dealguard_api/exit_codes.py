"""The exit codes of the analysis containers: a contract between the analyzer and the Job's `podFailurePolicy`.

20 to 59 are permanent: the same input will fail again, so the Job fails at once (`FailJob`). Everything else but 0 is
retried up to `backoffLimit`. Codes are never reused for another meaning. 1 and 2 stay Python's own (a crash, a wrong
command line), 126 and above the runtime's (128 + signal).
"""

from enum import IntEnum

from dealguard_api.reasons import Reason


class ExitCode(IntEnum):
    """How an analysis container ended."""

    OK = 0
    INTERNAL_ERROR = 1

    # Permanent: the document.
    DOCUMENT_NOT_FOUND = 20
    DOCUMENT_EMPTY = 21
    DOCUMENT_TOO_LARGE = 22
    CHECKSUM_MISMATCH = 23
    NOT_A_PDF = 24
    DOCUMENT_ENCRYPTED = 25
    DOCUMENT_UNREADABLE = 26
    TOO_MANY_PAGES = 27
    NO_TEXT_LAYER = 28

    # Permanent: the engine.
    API_KEY_MISSING = 40
    API_KEY_REJECTED = 41
    SPEND_LIMIT_REACHED = 42
    COST_LIMIT_EXCEEDED = 43
    CONTRACT_TOO_LONG = 44
    MODEL_REFUSED = 45
    ENGINE_REQUEST_REJECTED = 46

    # Passing: worth another attempt.
    STORAGE_UNAVAILABLE = 70
    ENGINE_UNAVAILABLE = 71
    ENGINE_OUTPUT_INVALID = 72
    DEADLINE_EXCEEDED = 73
    TERMINATED = 143  # 128 + SIGTERM: the handler wrote what was spent, then left with the usual code

    @property
    def reason(self) -> Reason:
        """The reason that stands for this code in the resource's status."""
        return _REASONS[self]

    @property
    def is_permanent(self) -> bool:
        """Whether another attempt would end the same way."""
        return self in PERMANENT


PERMANENT = tuple(code for code in ExitCode if 20 <= code <= 59)

_REASONS = {
    ExitCode.OK: Reason.COMPLETED,
    ExitCode.INTERNAL_ERROR: Reason.INTERNAL_ERROR,
    ExitCode.DOCUMENT_NOT_FOUND: Reason.DOCUMENT_NOT_FOUND,
    ExitCode.DOCUMENT_EMPTY: Reason.DOCUMENT_EMPTY,
    ExitCode.DOCUMENT_TOO_LARGE: Reason.DOCUMENT_TOO_LARGE,
    ExitCode.CHECKSUM_MISMATCH: Reason.CHECKSUM_MISMATCH,
    ExitCode.NOT_A_PDF: Reason.NOT_A_PDF,
    ExitCode.DOCUMENT_ENCRYPTED: Reason.DOCUMENT_ENCRYPTED,
    ExitCode.DOCUMENT_UNREADABLE: Reason.DOCUMENT_UNREADABLE,
    ExitCode.TOO_MANY_PAGES: Reason.TOO_MANY_PAGES,
    ExitCode.NO_TEXT_LAYER: Reason.NO_TEXT_LAYER,
    ExitCode.API_KEY_MISSING: Reason.API_KEY_MISSING,
    ExitCode.API_KEY_REJECTED: Reason.API_KEY_REJECTED,
    ExitCode.SPEND_LIMIT_REACHED: Reason.SPEND_LIMIT_REACHED,
    ExitCode.COST_LIMIT_EXCEEDED: Reason.COST_LIMIT_EXCEEDED,
    ExitCode.CONTRACT_TOO_LONG: Reason.CONTRACT_TOO_LONG,
    ExitCode.MODEL_REFUSED: Reason.MODEL_REFUSED,
    ExitCode.ENGINE_REQUEST_REJECTED: Reason.ENGINE_REQUEST_REJECTED,
    ExitCode.STORAGE_UNAVAILABLE: Reason.STORAGE_UNAVAILABLE,
    ExitCode.ENGINE_UNAVAILABLE: Reason.ENGINE_UNAVAILABLE,
    ExitCode.ENGINE_OUTPUT_INVALID: Reason.ENGINE_OUTPUT_INVALID,
    ExitCode.DEADLINE_EXCEEDED: Reason.DEADLINE_EXCEEDED,
    ExitCode.TERMINATED: Reason.TERMINATED,
}
