"""The files that a container finds: what the operator's volumes put there."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dealguard_analyzer.errors import AnalysisError
from dealguard_api import pod
from dealguard_api.exit_codes import ExitCode


@dataclass(frozen=True)
class Mounts:
    """Where the files are. The defaults are the pod's; tests and debugging name others."""

    secret: Path = Path(pod.SECRET_MOUNT_PATH)
    api_key: Path = Path(pod.API_KEY_MOUNT_PATH)
    work: Path = Path(pod.WORK_MOUNT_PATH)
    termination_message: Path = Path(pod.TERMINATION_MESSAGE_PATH)

    @property
    def document(self) -> Path:
        """The PDF, while `extract` reads it."""
        return self.work / "document.pdf"

    @property
    def text(self) -> Path:
        """The extracted text, from `extract` to `analyze`."""
        return self.work / "text.jsonl"

    def read_secret(self, key: str) -> str:
        """One key of the Job's Secret.

        Raises:
            AnalysisError: the Secret does not have it.
        """
        try:
            return (self.secret / key).read_text().strip()
        except (OSError, UnicodeDecodeError):
            raise AnalysisError(ExitCode.INTERNAL_ERROR, f"The Job's Secret has no readable key {key}.") from None

    def read_deadline(self) -> datetime:
        """When the Job ends.

        Raises:
            AnalysisError: the Secret does not say so.
        """
        try:
            return pod.parse_deadline(self.read_secret(pod.DEADLINE))
        except ValueError:
            detail = f"The key {pod.DEADLINE} of the Job's Secret is not a time with a time zone."
            raise AnalysisError(ExitCode.INTERNAL_ERROR, detail) from None

    def read_api_key(self) -> str | None:
        """The key of Claude's API; None if the namespace has none."""
        try:
            return (self.api_key / pod.API_KEY_FILE).read_text().strip() or None
        except (OSError, UnicodeDecodeError):
            return None
