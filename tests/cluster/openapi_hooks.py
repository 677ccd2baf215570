"""What schemathesis is told beside the document: contracts that are there, a PDF, and to note each answer it checks.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS). What it makes up stays in every second request; in the others stands
what DEALGUARD_OPENAPI_HINTS says, a JSON document. Without, nothing but refusals would be checked.
"""

import itertools
import json
import os
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any, TypedDict

import schemathesis

_UPLOAD, _LIST = "POST /contracts", "GET /contracts"
_REPORT, _DOCUMENT = "GET /contracts/{id}/report", "GET /contracts/{id}/document"
_FORMS = ("json", "markdown", "html")


class Hints(TypedDict):
    """What is there, and where to write what was checked.

    Attributes:
        organization: in which the caller may do everything.
        ids: contracts, by the operation ("GET /contracts/{id}") that is asked about them, in turn.
        answers: a file of JSON lines: operation, status, media type.
    """

    organization: str
    ids: dict[str, list[str]]
    answers: str


_HINTS: Hints = json.loads(os.environ["DEALGUARD_OPENAPI_HINTS"])
_IDS = {id for ids in _HINTS["ids"].values() for id in ids}  # noqa: A001
_NUMBERS: defaultdict[str, "itertools.count[int]"] = defaultdict(itertools.count)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Put what is there into every second request."""
    operation = case.operation.label
    ids = _HINTS["ids"].get(operation, [])
    number, is_made_up = divmod(next(_NUMBERS[operation]), 2)
    # schemathesis takes ids from answers too, and would erase what the others are asked about.
    if case.method != "GET" and case.path_parameters.get("id") in _IDS.difference(ids):
        case.path_parameters["id"] = f"{_HINTS['organization']}.nothing"
    if is_made_up:
        return
    if ids:
        case.path_parameters["id"] = ids[number % len(ids)]
    if operation == _REPORT and not number % 2:
        case.query = {"format": _FORMS[number // 2 % len(_FORMS)]}
    if operation == _DOCUMENT and number % 2:
        case.headers["Range"] = "bytes=0-7"
    if operation == _LIST:
        case.query["organization"] = _HINTS["organization"]
    if operation == _UPLOAD:
        case.query["organization"] = _HINTS["organization"]
        # The file is the last part; what was made up for the others stays where it may be right.
        options = case.body if isinstance(case.body, dict) and number else {}
        case.body = {
            **{name: value for name, value in options.items() if name not in {"file", "organization"}},
            "file": b"%PDF-1.7\n" + uuid.uuid4().bytes,
        }


@schemathesis.check
def noted(context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case) -> bool | None:
    """Note an answer, which the other checks look at too."""
    (media_type,) = response.headers.get("content-type", [""])
    line = [case.operation.label, response.status_code, media_type.partition(";")[0]]
    with Path(_HINTS["answers"]).open("a") as answers:
        answers.write(json.dumps(line) + "\n")
    return None
