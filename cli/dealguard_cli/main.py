# ruff: noqa: PLC0415 - a command's imports are late, so that --help answers at once
"""The commands, their options, and the guard around them: whatever happens, the user sees a sentence.

Each command delegates to its module in `commands/`, which is imported when it runs.
"""

import contextlib
import errno
import itertools
import logging
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from dealguard_cli.errors import CliError, CliReason, ExitStatus
from dealguard_cli.options import (
    ClusterOptions,
    check_name,
    check_spec_field,
    cluster_options,
    debug_option,
    output_option,
    program_name,
)

_DEFAULT_MAX_PDF_BYTES = 100 * 1024 * 1024  # dealguard_api.pod.ExtractSettings; a test holds them together

_ReportOutput = Literal["text", "markdown", "html", "json"]

_EXIT_CODES = """\b
Exit codes:
    0  done (with --wait: every analysis completed)
    1  an analysis failed, was cancelled or has no report yet
    2  wrong usage, or a file that cannot be used; nothing was submitted
    3  cluster or storage unreachable, not configured or not permitted; --engine claude without a key
    4  --timeout was over before the analysis finished; it goes on
    5  not found
   10  --fail-on: a contract has a finding of that colour or a worse one
   70  a defect of dealguard itself
   74  the output cannot be written, as on a full disk
  130  interrupted (Ctrl-C)
"""

_engine = click.option(
    "--engine",
    type=click.Choice(["auto", "claude", "rules"]),
    default="auto",
    show_default=True,
    help="claude: Anthropic's model. rules: offline, no key. auto: claude where there is a key, else rules.",
)
_language = click.option(
    "--language",
    type=click.Choice(["auto", "de", "en"]),
    default="auto",
    show_default=True,
    help="Language of the contract and of its report.",
)
_perspective = click.option(
    "--perspective",
    metavar="PARTY",
    callback=check_spec_field,
    help="The party whose risks count: its role ('Licensee', 'Käufer') or its name.",
)
_max_cost_usd = click.option(
    "--max-cost-usd", metavar="USD", callback=check_spec_field, help="Most that one run may cost, such as 0.50."
)
_max_pdf_bytes = click.option(
    "--max-pdf-bytes",
    type=click.IntRange(min=1),
    default=_DEFAULT_MAX_PDF_BYTES,
    show_default=True,
    help="Larger files are refused.",
)


