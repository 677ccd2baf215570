"""Logs: one line an occurrence, with namespace, name and uid of the analysis it is about, as JSON or plain.

Kopf's formatters do the work, so its lines and ours look alike.
"""

import logging
from collections.abc import MutableMapping
from typing import Any

import kopf

from dealguard_api import names
from dealguard_operator.model import Analysis
from dealguard_operator.settings import OperatorSettings


class AnalysisLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines are about one analysis."""

    def __init__(self, analysis: Analysis) -> None:
        super().__init__(logging.getLogger("dealguard_operator"))
        self._reference = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "namespace": analysis.namespace,
            "name": analysis.name,
            "uid": analysis.uid,
        }

    def process(self, msg: str, kwargs: MutableMapping[str, Any]) -> tuple[str, MutableMapping[str, Any]]:
        """Add the reference, under the key that Kopf's formatters read."""
        return msg, {**kwargs, "extra": {**(kwargs.get("extra") or {}), "k8s_ref": self._reference}}


def configure_logs(settings: OperatorSettings) -> None:
    """Send all logs to stderr, in the format that the settings ask for."""
    is_json = settings.log_format == "json"
    kopf.configure(log_format=kopf.LogFormat.JSON if is_json else kopf.LogFormat.FULL, log_prefix=not is_json)
    logging.getLogger().setLevel(settings.log_level)
    quieten_libraries()


def quieten_libraries() -> None:
    """Mute the libraries' chatter: a line an event, a line a probe."""
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    logging.getLogger("kopf.activities.probe").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
