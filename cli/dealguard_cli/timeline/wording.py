"""Reasons, exit codes and waiting containers in words."""

import signal

from dealguard_api.exit_codes import ExitCode
from dealguard_api.reasons import Explanation, Reason, explain
from dealguard_cli.adapters.workloads import ContainerSeen

_SIGNAL_BASE = 128
# Codes that say no more than "it ended": another sign is better, if there is one.
_GENERIC_CODES = (ExitCode.INTERNAL_ERROR, ExitCode.TERMINATED)


def explanation(reason: str | None) -> Explanation | None:
    """What a reason means; None for one that a newer operator knows and this program does not."""
    try:
        return explain(Reason(reason or ""))
    except (ValueError, KeyError):
        return None


def meaning(reason: str) -> str:
    """The reason in words."""
    words = explanation(reason)
    return words.meaning if words else "This dealguard does not know that reason; the operator is newer."


def cause_and_step(reason: str | None, message: str) -> tuple[str, str]:
    """A status's message, parted into what happened and what to do next: it ends with the reason's own next step."""
    words = explanation(reason)
    if words is None or not message.endswith(words.next_step):
        return message, words.next_step if words else ""
    return message.removesuffix(words.next_step).rstrip(), words.next_step


def container_end(container: ContainerSeen) -> str:
    """How a container ended, by its exit code's meaning."""
    code, name = container.exit_code, container.name
    if code == 0:
        return f"{name} ended well"
    known = ExitCode(code) if code in tuple(ExitCode) else None
    if known is not None and known not in _GENERIC_CODES:
        again = "not tried again" if known.is_permanent else "may be tried again"
        return f"{name} failed: {known.reason}, exit code {code}, {again}: {meaning(known.reason)}"
    if container.reason == "OOMKilled":
        return f"{name} was killed: OOMKilled, exit code {code}: {meaning(Reason.OUT_OF_MEMORY)}"
    if known is not None:
        return f"{name} failed: {known.reason}, exit code {code}: {meaning(known.reason)}"
    if code is not None and code > _SIGNAL_BASE:
        return f"{name} was killed: exit code {code}{_signal(code)}"
    return f"{name} failed: exit code {code}, which is none of the analyzer's"


def container_waits(container: ContainerSeen) -> str:
    """Why a container has not started."""
    what = f"{container.name} waits: {container.reason}"
    return f"{what}: {container.message}" if container.message else what


def is_stuck(container: ContainerSeen) -> bool:
    """Whether a waiting container waits for something that has gone wrong, rather than for its turn."""
    ordinary = ("", "PodInitializing", "ContainerCreating")
    return container.started_at is None and container.exit_code is None and container.reason not in ordinary


def _signal(code: int) -> str:
    try:
        return f" ({signal.Signals(code - _SIGNAL_BASE).name})"
    except ValueError:
        return ""
