"""A whole scene of one scenario's own: namespace, played kubelet, proxy and operator."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dealguard_cluster import Cluster
from tests.cluster.api_proxy import ApiProxy
from tests.cluster.operator_tools import operator_environment
from tests.faults.api import ApiServer
from tests.faults.processes import OperatorProcess, free_port
from tests.faults.stage import Stage

# Longer than any scenario: what is to be noticed is noticed by the watches alone.
NO_RESYNC = "36000"


@dataclass(frozen=True)
class Scene:
    """What one scenario works with. Nothing runs in it but what the scenario starts."""

    stage: Stage
    proxy: ApiProxy
    operator: OperatorProcess
    port: int  # of the operator's probes

    def wait_finished(self, seconds: float, *created: str) -> float:
        """Wait for the analyses' ends, with a kubelet that starts the operator again if it ends by itself."""
        return self.stage.wait_finished(seconds, created or None, meanwhile=self.operator.revive)


@contextmanager
def new_scene(cluster: Cluster, api: ApiServer, folder: Path, **settings: str) -> Iterator[Scene]:
    """A scene, torn down at the end of the block.

    Args:
        folder: for the log and the kubeconfig.
        settings: of the operator, names without the prefix.
    """
    namespace = f"faults-{uuid.uuid4().hex[:8]}"
    api.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    port = free_port()
    with ApiProxy(Path(cluster.kubeconfig)) as proxy, Stage(api, namespace) as stage:
        environment = {
            **operator_environment(cluster, namespace),
            "DEALGUARD_RESYNC_SECONDS": "30",
            "DEALGUARD_HEALTH_PORT": str(port),
            "KUBECONFIG": str(proxy.kubeconfig(folder / f"{namespace}.config")),
            **{f"DEALGUARD_{name}": value for name, value in settings.items()},
        }
        operator = OperatorProcess(environment, folder / f"{namespace}.log")
        try:
            yield Scene(stage, proxy, operator, port)
        finally:
            operator.stop()
    api.request("DELETE", f"/api/v1/namespaces/{namespace}")
