"""Layouts of local clusters that exist on paper only."""

import ipaddress

from dealguard_cluster.layout import Layout, cache_root, state_root


def layout_of(name: str = "dealguard", index: int = 0, base: str = "10.250.0.0/16") -> Layout:
    return Layout(name, index, state_root() / name, state_root() / "run", cache_root(), ipaddress.IPv4Network(base))
