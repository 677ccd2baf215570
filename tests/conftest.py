"""How `make test` divides the tests between two processes, and what it says at the end."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from tests.faults.figures import FIGURES, Figure

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

# Each of these has one cluster for all its tests. They mostly wait for it, so the rest runs beside them.
_TOGETHER = ("tests/cluster/", "tests/faults/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling":
    """Keep together what shares a cluster, and of the rest each file.

    pytest-xdist's own groups (`--dist loadgroup`) are silently ignored by pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - absent where tests run in one process

    class OneProcessForEachCluster(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return next((folder for folder in _TOGETHER if file.startswith(folder)), file)

    return OneProcessForEachCluster(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what the fault tests measured to the process that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = [asdict(figure) for figure in FIGURES.figures]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: "WorkerController") -> None:
    """Take over what a process measured; one that died left nothing."""
    FIGURES.figures += [Figure(**figure) for figure in getattr(node, "workeroutput", {}).get("figures", [])]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures, and keep them."""
    if not FIGURES.figures:
        return
    terminalreporter.section("faults")
    for figure in FIGURES.figures:
        terminalreporter.write_line(figure.line)
    terminalreporter.write_line(FIGURES.summary())
    FIGURES.write()
