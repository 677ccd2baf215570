"""The Go programs of the benchmark, built into the cluster's cache."""

from dataclasses import dataclass
from pathlib import Path

from dealguard_cluster.binaries import Tool, build_one
from dealguard_cluster.console import Console
from dealguard_cluster.layout import cache_root

_MODULES = Path(__file__).resolve().parent / "go"

KWOK = Tool("kwok", "sigs.k8s.io/kwok", (("kwok", "kwok"),), modules=_MODULES)
TWIN = Tool("twin", None, (("twin", "twin"),), modules=_MODULES)
STANDIN = Tool("standin", None, (("standin", "standin"),), modules=_MODULES)


@dataclass(frozen=True)
class Programs:
    """Where the built programs lie."""

    kwok: Path
    twin: Path
    standin: Path


def build_programs(console: Console) -> Programs:
    """Build what is not in the cache yet."""
    cache = cache_root()
    folders = {tool.name: build_one(tool, cache, console) for tool in (STANDIN, TWIN, KWOK)}
    return Programs(**{name: folder / name for name, folder in folders.items()})