@click.group(epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@debug_option
def cli() -> None:
    """Find the risks in a contract: in a Kubernetes cluster (submit, get, explain, report) or here (analyze)."""


@cli.command(epilog=_EXIT_CODES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--name", callback=check_name, help="Name of the analysis. [default: the file's name and a random ending]"
)
@_engine
@_language
@_perspective
@_max_cost_usd
@click.option(
    "--priority",
    type=click.IntRange(-1000, 1000),
    default=0,
    show_default=True,
    help="Among waiting analyses of a namespace, higher ones start first.",
)
@click.option("--refresh", is_flag=True, help="Make a new report, even if there is one of the same document.")
@_max_pdf_bytes
@click.option("--wait/--no-wait", default=False, show_default=True, help="Follow the analyses until they are finished.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=900.0,
    show_default=True,
    metavar="SECONDS",
    help="With --wait: how long. The analysis goes on in the cluster.",
)
@output_option("json", "yaml", "name", "wide")
@cluster_options
@debug_option
def submit(options: ClusterOptions, **request: Any) -> ExitStatus:
    """Upload contracts (PDF) and have them analysed in the cluster.

    The object storage is taken from the environment: DEALGUARD_S3_ENDPOINT, DEALGUARD_S3_ACCESS_KEY,
    DEALGUARD_S3_SECRET_KEY, DEALGUARD_S3_BUCKET, DEALGUARD_S3_REGION.
    """
    from dealguard_cli.commands import submit as command

    return command.run(command.SubmitRequest(**request), options)


@cli.command(epilog=_EXIT_CODES)
@click.argument("name", required=False, callback=check_name)
@click.option("-A", "--all-namespaces", is_flag=True, help="List the analyses of all namespaces.")
@output_option("json", "yaml", "name", "wide")
@cluster_options
@debug_option
def get(name: str | None, all_namespaces: bool, output: str | None, options: ClusterOptions) -> ExitStatus:
    """List analyses, or show all about the one called NAME."""
    from dealguard_cli.commands import get as command

    return command.run(name, options, all_namespaces=all_namespaces, output=output)


@cli.command(epilog=_EXIT_CODES)
@click.argument("name", callback=check_name)
@output_option("text", "markdown", "html", "json")
@cluster_options
@debug_option
def report(name: str, output: _ReportOutput | None, options: ClusterOptions) -> ExitStatus:
    """Show the report of the analysis NAME.

    On a terminal it is laid out to be read (text); in a pipe it is Markdown; html is a page for a browser; json is the
    report as it is stored.
    """
    from dealguard_cli.commands import report as command

    return command.run(name, options, output)


@cli.command(epilog=_EXIT_CODES)
@click.argument("name", callback=check_name)
@click.option(
    "--run", type=click.IntRange(min=1), metavar="N", help="An earlier run of the analysis. [default: the present one]"
)
@click.option(
    "--logs/--no-logs",
    "logs",
    default=None,
    help="All log lines, or none. [default: warnings, errors and stages]",
)
@click.option(
    "--operator-namespace",
    metavar="NAMESPACE",
    callback=check_name,
    help="Where the operator runs, for its log. [default: it is looked for]",
)
@output_option("table", "json")
@cluster_options
@debug_option
def explain(options: ClusterOptions, **request: Any) -> ExitStatus:
    """Tell what happened to the analysis NAME, and what to do next.

    One timeline from the resource, its Job, pods, Events and logs, as far as you may see them; what is missing is
    named, with the reason.
    """
    from dealguard_cli.commands import explain as command

    return command.run(command.ExplainRequest(**request), options)


@cli.command(epilog=_EXIT_CODES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@_engine
@_language
@_perspective
@_max_cost_usd
@_max_pdf_bytes
@click.option("--max-pages", type=click.IntRange(min=1), help="Longer documents are refused. [default: 2000]")
@click.option(
    "--max-seconds-per-page",
    type=click.FloatRange(min=0, min_open=True),
    help="A page that takes longer is named as unreadable. [default: 5]",
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="The pages that are not read by then are named as unreadable. [default: 120]",
)
@click.option(
    "--max-memory-bytes", type=click.IntRange(min=1), help="What reading may use. [default: 536870912 (512 MiB)]"
)
@click.option("--model", help="The model of the claude engine. [default: claude-sonnet-5-5]")
@click.option(
    "--fail-on",
    type=click.Choice(["red", "orange", "yellow", "green"]),
    help="Exit with 10 where a contract has a finding of this colour or a worse one: red is critical, orange high, "
    "yellow medium, green low.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Several files: how many are analysed at the same time. [default: one a processor]",
)
@click.option(
    "-O",
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each report to a file of its own there: HTML, or what -o names.",
)
@output_option("table", "text", "markdown", "html", "json")
@debug_option
def analyze(**request: Any) -> ExitStatus:
    """Analyse contracts (PDF) on this machine, without a cluster.

    Shows a table of the risks with their pages; -o text, markdown or html is the whole report. One file's JSON is its
    report; that of several is a list. A file that cannot be analysed does not stop the others.

    The rules engine needs no network. The claude engine takes its key from ANTHROPIC_API_KEY.
    """
    from dealguard_cli.commands import analyze as command

    return command.run(command.AnalyzeRequest(**request))


@cli.command()
@output_option("json")
@debug_option
def version(output: str | None) -> ExitStatus:
    """Show the version of this program and of the API it speaks."""
    from dealguard_cli.commands import version as command

    return command.run(output)


def main() -> None:
    """The entry point of `dealguard` and `kubectl-dealguard`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code; every error becomes a sentence, or data with `-o json`."""
    # Libraries report what they retry; the commands say themselves what matters.
    logging.getLogger().addHandler(logging.NullHandler())
    if sys.stdout is None:  # as after `>&-`
        return _fail_to_write(OSError(errno.EBADF, "standard output is closed"))
    try:
        return _run_guarded(arguments)
    except BrokenPipeError:
        _discard_output()
        return ExitStatus.BROKEN_PIPE
    except OSError as error:
        return _fail_to_write(error)


def _run_guarded(arguments: Sequence[str]) -> int:
    """Run one command.

    Raises:
        OSError: its output, or the words on its failure, cannot be written.
    """
    as_json = _wants_json(arguments)
    debug = "--debug" in arguments
    try:
        return _invoke(arguments)
    except click.exceptions.Abort as abort:
        from dealguard_cli.presentation.machine import InterruptedOutputError

        as_json = as_json and not isinstance(abort, InterruptedOutputError)
        return _fail(CliReason.INTERRUPTED, "Interrupted.", ExitStatus.INTERRUPTED, as_json=as_json)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitStatus.BAD_INPUT
    except click.ClickException as error:
        message = error.format_message()
        if isinstance(error, click.UsageError) and error.ctx:
            message += f" See `{error.ctx.command_path} --help`."
        return _fail(CliReason.USAGE_ERROR, message, ExitStatus.BAD_INPUT, as_json=as_json)
    except CliError as error:
        if debug:
            traceback.print_exc()
        return _fail(error.reason, error.message, error.exit_status, as_json=as_json)
    except Exception as error:  # the last guard: a defect is told in a sentence, too
        if isinstance(error, BrokenPipeError) or (isinstance(error, OSError) and not _is_output_writable()):
            raise
        if debug:
            traceback.print_exc()
        message = (
            f"dealguard has a defect ({type(error).__name__}). Run it again with --debug and report what it shows."
        )
        return _fail(CliReason.INTERNAL_ERROR, message, ExitStatus.DEFECT, as_json=as_json)


def _invoke(arguments: Sequence[str]) -> int:
    try:
        status = cli.main(args=list(arguments), prog_name=program_name(), standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        raise click.exceptions.Abort from interrupt
    except SystemExit as stop:
        # Rich leaves this way when the reader of its output has gone.
        raise BrokenPipeError from stop
    return int(status or ExitStatus.OK)


def _fail(reason: str, message: str, exit_status: ExitStatus, *, as_json: bool) -> int:
    from dealguard_cli.presentation import terminal

    if as_json:
        from dealguard_cli.presentation import machine

        machine.print_error(str(reason), terminal.printable(message))
    else:
        terminal.print_error(terminal.printable(message))
    return exit_status


def _is_output_writable() -> bool:
    try:
        sys.stdout.flush()  # what could not be written is still buffered
    except OSError:
        return False
    return True


def _fail_to_write(error: OSError) -> int:
    message = (
        f"The output cannot be written: {error.strerror}. Make room or write it elsewhere. What was submitted, if"
        f" anything, goes on: `{program_name()} get` shows it."
    )
    with contextlib.suppress(OSError):  # where standard error is full, too, the exit code says it alone
        _fail("", message, ExitStatus.OUTPUT_UNWRITABLE, as_json=False)
    _discard_output()
    return ExitStatus.OUTPUT_UNWRITABLE


def _discard_output() -> None:
    # What is still buffered must not be flushed once more, in vain, when Python ends.
    sys.stdout = sys.stderr = open("/dev/null", "w")  # noqa: SIM115, PTH123 - for the rest of the process


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether `-o json` stands there, in any of its spellings: also when the command line cannot be parsed."""
    pairs = itertools.pairwise(arguments)
    return any(re.fullmatch("-A*o|--output", flag) and value == "json" for flag, value in pairs) or any(
        re.fullmatch("-A*ojson|--output=json", argument) for argument in arguments
    )


if __name__ == "__main__":
    main()
