"""What a program parses: JSON, YAML and names. One document on standard output, nothing else."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from dealguard_cli.adapters.analyses import Analysis


class InterruptedOutputError(click.exceptions.Abort):
    """Ctrl-C while the document was being written: a second one must not follow."""


@contextmanager
def one_document() -> Iterator[None]:
    """What the block writes on standard output is all that will stand there, whenever it is interrupted."""
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        raise InterruptedOutputError from interrupt


def print_analyses(analyses: Sequence[Analysis], output: str, *, as_list: bool) -> None:
    """The resources as the server holds them.

    Args:
        output: 'json', 'yaml' or 'name'.
        as_list: in a `List`, as kubectl does where more than one was asked for.
    """
    if output == "name":
        for analysis in analyses:
            click.echo(analysis.resource_name)
        return
    raw = [analysis.raw for analysis in analyses]
    print_data({"apiVersion": "v1", "kind": "List", "items": raw} if as_list else raw[0], output)


def print_data(data: Any, output: str) -> None:
    """JSON-compatible data as 'json' or 'yaml'."""
    if output == "json":
        with one_document():
            click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    import yaml  # noqa: PLC0415 - comes with the Kubernetes client, which `analyze` does not need

    click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), nl=False)


def print_error(reason: str, message: str) -> None:
    """An error as data."""
    click.echo(json.dumps({"error": {"reason": reason, "message": message}}, indent=2, ensure_ascii=False))
