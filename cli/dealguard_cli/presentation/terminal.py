"""Consoles, colours and text that is safe to print.

Standard output carries results alone; progress and messages go to standard error.
"""

import re
import sys

from rich.console import Console
from rich.text import Text

from dealguard_api.report import RiskLevel
from dealguard_api.resource import Phase

PHASE_STYLES = {
    Phase.PENDING: "yellow",
    Phase.PROCESSING: "cyan",
    Phase.COMPLETED: "green",
    Phase.FAILED: "bold red",
    Phase.CANCELLED: "dim",
}
RISK_STYLES = {
    RiskLevel.NONE_FOUND: "dim",
    RiskLevel.LOW: "green",
    RiskLevel.MEDIUM: "yellow",
    RiskLevel.HIGH: "dark_orange",
    RiskLevel.CRITICAL: "bold red",
}

# Control characters could drive the terminal, and marks of direction could show a text that is not there.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def results() -> Console:
    """Standard output. Rich itself follows NO_COLOR and drops colours where it is no terminal."""
    return _console(sys.stdout)


def messages() -> Console:
    """Standard error."""
    return _console(sys.stderr)


def _console(stream: object) -> Console:
    # No guessing at numbers, links or emoji in what a contract or a server says.
    return Console(file=stream, highlight=False, markup=False, emoji=False)  # type: ignore[arg-type]


def safe(text: str) -> str:
    """`text` without what could drive a terminal: contracts and their authors are not trusted."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def printable(path: object) -> str:
    """A path as text: its bytes need not be any."""
    return str(path).encode(errors="replace").decode()


def shown_name(path: object) -> str:
    """A file's name on one line, whatever it is made of."""
    return safe(printable(path)).replace("\n", "\N{REPLACEMENT CHARACTER}")


def print_error(message: str) -> None:
    """Say on standard error why the command ended."""
    messages().print(Text.assemble(("Error: ", "bold red"), safe(message)), soft_wrap=True)


def phase_text(phase: Phase) -> Text:
    """The phase in its colour."""
    return Text.assemble((str(phase), PHASE_STYLES[phase]))


def risk_text(level: RiskLevel) -> Text:
    """The risk level in its colour."""
    return Text.assemble((str(level), RISK_STYLES[level]))
