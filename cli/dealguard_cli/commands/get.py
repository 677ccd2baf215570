"""`dealguard get`: the analyses as a table, or all about one."""

from datetime import UTC, datetime

from dealguard_cli.adapters.cluster import connect
from dealguard_cli.errors import BadInputError, CliReason, ExitStatus
from dealguard_cli.options import ClusterOptions, program_name
from dealguard_cli.presentation import details, machine, table, terminal

_TABLE_OUTPUTS = (None, "wide")


def run(name: str | None, options: ClusterOptions, *, all_namespaces: bool, output: str | None) -> ExitStatus:
    """Show one analysis, or those of a namespace, or all."""
    if name is not None and all_namespaces:
        raise BadInputError(
            CliReason.USAGE_ERROR, "A name goes with one namespace. Use -n NAMESPACE instead of --all-namespaces."
        )
    cluster = connect(options.kubeconfig, options.context)
    namespace = options.namespace or cluster.default_namespace
    if name is not None:
        analysis = cluster.get(namespace, name)
        if output in _TABLE_OUTPUTS:
            details.print_details(terminal.results(), analysis, datetime.now(UTC))
            if command := details.next_step(analysis, program_name()):
                terminal.messages().print(f"\nNext: {command}", soft_wrap=True)
        else:
            machine.print_analyses([analysis], str(output), as_list=False)
        return ExitStatus.OK

    analyses = cluster.snapshot(None if all_namespaces else namespace).analyses
    if output not in _TABLE_OUTPUTS:
        machine.print_analyses(analyses, str(output), as_list=True)
    elif analyses:
        rendered = table.render(analyses, datetime.now(UTC), wide=output == "wide", with_namespace=all_namespaces)
        terminal.results().print(rendered, soft_wrap=True)
    else:
        where = "in any namespace" if all_namespaces else f"in namespace {namespace}"
        terminal.messages().print(
            f"No analyses {where}. Submit a contract: {program_name()} submit FILE.pdf", soft_wrap=True
        )
    return ExitStatus.OK
