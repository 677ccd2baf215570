"""`dealguard version`."""

from importlib.metadata import version

import click

from dealguard_api import names
from dealguard_api.report import SCHEMA_VERSION
from dealguard_cli.errors import ExitStatus
from dealguard_cli.presentation import machine


def run(output: str | None) -> ExitStatus:
    """Print the versions."""
    own = version("dealguard")
    if output == "json":
        machine.print_data({"version": own, "apiVersion": names.API_VERSION, "reportVersion": SCHEMA_VERSION}, output)
    else:
        click.echo(f"dealguard {own} ({names.KIND} {names.API_VERSION})")
    return ExitStatus.OK
