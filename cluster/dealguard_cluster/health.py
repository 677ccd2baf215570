"""Asking the components whether they are well, as their own health endpoints tell."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.request
from datetime import datetime
from typing import TYPE_CHECKING

from dealguard_cluster import box, containers, supervision
from dealguard_cluster.commands import last_lines
from dealguard_cluster.errors import ComponentUnhealthyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dealguard_cluster.components import Component
    from dealguard_cluster.layout import Layout

POLL_SECONDS = 0.1
REQUEST_TIMEOUT_SECONDS = 3


def is_healthy(layout: Layout, component: Component) -> bool:
    """Whether a component says that it is well."""
    if component.health_url is None:
        state = supervision.process_states(layout).get(component.name)
        return state is not None and state.state == "RUNNING"
    if component.health_url.startswith("unix://"):
        return containers.answers(layout)
    return _get(layout, component.health_url) is not None


def node_is_ready(layout: Layout) -> bool:
    """Whether the API server has the node as Ready, by a heartbeat of the kubelet that runs now.

    The state outlives its kubelet: after a restart it says Ready until somebody finds out.
    """
    kubelet = supervision.process_states(layout).get("kubelet")
    if kubelet is None:
        return False
    body = _get(layout, f"{layout.api_server_url}/api/v1/nodes/{layout.name}")
    if body is None:
        return False
    conditions = json.loads(body).get("status", {}).get("conditions", [])
    return any(
        condition["type"] == "Ready"
        and condition["status"] == "True"
        and datetime.fromisoformat(condition["lastHeartbeatTime"]).timestamp() >= kubelet.started_at
        for condition in conditions
    )


def default_service_account_exists(layout: Layout) -> bool:
    """Whether pods can be created in the namespace `default`: the controllers have caught up."""
    return _get(layout, f"{layout.api_server_url}/api/v1/namespaces/default/serviceaccounts/default") is not None


def wait_until(
    what: str,
    check: Callable[[], bool],
    layout: Layout,
    log_of: str,
    *,
    timeout_seconds: float,
    tell: Callable[[str], None],
) -> None:
    """Wait until a check holds.

    Args:
        log_of: the component whose log tells why it does not.
        tell: gets a word now and then, for whoever waits.

    Raises:
        ComponentUnhealthyError: it did not within the time; the message shows the end of the component's log.
    """
    deadline = time.monotonic() + timeout_seconds
    while not check():
        if box.first_process(layout) is None:
            text = layout.log_of("node").read_text(errors="replace")
            raise ComponentUnhealthyError(
                f"The node ended while {what} was starting. {layout.log_of('node')} ends with:\n{last_lines(text)}"
            )
        if time.monotonic() > deadline:
            log = layout.log_of(log_of)
            text = log.read_text(errors="replace") if log.exists() else "(no log yet)"
            raise ComponentUnhealthyError(
                f"{what} was not healthy within {timeout_seconds:.0f} s. {log} ends with:\n{last_lines(text)}\n"
                "If that does not tell you what to change, start over with empty data: "
                f"python -m dealguard_cluster --name {layout.name} up --fresh"
            )
        tell("not healthy yet")
        time.sleep(POLL_SECONDS)


def _get(layout: Layout, url: str) -> bytes | None:
    """The body of a 200, None for any other answer or none."""
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_TIMEOUT_SECONDS, context=_tls(layout, url)) as response:
            body: bytes = response.read()
            return body
    except (OSError, http.client.HTTPException):  # URLError, HTTPError and time-outs are OSErrors
        return None


def _tls(layout: Layout, url: str) -> ssl.SSLContext | None:
    if not url.startswith("https://"):
        return None
    if url.startswith(layout.api_server_url):
        context = ssl.create_default_context(cafile=layout.pki / "ca.crt")
        context.load_cert_chain(layout.pki / "admin.crt", layout.pki / "admin.key")
        return context
    # The controller manager and the scheduler make a certificate of their own at each start; nothing is told to them.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
