"""Logs: one line an occurrence, as JSON or plain.

A line about an analysis carries `uid`, `namespace`, `name` and `run`, as the lines of its pod's containers do: the uid
alone finds them all. A line never quotes a contract, a key or a URL.
"""

import json
import logging
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import kopf

from dealguard_operator.model import Analysis
from dealguard_operator.settings import OperatorSettings

# The attribute of a log record, and in it the keys, under which Kopf puts the object that its own lines are about.
_REFERENCE = "k8s_ref"
_CORRELATION = ("uid", "namespace", "name", "run")


class CorrelatedLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines are about one analysis, as far as it is known."""

    def __init__(self, **correlation: str | int | None) -> None:
        super().__init__(logging.getLogger("dealguard_operator"))
        self._reference = correlation

    def process(self, msg: str, kwargs: MutableMapping[str, Any]) -> tuple[str, MutableMapping[str, Any]]:
        """Add the reference, under the key that Kopf's formatters read."""
        return msg, {**kwargs, "extra": {**(kwargs.get("extra") or {}), _REFERENCE: self._reference}}


class AnalysisLogger(CorrelatedLogger):
    """A logger whose lines are about one analysis."""

    def __init__(self, analysis: Analysis) -> None:
        super().__init__(
            uid=analysis.uid, namespace=analysis.namespace, name=analysis.name, run=analysis.status.run or 1
        )


class JsonFormatter(logging.Formatter):
    """One JSON object a line, Kopf's own lines included."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname.lower(),
            "message": record.getMessage(),
        }
        reference = getattr(record, _REFERENCE, None) or {}
        line |= {key: reference[key] for key in _CORRELATION if reference.get(key) is not None}
        if isinstance(record.exc_info, tuple) and record.exc_info[0] is not None:
            # Type and place, not the message: it may quote what was worked on.
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logs(settings: OperatorSettings) -> None:
    """Send all logs to stderr, in the format that the settings ask for."""
    is_json = settings.log_format == "json"
    kopf.configure(log_format=kopf.LogFormat.FULL, log_prefix=not is_json)
    if is_json:
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonFormatter())
    logging.getLogger().setLevel(settings.log_level)
    quieten_libraries()


def quieten_libraries() -> None:
    """Mute the libraries' chatter: a line an event, a line a probe."""
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    logging.getLogger("kopf.activities.probe").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
