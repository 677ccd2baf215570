"""What the benchmarks do to a cluster before they measure, by its own kubectl."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.operator.api import ANALYSES, BenchmarkError

_DEFINITIONS = Path(__file__).resolve().parents[2] / "crds"
_DEFINITION_SECONDS = 60


def kubectl(environment: Mapping[str, str], *arguments: str, stdin: str | None = None) -> str:
    """Run it with that environment; what it printed.

    Raises:
        BenchmarkError: it failed, in its own words.
    """
    done = subprocess.run(
        ["kubectl", *arguments], env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def install_definition(environment: Mapping[str, str]) -> None:
    """Install the CustomResourceDefinition and wait until analyses can be watched.

    An established definition is not enough: its storage takes another moment, and answers 429 until then.

    Raises:
        BenchmarkError: it was refused, or they cannot be watched in time.
    """
    kubectl(environment, "apply", "--server-side", "--force-conflicts", "-f", str(_DEFINITIONS))
    end = time.monotonic() + _DEFINITION_SECONDS
    while True:
        try:
            kubectl(environment, "get", "--raw", f"{ANALYSES}/contractanalyses?watch=true&timeoutSeconds=1")
        except BenchmarkError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
        else:
            return
