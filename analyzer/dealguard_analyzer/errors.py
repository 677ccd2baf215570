"""What can go wrong in an analysis.

    AnalysisError                 carries the exit code that stands for it, words for the user, and what was spent
    ├── PermanentError            the same input fails again: not retried
    │   ├── DocumentError         the document (exit codes 20 to 39)
    │   └── EngineRefusedError    the engine cannot or may not do it (40 to 59)
    └── PassingError              worth another attempt: storage or API away, a cut answer, a deadline

No message quotes the contract, a key or a URL.
"""

from dealguard_api.exit_codes import ExitCode
from dealguard_api.reasons import Reason, explain
from dealguard_api.report import Usage


class AnalysisError(Exception):
    """The analysis ended without a report.

    Args:
        exit_code: how the container ends; it names the reason.
        detail: the particulars of this case, as a sentence, put before the next step. Without it, the reason's meaning.
        usage: what was consumed until then.
    """

    def __init__(self, exit_code: ExitCode, detail: str | None = None, usage: Usage | None = None) -> None:
        explanation = explain(exit_code.reason)
        self.exit_code = exit_code
        self.usage = usage
        self.message = f"{detail or explanation.meaning} {explanation.next_step}"
        super().__init__(self.message)

    @property
    def reason(self) -> Reason:
        """The reason that goes into the status."""
        return self.exit_code.reason


class PermanentError(AnalysisError):
    """The same input would fail the same way again."""


class DocumentError(PermanentError):
    """The document cannot be analysed."""


class EngineRefusedError(PermanentError):
    """The engine cannot analyse it, or may not."""


class PassingError(AnalysisError):
    """Another attempt may succeed."""
