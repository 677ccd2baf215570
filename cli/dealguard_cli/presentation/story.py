"""The story of one analysis: for a person in four blocks, for a program as data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.text import Text

from dealguard_api.resource import Phase
from dealguard_cli.presentation import words
from dealguard_cli.presentation.table import aligned
from dealguard_cli.presentation.terminal import PHASE_STYLES, safe
from dealguard_cli.timeline.model import Entry, Level, SourceKind, Stage, Story

_STYLES = {Level.NORMAL: "", Level.WARNING: "yellow", Level.ERROR: "red"}


def print_story(console: Console, story: Story, now: datetime) -> None:
    """Where it stands; what happened; how long each stage took; what is not shown."""
    for line in _headline(story, now):
        console.print(line, soft_wrap=True)
    if story.entries:
        console.print()
        console.print(_timeline(story), soft_wrap=True)
    console.print()
    console.print(_stages(story), soft_wrap=True)
    if story.gaps:
        console.print()
        console.print(Text("NOT SHOWN", style="bold"))
        for gap in story.gaps:
            console.print(Text(f"- {safe(gap)}"), soft_wrap=True)


def as_data(story: Story) -> dict[str, Any]:
    """The story as JSON-compatible data; what is not known is left out."""
    headline = story.headline
    return {
        "analysis": {"namespace": story.namespace, "name": story.name, "uid": story.uid, "run": story.run},
        "headline": _without_none(
            state=headline.state,
            reason=headline.reason,
            since=_iso(headline.since),
            why=headline.why,
            nextStep=headline.next_step,
        ),
        "timeline": [_entry_data(entry, story.began_at) for entry in story.entries],
        "stages": [
            _without_none(stage=each.name, seconds=each.seconds, note=each.note or None) for each in story.stages
        ],
        **_without_none(attempts=story.attempts, costUSD=story.cost_usd),
        "notShown": list(story.gaps),
    }


def _headline(story: Story, now: datetime) -> Iterator[Text]:
    headline = story.headline
    yield Text.assemble(
        (story.name, "bold"), f"  in namespace {story.namespace}, run {story.run}, uid {story.uid or '(unknown)'}"
    )
    phase = headline.state.split(" ", 1)[0]
    style = PHASE_STYLES[Phase(phase)] if phase in tuple(Phase) else ""
    state = Text.assemble("  State  ", (headline.state, style))
    if headline.reason and headline.reason != phase:
        state.append(f", {safe(headline.reason)}")
    if headline.since is not None:
        since = headline.since.astimezone(UTC)
        state.append(f", since {since:%Y-%m-%d %H:%M:%S} UTC ({words.age(since, now)} ago)")
    yield state
    yield Text(f"  Why    {safe(headline.why)}")
    yield Text(f"  Next   {safe(headline.next_step)}")


def _timeline(story: Story) -> Text:
    days = {entry.time.astimezone(UTC).date() for entry in story.entries}
    form = "%H:%M:%S" if len(days) == 1 else "%m-%d %H:%M:%S"
    rows = [[Text(title, style="bold") for title in ("TIME (UTC)", "AFTER", "SOURCE", "WHAT")]]
    rows += [_row(entry, story.began_at, form) for entry in story.entries]
    return aligned(rows)


def _row(entry: Entry, began_at: datetime | None, form: str) -> list[Text]:
    text = safe(entry.text)
    if entry.count > 1:
        until = f" until {entry.until.astimezone(UTC):{form}}" if entry.until else ""
        text += f" ({entry.count} times{until})"
    mark = "~" if entry.is_out_of_step else ""
    after = "" if began_at is None else _after(entry.time - began_at)
    return [
        Text(f"{mark}{entry.time.astimezone(UTC):{form}}"),
        Text(after),
        Text(safe(str(entry.source))),
        Text(text, style=_STYLES[entry.level]),
    ]


def _after(elapsed: timedelta) -> str:
    """'+5s', '+2m05s', '+3h05m'; whole seconds, as most times are."""
    seconds = round(elapsed.total_seconds() - 0.5) if elapsed.total_seconds() % 1 else int(elapsed.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    if seconds < 60:
        return f"{sign}{seconds}s"
    if seconds < 3600:
        return f"{sign}{seconds // 60}m{seconds % 60:02}s"
    if seconds < 48 * 3600:
        return f"{sign}{seconds // 3600}h{seconds % 3600 // 60:02}m"
    return f"{sign}{seconds // 86400}d"


def _stages(story: Story) -> Text:
    rows = [[Text(title, style="bold") for title in ("STAGE", "TOOK", "")]]
    rows += [[Text(each.name), Text(_took(each)), Text(each.note)] for each in story.stages]
    if story.attempts is not None:
        rows.append([Text("attempts"), Text(str(story.attempts)), Text("")])
    if (cost := _cost(story)) is not None:
        rows.append([Text("cost"), Text(cost), Text("")])
    return aligned(rows)


def _took(stage: Stage) -> str:
    if stage.seconds is None:
        return "-"
    hours, rest = divmod(int(stage.seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else words.duration(rest)


def _cost(story: Story) -> str | None:
    if story.cost_usd is None and not story.has_unknown_cost:
        return None
    return words.cost(story.cost_usd)


def _entry_data(entry: Entry, began_at: datetime | None) -> dict[str, Any]:
    source = entry.source
    about = "about" if source.kind is SourceKind.EVENT else "container"
    return {
        "time": _iso(entry.time),
        **_without_none(
            secondsAfterCreation=round((entry.time - began_at).total_seconds(), 3) if began_at else None,
            until=_iso(entry.until),
        ),
        "source": {
            "kind": str(source.kind),
            **_without_none(**{about: source.name or None, "pod": source.pod or None}),
        },
        "level": str(entry.level),
        "text": entry.text,
        "count": entry.count,
        "outOfStep": entry.is_out_of_step,
    }


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _without_none(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
