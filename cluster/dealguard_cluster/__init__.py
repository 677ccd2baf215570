"""A real, single-node Kubernetes with object storage on one Linux machine, for the demo and the tests.

What belongs here: building the binaries, running them in Linux namespaces of their own ("a node in a box"), and
putting images into that node. What never does: anything that DealGuard needs at run time. The product must not be
able to tell this cluster from any other.
"""

from dealguard_cluster.cluster import Cluster
from dealguard_cluster.errors import ClusterError, ComponentUnhealthyError, MachineUnfitError

__all__ = ["Cluster", "ClusterError", "ComponentUnhealthyError", "MachineUnfitError"]
