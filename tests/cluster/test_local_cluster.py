"""The local cluster under faults: nothing of it stays dead while it should live, or alive once it should be gone.

These tests kill things, so they use instances of their own, never the one that the other tests share.
"""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from minio import Minio

from dealguard_cluster import Cluster, MachineUnfitError, box
from tests.cluster.tools import Kubectl

REPOSITORY = Path(__file__).resolve().parent.parent.parent
NAME = "dealguard-faults"
RECOVERY_TIMEOUT_SECONDS = 60

COMPONENTS = (
    "slirp4netns",
    "etcd",
    "containerd",
    "minio",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
)


@dataclass(frozen=True)
class Faulty:
    """A running instance that tests may break, with a pod in it that answers questions."""

    cluster: Cluster
    kubectl: Kubectl

    def process_ids(self) -> dict[str, int]:
        return {status.name: status.process_id for status in self.cluster.status()}

    def ill(self) -> list[str]:
        return [status.name for status in self.cluster.status() if not status.healthy]

    def restarts(self) -> int:
        pod = self.kubectl.get("pod", "resident", "default")
        return int(pod["status"]["containerStatuses"][0]["restartCount"])

    def in_pod(self, python: str) -> str:
        return self.kubectl.check("exec", "resident", "--", "python3", "-c", python)

    def connect_from_pod(self, host: str, port: int) -> None:
        self.in_pod(f"import socket; socket.create_connection(({host!r}, {port}), 5).close()")


def kubectl_of(cluster: Cluster) -> Kubectl:
    program = shutil.which("kubectl", path=cluster.environment()["PATH"])
    assert program
    return Kubectl(program, str(cluster.kubeconfig))


def wait_for(condition: Callable[[], object], what: str, timeout_seconds: float = RECOVERY_TIMEOUT_SECONDS) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_seconds} s"
        time.sleep(0.2)


def first_process(cluster: Cluster) -> int:
    process = box.first_process(cluster.layout)
    assert process is not None
    return process


def kill_inside(cluster: Cluster, process_id: int) -> None:
    """Kill a process by the number that it has inside the node."""
    into = ["nsenter", f"--target={first_process(cluster)}", "--pid", "--mount"]
    subprocess.run([*into, "kill", "-KILL", str(process_id)], check=True)


@pytest.fixture(scope="module")
def faulty() -> Iterator[Faulty]:
    """A fresh instance with the analyzer's image and a pod that sleeps in it."""
    cluster = Cluster(NAME)
    cluster.up(fresh=True)
    image = cluster.build_images(REPOSITORY, targets=["analyzer"])[0].name
    kubectl = kubectl_of(cluster)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "resident"},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "resident",
                    "image": image,
                    "imagePullPolicy": "Never",
                    "command": ["python3", "-c", "import time; print('here', flush=True); time.sleep(100000)"],
                }
            ],
        },
    }
    kubectl.apply(pod)
    kubectl.check("wait", "--for=condition=Ready", "pod/resident", "--timeout=60s")
    yield Faulty(cluster, kubectl)
    cluster.down()  # not deleted: the next run finds the image


def test_pods_reach_what_the_product_needs(faulty: Faulty) -> None:
    """The API server by its service, MinIO by the node's address, and a server of a test on the host."""
    layout = faulty.cluster.layout
    with socket.create_server((layout.host_address, 0)) as server:
        for host, port in (
            ("10.96.0.1", 443),
            (layout.node_address, 9000),
            (layout.host_address, server.getsockname()[1]),
        ):
            faulty.connect_from_pod(host, port)
        assert peer_of(server) == layout.node_address, "the host has no route to pods: it must see the node's address"


def test_pods_reach_the_world(faulty: Faulty) -> None:
    """As far as a test may go: to the address under which this machine itself reaches the world, over the uplink."""
    address = outward_address()
    if address is None:
        pytest.skip("this machine has no way out")
    with socket.create_server((address, 0)) as server:
        faulty.connect_from_pod(address, server.getsockname()[1])
        assert peer_of(server) == address, "slirp4netns connects in the name of the host"


def test_logs_and_exec(faulty: Faulty) -> None:
    """Both go from the API server to the kubelet, by an address and a right that are easy to get wrong."""
    assert faulty.kubectl.check("logs", "resident") == "here\n"
    assert faulty.in_pod("print(6 * 7)") == "42\n"


