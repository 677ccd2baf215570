"""Options that several commands share, and the name this program was called by."""

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from dealguard_cli.errors import ExitStatus

# RFC 1123: a namespace's name is a label, an analysis's may be several, with dots between them.
_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAMESPACE_NAME = re.compile(_LABEL)
_ANALYSIS_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


@dataclass(frozen=True)
class ClusterOptions:
    """Which cluster, as whom and where in it; None for what the kubeconfig says."""

    kubeconfig: str | None
    context: str | None
    namespace: str | None


def program_name() -> str:
    """How the user can call this again, as typed: by name, by path where it is not on PATH, or through kubectl."""
    if Path(sys.argv[0]).name.startswith("kubectl-"):
        return "kubectl dealguard"
    return "dealguard" if shutil.which("dealguard") else sys.argv[0]


def cluster_options(command: Callable[..., ExitStatus]) -> Callable[..., ExitStatus]:
    """`--kubeconfig`, `--context` and `-n`, with kubectl's meaning, handed over as `options`."""

    @wraps(command)
    def with_options(
        *arguments: Any, kubeconfig: str | None, context: str | None, namespace: str | None, **more: Any
    ) -> ExitStatus:
        return command(*arguments, options=ClusterOptions(kubeconfig, context, namespace), **more)

    for option in (
        click.option("--context", metavar="NAME", help="The kubeconfig's context. [default: its current one]"),
        click.option(
            "--kubeconfig",
            metavar="FILE",
            help="The cluster's kubeconfig. [default: $KUBECONFIG, then ~/.kube/config]",
        ),
        click.option(
            "-n",
            "--namespace",
            metavar="NAMESPACE",
            callback=check_name,
            help="[default: the context's namespace]",
        ),
    ):
        with_options = option(with_options)
    return with_options


def output_option(*formats: str) -> Callable[[CommandT], CommandT]:
    """`-o`, one of `formats`; None is the command's own choice."""
    return click.option("-o", "--output", type=click.Choice(formats), help="Format of the output.")


def check_name(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A callback for the name of an analysis or a namespace.

    Raises:
        click.BadParameter: the API server would not take `value` as a name.
    """
    del context
    pattern = _NAMESPACE_NAME if str(parameter.name).endswith("namespace") else _ANALYSIS_NAME
    if value is None or pattern.fullmatch(value):
        return value
    dots = "" if pattern is _NAMESPACE_NAME else ", dots"
    raise click.BadParameter(
        f"{value!r} is not a name. Use lower-case letters, digits{dots} and hyphens inside (RFC 1123)."
    )


def check_spec_field(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A callback for an option that becomes the field of `spec` of the same name: the resource's own rules hold.

    Raises:
        click.BadParameter: the field does not take `value`; the message is the field's description.
    """
    del context
    if value is None:
        return None
    # Late: --help does not need pydantic.
    from pydantic import ValidationError  # noqa: PLC0415

    from dealguard_api.resource import ContractAnalysisSpec, Document  # noqa: PLC0415

    name = str(parameter.name)
    try:
        ContractAnalysisSpec.model_validate({"document": Document(), name: value})
    except ValidationError as error:
        raise click.BadParameter(f"not usable. {ContractAnalysisSpec.model_fields[name].description}") from error
    return value


def debug_option(command: CommandT) -> CommandT:
    """`--debug`, on the group and on every command, so that it can simply be appended."""
    # The guard in main.py looks for it itself: it must know also when the command line cannot be parsed.
    return click.option("--debug", is_flag=True, expose_value=False, help="Show where an error came from.")(command)
