"""What ends a command early, and the exit status that tells a script so.

    CliError
    ├── BadInputError         2  a wrong option or an unusable file; nothing was submitted
    ├── UnavailableError      3  cluster or storage unreachable, not configured or not permitted
    ├── NotFoundError         5  no such analysis, or no stored report
    ├── AnalysisFailedError   1  the analysis ended without a report, or has none yet
    └── InterruptedByUserError  130  Ctrl-C

Waiting ends without an exception: its exit status is part of the outcome (`commands/submit.py`).
"""

from enum import IntEnum, StrEnum


class ExitStatus(IntEnum):
    """Exit codes, a promise to scripts: documented in `--help` and docs/cli.md, never given another meaning."""

    OK = 0
    ANALYSIS_FAILED = 1
    BAD_INPUT = 2
    UNAVAILABLE = 3
    WAIT_TIMEOUT = 4
    NOT_FOUND = 5
    RISK_FOUND = 10  # apart from the others: it says something about the contract, not about the command
    DEFECT = 70  # EX_SOFTWARE of sysexits.h: dealguard itself is wrong
    OUTPUT_UNWRITABLE = 74  # EX_IOERR: the results cannot be written, as on a full disk
    INTERRUPTED = 130  # 128 + SIGINT
    BROKEN_PIPE = 141  # 128 + SIGPIPE: the reader of our output went away, as with `| head`


class CliReason(StrEnum):
    """Why a command ended, where it is not about an analysis: those carry a `dealguard_api.reasons.Reason`."""

    USAGE_ERROR = "UsageError"
    FILE_UNREADABLE = "FileUnreadable"
    FILE_UNWRITABLE = "FileUnwritable"
    FORBIDDEN = "Forbidden"
    UNAUTHORIZED = "Unauthorized"
    INVALID = "Invalid"
    ALREADY_EXISTS = "AlreadyExists"
    NOT_FOUND = "NotFound"
    NOT_INSTALLED = "NotInstalled"
    CLUSTER_NOT_CONFIGURED = "ClusterNotConfigured"
    CLUSTER_UNAVAILABLE = "ClusterUnavailable"
    STORAGE_NOT_CONFIGURED = "StorageNotConfigured"
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    STORAGE_FORBIDDEN = "StorageForbidden"
    REPORT_NOT_FOUND = "ReportNotFound"
    REPORT_ALTERED = "ReportAltered"
    NOT_FINISHED = "NotFinished"
    INTERRUPTED = "Interrupted"
    VERSION_MISMATCH = "VersionMismatch"
    INTERNAL_ERROR = "InternalError"


class CliError(Exception):
    """A command cannot go on.

    Args:
        reason: a CamelCase word that scripts may match on.
        message: what happened and what to do next, in sentences.
    """

    exit_status = ExitStatus.DEFECT

    def __init__(self, reason: str, message: str) -> None:
        self.reason = str(reason)
        self.message = message
        super().__init__(message)


class BadInputError(CliError):
    """What the user gave cannot be used."""

    exit_status = ExitStatus.BAD_INPUT


class UnavailableError(CliError):
    """Something the command needs is away, not configured or not permitted."""

    exit_status = ExitStatus.UNAVAILABLE


class NotFoundError(CliError):
    """What was asked for does not exist."""

    exit_status = ExitStatus.NOT_FOUND


class InterruptedByUserError(CliError):
    """Ctrl-C, where there is more to say than that."""

    exit_status = ExitStatus.INTERRUPTED


class AnalysisFailedError(CliError):
    """There is no report."""

    exit_status = ExitStatus.ANALYSIS_FAILED
