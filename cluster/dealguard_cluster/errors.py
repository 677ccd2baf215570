"""What can go wrong with the local cluster. Every message says what happened and what to do next.

ClusterError
├── MachineUnfitError        this machine cannot run it (exit code 2)
├── CommandFailedError       a program that we started ended with an error
└── ComponentUnhealthyError  a component did not become healthy in time
"""

from __future__ import annotations


class ClusterError(Exception):
    """Base of all errors of the local cluster."""

    exit_code = 1


class MachineUnfitError(ClusterError):
    """This machine cannot run the cluster; another try without a change will not help."""

    exit_code = 2


class CommandFailedError(ClusterError):
    """A program ended with an error; the message carries the end of what it printed."""


class ComponentUnhealthyError(ClusterError):
    """A component did not become healthy in time; the message names its log and shows the end of it."""
