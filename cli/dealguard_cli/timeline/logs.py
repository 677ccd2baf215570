"""Log lines as entries: of the containers, which speak of nothing but numbers and fixed words, and of the operator.

A line that is not one of their JSON objects is counted and never shown: a crash of the interpreter itself could quote
what it was working on, and that is a contract.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dealguard_api.resource import Phase, Stage
from dealguard_cli.adapters.workloads import ContainerLog, time_from
from dealguard_cli.timeline.model import Entry, Level, Rank, Source, SourceKind

# What an analysis says of its stages. `ended` is not among them: the container's own end says as much.
_STAGES = {"fetched", "read", "analysed", "stored"}
_STAGE_BEGINNINGS = ("found ", "another attempt ")
_ERRORS = {"unexpected error"}
_FAILURE_WORDS = "could not"

_TIME_KEYS, _EVENT_KEYS, _LEVEL_KEYS = ("time", "timestamp"), ("event", "message"), ("level", "severity")
# Said by the entry itself, or the same in every line.
_UNTOLD_KEYS = {*_TIME_KEYS, *_EVENT_KEYS, *_LEVEL_KEYS, "uid", "namespace", "name", "run", "container", "object"}
_LEVELS = {"warn": Level.WARNING, "warning": Level.WARNING, "error": Level.ERROR, "fatal": Level.ERROR}
_LEVELS["critical"] = Level.ERROR
_MAX_VALUE = 80


@dataclass(frozen=True)
class Told:
    """The entries of one container's log, and the number of lines that are not shown."""

    entries: tuple[Entry, ...]
    foreign: int


def of_container(log: ContainerLog, *, everything: bool) -> Told:
    """What a container logged: warnings, errors and stages, or `everything`."""
    source = Source(SourceKind.LOG, log.container, log.pod_name)
    entries, foreign = [], 0
    for stamp, text in map(_split, log.lines):
        fields = _object(text)
        if fields is None:
            foreign += bool(text.strip())
            continue
        entry = _entry(fields, stamp, source)
        if entry is not None and (everything or entry.level is not Level.NORMAL or _is_stage(_said(fields))):
            entries.append(entry)
    return Told(tuple(entries), foreign)


def of_operator(lines: Iterable[str], run: int) -> Iterator[Entry]:
    """What the operator logged about the analysis and this run, in either of its formats."""
    source = Source(SourceKind.LOG, "operator")
    for stamp, text in map(_split, lines):
        fields = _object(text)
        if fields is not None:
            entry = _entry(fields, stamp, source) if fields.get("run", run) == run else None
        else:
            entry = Entry(stamp, source, text, _operator_rank(text)) if stamp else None
        if entry is not None:
            yield entry


def _entry(fields: Mapping[str, Any], stamp: datetime | None, source: Source) -> Entry | None:
    said = _said(fields)
    time = next((time for key in _TIME_KEYS if (time := time_from(fields.get(key)))), stamp)
    if time is None or not said:
        return None
    rank = _operator_rank(said) if source.name == "operator" else Rank.LOG
    return Entry(time, source, f"{said}{_particulars(fields)}", rank, _level(fields, said))


def _operator_rank(said: str) -> Rank:
    """The operator writes a run down before it makes the Job; all else it says follows from what it saw."""
    if f"is {Phase.PENDING}" in said:
        return Rank.QUEUED
    return Rank.POD if f"/{Stage.STARTING}" in said else Rank.AFTER


def _split(line: str) -> tuple[datetime | None, str]:
    """The node's time of the line, and the line."""
    stamp, _, text = line.partition(" ")
    time = time_from(stamp)
    return (time, text) if time else (None, line)


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and _said(fields) else None


def _said(fields: Mapping[str, Any]) -> str:
    return next((value for key in _EVENT_KEYS if isinstance(value := fields.get(key), str)), "")


def _level(fields: Mapping[str, Any], said: str) -> Level:
    for key in _LEVEL_KEYS:
        if isinstance(level := fields.get(key), str):
            return _LEVELS.get(level.lower(), Level.NORMAL)
    if said in _ERRORS or (said == "ended" and fields.get("exit_code") not in (0, None)):
        return Level.ERROR
    return Level.WARNING if _FAILURE_WORDS in said else Level.NORMAL


def _is_stage(said: str) -> bool:
    return said in _STAGES or said.startswith(_STAGE_BEGINNINGS)


def _particulars(fields: Mapping[str, Any]) -> str:
    told = {
        key: str(value)[:_MAX_VALUE]
        for key, value in fields.items()
        if key not in _UNTOLD_KEYS and isinstance(value, str | int | float)
    }
    return "".join(f" {key}={value}" for key, value in told.items())