def test_no_secret_in_process_arguments(faulty: Faulty) -> None:
    """Every user of the machine reads the arguments of every process."""
    secret = faulty.cluster.environment()["DEALGUARD_S3_SECRET_KEY"].encode()
    arguments = [file.read_bytes() for file in node_processes_files(NAME, "cmdline")]
    assert len(arguments) > len(COMPONENTS)
    assert not [line for line in arguments if secret in line]


def test_files_with_secrets_are_for_root_alone(faulty: Faulty) -> None:
    layout = faulty.cluster.layout
    for path in (layout.storage_credentials, layout.kubeconfig, layout.pki, layout.logs, layout.pki / "admin.key"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("component", COMPONENTS)
def test_killed_component_comes_back(faulty: Faulty, component: str) -> None:
    """kill -9 of any component: it runs again as another process, all are healthy, and pods did not notice."""
    before = faulty.process_ids()[component]
    assert before > 0
    kill_inside(faulty.cluster, before)
    wait_for(lambda: faulty.process_ids()[component] not in (0, before), f"{component} was not started again")
    wait_for(lambda: not faulty.ill(), f"after the end of {component} not all were healthy again")
    faulty.kubectl.check("wait", "--for=condition=Ready", f"node/{NAME}", "--timeout=60s")
    assert faulty.restarts() == 0


def test_work_goes_on_after_all_that(faulty: Faulty) -> None:
    """New pods are still scheduled, started, watched and reported by what came back."""
    image = faulty.kubectl.get("pod", "resident", "default")["spec"]["containers"][0]["image"]
    container = {
        "name": "job",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", "print('done')"],
    }
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    faulty.kubectl.apply(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "after"}, "spec": {"template": template}}
    )
    faulty.kubectl.check("wait", "--for=condition=Complete", "job/after", "--timeout=60s")
    assert faulty.kubectl.check("logs", "job/after") == "done\n"


@pytest.mark.parametrize("victim", ["supervisord", "unshare"])
def test_killed_node_starts_again_with_its_data(faulty: Faulty, victim: str) -> None:
    """kill -9 of the node's PID 1, or of its parent on the host, ends all of it; `up` brings it back as it was."""
    layout = faulty.cluster.layout
    storage = storage_client(faulty.cluster)
    storage.put_object("dealguard", "kept", data=io.BytesIO(b"kept"), length=4)
    restarts = faulty.restarts()
    first = first_process(faulty.cluster)
    os.kill(first if victim == "supervisord" else parent_of(first), signal.SIGKILL)
    wait_for(lambda: not node_processes_files(NAME, "comm"), "processes of the node outlived it")
    assert not faulty.cluster.is_running()

    faulty.cluster.up()

    assert storage.stat_object("dealguard", "kept").size == 4
    wait_for(lambda: faulty.restarts() > restarts, "the pod was not started again")
    faulty.kubectl.check("wait", "--for=condition=Ready", "pod/resident", "--timeout=60s")
    assert layout.host_address in interface_addresses()


