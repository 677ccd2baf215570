"""`python -m dealguard_analyzer extract|analyze`: the entry point of the pod's containers."""

import signal

# Before anything else is loaded: as PID 1 a SIGTERM that nobody has asked for is lost.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})

import argparse  # noqa: E402
import os  # noqa: E402
from pathlib import Path  # noqa: E402

from dealguard_analyzer.containers.lifecycle import Container, run_container  # noqa: E402
from dealguard_analyzer.containers.mounts import Mounts  # noqa: E402
from dealguard_analyzer.containers.storage import PresignedStorage  # noqa: E402


def main() -> None:
    """Run one of the containers; the process ends with its exit code."""
    arguments = _parse_arguments()
    mounts = Mounts(arguments.secret_dir, arguments.api_key_dir, arguments.work_dir, arguments.termination_message)
    storage = PresignedStorage()
    run_container(_container(arguments.container, mounts, storage), mounts, os.environ, storage.clock)


def _parse_arguments() -> argparse.Namespace:
    defaults = Mounts()
    parser = argparse.ArgumentParser(prog="python -m dealguard_analyzer", description=__doc__)
    parser.add_argument("container", choices=("extract", "analyze"))
    parser.add_argument("--secret-dir", type=Path, default=defaults.secret, help="the Job's Secret (%(default)s)")
    parser.add_argument("--api-key-dir", type=Path, default=defaults.api_key, help="the API key (%(default)s)")
    parser.add_argument("--work-dir", type=Path, default=defaults.work, help="the shared volume (%(default)s)")
    parser.add_argument("--termination-message", type=Path, default=defaults.termination_message, metavar="FILE")
    return parser.parse_args()


def _container(name: str, mounts: Mounts, storage: PresignedStorage) -> Container:
    # Each container loads its own code only: `extract` no engine, `analyze` no child process.
    if name == "extract":
        from dealguard_analyzer.containers.extract import ExtractContainer  # noqa: PLC0415

        return ExtractContainer(mounts, os.environ, storage)
    from dealguard_analyzer.containers.analyze import AnalyzeContainer  # noqa: PLC0415

    return AnalyzeContainer(mounts, os.environ, storage)


main()
