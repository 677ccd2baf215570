"""Every reason that a status, a condition, an Event or the command line can carry, declared once.

A reason is a CamelCase word that programs may match on: it is never renamed. `explain` gives its meaning and the next
step in words; a message may add the particulars of the case, never the contract's text.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an analysis is where it is."""

    # On the way, and ends that are not failures.
    QUEUED = "Queued"
    SUSPENDED = "Suspended"
    STARTING = "Starting"
    EXTRACTING = "Extracting"
    ANALYZING = "Analyzing"
    COMPLETED = "Completed"
    CACHED = "Cached"
    CANCELLED = "Cancelled"

    # The document: permanent.
    DOCUMENT_KEY_FORBIDDEN = "DocumentKeyForbidden"
    DOCUMENT_NOT_FOUND = "DocumentNotFound"
    DOCUMENT_EMPTY = "DocumentEmpty"
    DOCUMENT_TOO_LARGE = "DocumentTooLarge"
    CHECKSUM_MISMATCH = "ChecksumMismatch"
    NOT_A_PDF = "NotAPDF"
    DOCUMENT_ENCRYPTED = "DocumentEncrypted"
    DOCUMENT_UNREADABLE = "DocumentUnreadable"
    TOO_MANY_PAGES = "TooManyPages"
    NO_TEXT_LAYER = "NoTextLayer"

    # The engine: permanent.
    API_KEY_MISSING = "APIKeyMissing"
    API_KEY_REJECTED = "APIKeyRejected"
    SPEND_LIMIT_REACHED = "SpendLimitReached"
    COST_LIMIT_EXCEEDED = "CostLimitExceeded"
    CONTRACT_TOO_LONG = "ContractTooLong"
    MODEL_REFUSED = "ModelRefused"
    ENGINE_REQUEST_REJECTED = "EngineRequestRejected"

    # One attempt: passing, so another one follows while the limit and the deadline allow it.
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    ENGINE_UNAVAILABLE = "EngineUnavailable"
    ENGINE_OUTPUT_INVALID = "EngineOutputInvalid"
    TERMINATED = "Terminated"
    INTERNAL_ERROR = "InternalError"
    OUT_OF_MEMORY = "OutOfMemory"
    EVICTED = "Evicted"

    # The Job.
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    ATTEMPTS_EXHAUSTED = "AttemptsExhausted"
    JOB_DELETED = "JobDeleted"
    JOB_REJECTED = "JobRejected"
    POD_NOT_CREATED = "PodNotCreated"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    UNSCHEDULABLE = "Unschedulable"


@dataclass(frozen=True)
class Explanation:
    """A reason in words."""

    meaning: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.meaning} {self.next_step}".strip()


_RUN_AGAIN = "set spec.runToken to a new value to run again"

