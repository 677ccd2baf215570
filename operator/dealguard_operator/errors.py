"""What can go wrong between the operator and the API server, or the object storage.

OperatorError
├── SettingsError              the environment is incomplete: the operator does not start
├── UnreadableResourceError    an object that this version cannot parse: left alone, logged
├── StorageUnavailableError    the object storage did not do what was asked (waiting)
└── ApiError                   the API server said no, or nothing
    ├── UnavailableError       passing: tried again with back-off (waiting)
    │   └── NotLeadingError    not sent: another process may be writing (waiting)
    ├── ConflictError          somebody else wrote first: read again, decide again (waiting)
    ├── NotFoundError          the object is gone (permanent)
    ├── AlreadyExistsError     an object of that name is there (permanent)
    └── RejectedError          refused by validation or policy (permanent)
        └── QuotaExceededError refused until something else goes (waiting)
"""


class OperatorError(Exception):
    """The root of the operator's own errors."""


class SettingsError(OperatorError):
    """The environment lacks or contradicts something; the message says what to set."""


class UnreadableResourceError(OperatorError):
    """An object does not have the shape that this version knows; the message quotes none of its values."""


class StorageUnavailableError(OperatorError):
    """The object storage is away, or refuses the operator: the same request may succeed later.

    Args:
        message: a sentence without a URL, the same for as long as it is so.
        retry_after_seconds: when it is worth asking again.
    """

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_seconds = retry_after_seconds


class ApiError(OperatorError):
    """The API server did not do what was asked.

    Args:
        message: the server's own words, or what happened to the connection.
        status: the HTTP status; 0 if there was no answer.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class UnavailableError(ApiError):
    """Overload, a cut connection, a time-out, missing rights: the same request may succeed later.

    Args:
        retry_after_seconds: how long the server asked to be left alone, if it did.
    """

    def __init__(self, message: str, *, status: int = 0, retry_after_seconds: float | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after_seconds = retry_after_seconds


class NotLeadingError(UnavailableError):
    """This process may not write now. Everything is looked at anew when it may."""

    def __init__(self) -> None:
        super().__init__("this process does not lead, so it writes nothing")


class ConflictError(ApiError):
    """The object changed since it was read."""


class NotFoundError(ApiError):
    """The object, its namespace or its resource definition does not exist."""


class AlreadyExistsError(ApiError):
    """An object of that name exists."""


class RejectedError(ApiError):
    """The request is well understood and refused; repeating it does not help."""


class QuotaExceededError(RejectedError):
    """The namespace's quota has no room; it may have later."""
