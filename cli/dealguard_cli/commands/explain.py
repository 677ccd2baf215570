"""`dealguard explain`: what happened to one analysis, from everything the cluster knows of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from dealguard_cli.adapters.cluster import connect
from dealguard_cli.adapters.evidence import Question, gather
from dealguard_cli.errors import ExitStatus
from dealguard_cli.options import ClusterOptions, program_name
from dealguard_cli.presentation import details, machine, story, terminal
from dealguard_cli.timeline.story import tell


@dataclass(frozen=True)
class ExplainRequest:
    """What the command line asks for; `logs` None: warnings, errors and stages."""

    name: str
    run: int | None
    logs: bool | None
    operator_namespace: str | None
    output: str | None


def run(request: ExplainRequest, options: ClusterOptions) -> ExitStatus:
    """Show the story of `request.name`."""
    cluster = connect(options.kubeconfig, options.context)
    question = Question(
        namespace=options.namespace or cluster.default_namespace,
        name=request.name,
        run=request.run,
        with_logs=request.logs is not False,
        operator_namespace=request.operator_namespace,
    )
    evidence, absence = gather(cluster, question)
    if absence is not None and evidence.is_empty:
        raise absence
    now = datetime.now(UTC)
    told = tell(
        evidence,
        now,
        lambda analysis: details.next_step(analysis, program_name()),
        with_all_logs=bool(request.logs),
        absence=absence.message if absence else None,
    )
    if request.output == "json":
        machine.print_data(story.as_data(told), "json")
    else:
        story.print_story(terminal.results(), told, now)
    return absence.exit_status if absence else ExitStatus.OK