def test_two_commands_at_once(faulty: Faulty) -> None:
    """Two `up` at the same time take turns: both succeed, and there is one node."""
    faulty.cluster.down()
    command = [sys.executable, "-m", "dealguard_cluster", "--name", NAME, "up"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outcomes = [(process.communicate(timeout=120)[1], process.returncode) for process in both]
    assert [code for _, code in outcomes] == [0, 0], outcomes
    assert not faulty.ill()


def test_second_instance_side_by_side(faulty: Faulty) -> None:
    """Another instance has an address and data of its own, and its end is not felt by the first."""
    second = Cluster(f"{NAME}-2")
    try:
        second.up(fresh=True)
        kubectl = kubectl_of(second)
        kubectl.check("create", "configmap", "only-in-second")
        assert second.layout.node_address != faulty.cluster.layout.node_address
        assert "only-in-second" not in faulty.kubectl.check("get", "configmaps", "--all-namespaces")
        second.down()
        assert nothing_left_of(second.name) == []
        assert not faulty.ill()
    finally:
        second.delete()


@pytest.mark.parametrize("end", [Cluster.down, Cluster.delete, lambda cluster: cluster.up(fresh=True)])
def test_only_its_owner_ends_it(
    faulty: Faulty, end: Callable[[Cluster], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster of the same name with its data elsewhere is somebody else's."""
    first = first_process(faulty.cluster)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("DEALGUARD_STATE", str(tmp_path))
        with pytest.raises(MachineUnfitError, match=f"--name {NAME} delete"):
            end(Cluster(NAME))
    assert not list(tmp_path.iterdir()), "nothing was begun"
    assert first_process(faulty.cluster) == first


def test_another_subnet_keeps_the_data(faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node moves with new certificates at the next start, and stays there once the variable is gone."""
    faulty.kubectl.check("create", "configmap", "moved")
    with monkeypatch.context() as moving:
        moving.setenv("DEALGUARD_CLUSTER_SUBNET", "10.77.0.0/16")
        faulty.cluster.up()
    assert faulty.cluster.layout.node_address.startswith("10.77.")
    assert "moved" in faulty.kubectl.check("get", "configmaps")
    assert not faulty.ill()
    with monkeypatch.context() as back:
        back.setenv("DEALGUARD_CLUSTER_SUBNET", "10.250.0.0/16")
        faulty.cluster.up()
    assert faulty.cluster.layout.node_address.startswith("10.250.")
    assert not faulty.ill()


def test_fresh_forgets_data_and_keeps_images(faulty: Faulty) -> None:
    """`up --fresh` is a new cluster to its users, without the minutes that images take."""
    images = faulty.cluster.images()
    kubeconfig = faulty.cluster.kubeconfig.read_text()
    faulty.kubectl.check("create", "configmap", "forgotten")
    faulty.cluster.up(fresh=True)
    assert "forgotten" not in faulty.kubectl.check("get", "configmaps")
    assert not list(storage_client(faulty.cluster).list_objects("dealguard"))
    assert images <= faulty.cluster.images()
    assert faulty.cluster.kubeconfig.read_text() == kubeconfig, "a loaded kubeconfig stays valid"


def test_down_leaves_nothing_on_the_host(faulty: Faulty) -> None:
    """No process, mount, interface or control group; and the machine's kernel settings were never changed."""
    panic = Path("/proc/sys/kernel/panic").read_text()
    assert nothing_left_of(NAME) != [], "the test must be able to see a running node"
    faulty.cluster.down()
    assert nothing_left_of(NAME) == []
    assert Path("/proc/sys/kernel/panic").read_text() == panic
    faulty.cluster.down()  # once more is no error


# What the host shows of an instance, looked for without the code under test.


def nothing_left_of(name: str) -> list[str]:
    """Everything on the host that belongs to an instance; empty when it has ended without a trace."""
    processes = [f"process {file.parent.name}" for file in node_processes_files(name, "comm")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/{name}/" in line]
    groups = [str(folder) for folder in Path("/sys/fs/cgroup").glob(f"**/dealguard-{name}")]
    address = Cluster(name).layout.host_address
    interfaces = [address] if address in interface_addresses() else []
    sockets = [str(path) for path in Path("/run/dealguard").glob(f"{name}/*")]
    return processes + mounts + groups + interfaces + sockets


def node_processes_files(name: str, file: str) -> list[Path]:
    """`/proc/PID/FILE` of every process in an instance's control groups."""
    found = []
    for group in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            text = group.read_text()
        except OSError:
            continue  # it has ended
        if f"/dealguard-{name}/" in text:
            found.append(group.with_name(file))
    return found


def interface_addresses() -> set[str]:
    listed = subprocess.run(["ip", "-json", "address"], check=True, capture_output=True, text=True).stdout
    return {address["local"] for interface in json.loads(listed) for address in interface.get("addr_info", [])}


def outward_address() -> str | None:
    """This machine's address on the interface of its default route."""
    shown = subprocess.run(["ip", "-json", "-4", "route"], check=True, capture_output=True, text=True).stdout
    devices = [route["dev"] for route in json.loads(shown or "[]") if route["dst"] == "default"]
    if not devices:
        return None
    listed = subprocess.run(["ip", "-json", "-4", "address"], check=True, capture_output=True, text=True).stdout
    addresses = {link["ifname"]: link["addr_info"] for link in json.loads(listed) if link.get("addr_info")}
    return next((str(info["local"]) for info in addresses.get(devices[0], [])), None)


def peer_of(server: socket.socket) -> str:
    """Who has connected to a listening socket: the kernel took the connection already."""
    server.settimeout(10)
    connection, (address, _) = server.accept()
    connection.close()
    return str(address)


def parent_of(process: int) -> int:
    status = Path("/proc", str(process), "status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))


def storage_client(cluster: Cluster) -> Minio:
    environment = cluster.environment()
    return Minio(
        environment["DEALGUARD_S3_ENDPOINT"].removeprefix("http://"),
        access_key=environment["DEALGUARD_S3_ACCESS_KEY"],
        secret_key=environment["DEALGUARD_S3_SECRET_KEY"],
        region=environment["DEALGUARD_S3_REGION"],
        secure=False,
    )