_EXPLANATIONS = {
    Reason.QUEUED: Explanation("The analysis waits for a free place.", "Nothing to do."),
    Reason.SUSPENDED: Explanation("The analysis is suspended.", "Set spec.suspend to false to go on."),
    Reason.STARTING: Explanation("The pod is starting.", "Nothing to do."),
    Reason.EXTRACTING: Explanation("The document is being read.", "Nothing to do."),
    Reason.ANALYZING: Explanation("The contract is being analysed.", "Nothing to do."),
    Reason.COMPLETED: Explanation("The report is stored.", "Read it with `dealguard report`."),
    Reason.CACHED: Explanation(
        "An earlier report of the same document with the same settings was taken; nothing was spent.",
        "For another one, create the analysis with spec.cache: Refresh.",
    ),
    Reason.CANCELLED: Explanation(
        "The analysis was cancelled.", "To run it after all, set spec.cancel to false and spec.runToken to a new value."
    ),
    Reason.DOCUMENT_KEY_FORBIDDEN: Explanation(
        "The document lies outside the namespace's folder.",
        "Upload it under documents/<namespace>/ and create the analysis again.",
    ),
    Reason.DOCUMENT_NOT_FOUND: Explanation(
        "The object storage has no document under spec.document.key.",
        "Check the key, upload the document, then create the analysis again.",
    ),
    Reason.DOCUMENT_EMPTY: Explanation("The document has no content (0 bytes).", "Upload the file again."),
    Reason.DOCUMENT_TOO_LARGE: Explanation(
        "The document is larger than this installation allows.",
        "Split it or reduce its images, or ask the installation's administrator to raise the limit.",
    ),
    Reason.CHECKSUM_MISMATCH: Explanation(
        "The stored document is not the one that spec.document.sha256 names.",
        "Upload the document again and create an analysis with the digest of that file.",
    ),
    Reason.NOT_A_PDF: Explanation("The document is not a PDF.", "Export the contract as PDF and upload that file."),
    Reason.DOCUMENT_ENCRYPTED: Explanation(
        "The PDF is protected with a password.", "Save a copy without the password and upload that."
    ),
    Reason.DOCUMENT_UNREADABLE: Explanation(
        "The PDF is damaged and no page of it can be read.",
        "Open it in a PDF viewer, print it to a new PDF and upload that.",
    ),
    Reason.TOO_MANY_PAGES: Explanation(
        "The document has more pages than this installation allows.",
        "Split it, or ask the installation's administrator to raise the limit.",
    ),
    Reason.NO_TEXT_LAYER: Explanation(
        "The PDF has no text layer: its pages are pictures.",
        "It needs OCR: make it searchable with a text-recognition tool and upload the result.",
    ),
    Reason.API_KEY_MISSING: Explanation(
        "The claude engine needs an API key and none is set.",
        "Create the Secret with the key in the analysis's namespace, or use spec.engine: rules.",
    ),
    Reason.API_KEY_REJECTED: Explanation(
        "Claude's API refused the API key.", f"Correct the key in the Secret, then {_RUN_AGAIN}."
    ),
    Reason.SPEND_LIMIT_REACHED: Explanation(
        "The spending limit or credit of the Claude account is used up.",
        f"Raise the limit in the account's console, then {_RUN_AGAIN}.",
    ),
    Reason.COST_LIMIT_EXCEEDED: Explanation(
        "The analysis would cost more than spec.maxCostUSD.",
        "Create it again with a higher spec.maxCostUSD, or use spec.engine: rules.",
    ),
    Reason.CONTRACT_TOO_LONG: Explanation(
        "The contract is longer than the model can read in one request.",
        "Split the document, or use spec.engine: rules.",
    ),
    Reason.MODEL_REFUSED: Explanation(
        "The model declined to analyse this document.",
        "Check that it is a contract; use spec.engine: rules to analyse it without the model.",
    ),
    Reason.ENGINE_REQUEST_REJECTED: Explanation(
        "Claude's API refused the request.",
        "Ask the installation's administrator to check the model's name and the analyzer's version.",
    ),
    Reason.STORAGE_UNAVAILABLE: Explanation(
        "The object storage did not answer.", f"Check that it is reachable from pods, then {_RUN_AGAIN}."
    ),
    Reason.ENGINE_UNAVAILABLE: Explanation(
        "Claude's API was overloaded or could not be reached.", f"Wait a few minutes, then {_RUN_AGAIN}."
    ),
    Reason.ENGINE_OUTPUT_INVALID: Explanation(
        "The model's answer was cut off or was not a valid report.", f"To try once more, {_RUN_AGAIN}."
    ),
    Reason.TERMINATED: Explanation("The pod was stopped from outside.", f"To try once more, {_RUN_AGAIN}."),
    Reason.INTERNAL_ERROR: Explanation(
        "The analyzer failed unexpectedly.", f"Look at the pod's log, then {_RUN_AGAIN}."
    ),
    Reason.OUT_OF_MEMORY: Explanation(
        "The analysis needed more memory than its limit.",
        f"Ask the installation's administrator to raise the analyzer's memory limit, then {_RUN_AGAIN}.",
    ),
    Reason.EVICTED: Explanation("The node had to give up the pod.", f"To try once more, {_RUN_AGAIN}."),
    Reason.DEADLINE_EXCEEDED: Explanation(
        "The analysis did not finish within spec.deadlineSeconds.",
        f"Look at the attempts for what took the time, then {_RUN_AGAIN}, or create it with a longer deadline.",
    ),
    Reason.ATTEMPTS_EXHAUSTED: Explanation(
        "Every attempt failed.", f"Look at the attempts for the cause, then {_RUN_AGAIN}."
    ),
    Reason.JOB_DELETED: Explanation("The Job was deleted before it finished.", f"To start over, {_RUN_AGAIN}."),
    Reason.JOB_REJECTED: Explanation(
        "The cluster refused to create the Job.",
        f"Ask the cluster's administrator to check the namespace's quotas and policies, then {_RUN_AGAIN}.",
    ),
    Reason.POD_NOT_CREATED: Explanation(
        "No pod could be created for the Job.",
        "`kubectl describe job` shows why, often a quota or a policy of the namespace.",
    ),
    Reason.IMAGE_PULL_FAILED: Explanation(
        "The node cannot get the analyzer image.",
        "Ask the installation's administrator to check the image's name and the registry's access.",
    ),
    Reason.UNSCHEDULABLE: Explanation("No node has room for the pod.", "Wait for other work to finish, or add nodes."),
}


def explain(reason: Reason) -> Explanation:
    """What `reason` means and what to do next."""
    return _EXPLANATIONS[reason]
