"""The commands: `python -m dealguard_cluster VERB`. Results go to standard output, progress to standard error."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from dealguard_cluster import preflight
from dealguard_cluster.cluster import Cluster
from dealguard_cluster.errors import ClusterError
from dealguard_cluster.layout import DEFAULT_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[Cluster, argparse.Namespace], None]

REPOSITORY = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 success, 1 failure, 2 when this machine cannot do it or the command is wrong."""
    arguments = _parser().parse_args(argv)
    try:
        cluster = Cluster(arguments.name)
        if arguments.needs_root and not arguments.print_only:
            preflight.check_user()
        arguments.command(cluster, arguments)
        sys.stdout.flush()
    except ClusterError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has seen enough; what is left of it goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        reason = error.strerror or type(error).__name__
        place = f" ({error.filename})" if error.filename else ""
        print(
            f"Could not {arguments.verb}: {reason}{place}; correct that, then run the same command again.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dealguard_cluster", description="The local Kubernetes of DealGuard."
    )
    parser.add_argument("--name", default=DEFAULT_NAME, help="which instance (default: %(default)s)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, command: Command, explanation: str, *, needs_root: bool = True) -> argparse.ArgumentParser:
        found = verbs.add_parser(name, help=explanation)
        found.set_defaults(command=command, needs_root=needs_root, print_only=False)
        return found

    verb("build", _build, "build the programs, nothing more", needs_root=False)
    verb("up", _up, "start it and wait until it is healthy").add_argument(
        "--fresh", action="store_true", help="with empty data; images are kept"
    )
    verb("status", _status, "how each component is; exit code 1 if one is not well")
    verb("down", _down, "end it; its data stays")
    verb("delete", _delete, "end it and erase its data")
    verb("kubeconfig", _kubeconfig, "print the path of its kubeconfig", needs_root=False)
    verb("env", _env, 'print what a shell needs to use it: eval "$(... env)"')
    logs = verb("logs", _logs, "print the end of a component's log")
    logs.add_argument("component", nargs="?", help="without it, the logs and their paths are listed")
    logs.add_argument("--lines", type=int, default=50, help="how many lines (default: %(default)s)")
    load = verb("load-image", _load_image, "import an image from an archive")
    load.add_argument("archive", type=Path, help="a docker-archive or OCI archive")
    load.add_argument("image", metavar="NAME", help="the image's name in the archive, such as localhost/tool:1")
    images = verb("build-images", _build_images, "build the Dockerfile's targets and load them")
    images.add_argument("--print", action="store_true", dest="print_only", help="print the names only, build nothing")
    images.add_argument("--context", type=Path, default=REPOSITORY, help="folder with the Dockerfile")
    return parser


def _build(cluster: Cluster, _: argparse.Namespace) -> None:
    for folder in cluster.build():
        print(folder)


def _up(cluster: Cluster, arguments: argparse.Namespace) -> None:
    cluster.up(fresh=arguments.fresh)
    again = "" if cluster.name == DEFAULT_NAME else f" --name {cluster.name}"
    print(f"The cluster {cluster.name!r} is up. Use it with:", file=sys.stderr)
    print(f'    eval "$({Path(sys.executable)} -m dealguard_cluster{again} env)"; kubectl get nodes', file=sys.stderr)


def _status(cluster: Cluster, _: argparse.Namespace) -> None:
    found = cluster.status()
    for component in found:
        print(f"{component.name:<24} {component.state.lower():<10} {'healthy' if component.healthy else 'not healthy'}")
    if ill := [component.name for component in found if not component.healthy]:
        raise ClusterError(
            f"Not healthy: {', '.join(ill)}. See `python -m dealguard_cluster --name {cluster.name} logs {ill[0]}`."
        )


def _down(cluster: Cluster, _: argparse.Namespace) -> None:
    cluster.down()
    print(f"The cluster {cluster.name!r} is down; its data stays for the next `up`.", file=sys.stderr)


def _delete(cluster: Cluster, _: argparse.Namespace) -> None:
    cluster.delete()
    print(f"The cluster {cluster.name!r} and its data are gone; built programs stay in the cache.", file=sys.stderr)


def _kubeconfig(cluster: Cluster, _: argparse.Namespace) -> None:
    print(cluster.kubeconfig)


def _env(cluster: Cluster, _: argparse.Namespace) -> None:
    for name, value in cluster.environment().items():
        print(f"export {name}={shlex.quote(value)}")


def _logs(cluster: Cluster, arguments: argparse.Namespace) -> None:
    folder = cluster.layout.logs
    names = sorted(file.stem for file in folder.glob("*.log"))
    if arguments.component is None:
        for name in names:
            print(f"{name:<24} {folder / name}.log")
        return
    if arguments.component not in names:
        raise ClusterError(f"There is no log of {arguments.component!r}; there are: {', '.join(names)}.")
    with (folder / f"{arguments.component}.log").open(errors="replace") as log:
        sys.stdout.writelines(deque(log, maxlen=arguments.lines))


def _load_image(cluster: Cluster, arguments: argparse.Namespace) -> None:
    cluster.load_image(arguments.archive, arguments.image)
    print(f"{arguments.image} is in the cluster {cluster.name!r}; use it with imagePullPolicy: Never.", file=sys.stderr)


def _build_images(cluster: Cluster, arguments: argparse.Namespace) -> None:
    if arguments.print_only:
        for target, name in cluster.image_names(arguments.context).items():
            print(f"{target} {name}")
        return
    for image in cluster.build_images(arguments.context):
        print(f"{image.name} {image.size_bytes / 1e6:.0f} MB")
