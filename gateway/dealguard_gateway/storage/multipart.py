"""multipart/form-data as it comes: some small fields, then one file, which is never held as a whole.

Nothing is written to disk, and nothing is read from the client before the reader of the file asks for more.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from dealguard_api.text import one_line
from dealguard_gateway.model import MAX_FILE_NAME_CHARACTERS
from dealguard_gateway.problems import InvalidProblem

MAX_FIELD_BYTES = 4 * 1024
MAX_PARTS = 20
FILE_PART = "file"
# What a request may have beside the file: its fields with their headers.
MAX_OVERHEAD_BYTES = MAX_PARTS * 2 * MAX_FIELD_BYTES

# Its warnings quote what was sent.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


class _What(Enum):
    HEADERS = "the headers of a part, complete"
    DATA = "bytes of the present part"
    PART_END = "the end of the present part"
    END = "the end of the whole"


@dataclass(frozen=True)
class _Event:
    what: _What
    data: bytes = b""


class _Events:
    """The parser's callbacks, as a list of what they told."""

    def __init__(self, boundary: bytes) -> None:
        self.queue: deque[_Event] = deque()
        self._name, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": lambda: self.queue.append(_Event(_What.HEADERS, self._disposition)),
                "on_part_data": lambda data, start, end: self.queue.append(_Event(_What.DATA, data[start:end])),
                "on_part_end": lambda: self.queue.append(_Event(_What.PART_END)),
                "on_end": lambda: self.queue.append(_Event(_What.END)),
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Parse a piece.

        Raises:
            InvalidProblem: it is not what its Content-Type promised.
        """
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise _malformed() from None

    def _on_part_begin(self) -> None:
        self._disposition = b""

    def _on_header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()


class Form:
    """One request's fields and file, in the order in which they come.

    Args:
        content_type: the request's header.
        chunks: its body; the next piece is asked for when the one before is used up.

    Raises:
        InvalidProblem: 415, it is no multipart/form-data.
    """

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        media_type, parameters = parse_options_header(content_type)
        boundary = parameters.get(b"boundary", b"")
        if media_type != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
            raise InvalidProblem(
                "not-multipart",
                "Send the PDF as multipart/form-data with a boundary: fields first, then one part `file`. With curl: "
                "-F engine=auto -F file=@contract.pdf",
                status=415,
            )
        self._chunks = chunks
        self._events = _Events(boundary)
        self._parts = 0
        self.file_name: str | None = None

    async def fields(self) -> dict[str, str]:
        """The fields before the file, by name; now the file can be read.

        Raises:
            InvalidProblem: there is no file, or what comes before it cannot be read.
        """
        fields: dict[str, str] = {}
        while (event := await self._next()).what is _What.HEADERS:
            name, file_name = self._names_of(event.data)
            if name == FILE_PART or file_name is not None:
                if name != FILE_PART:
                    raise InvalidProblem("unknown-field", "The part with the file must be called `file`.")
                self.file_name = shown_file_name(file_name)
                return fields
            if name in fields:
                raise InvalidProblem("unknown-field", f"The field `{_shown(name)}` is there twice. Send it once.")
            fields[name] = await self._value_of(name)
        raise InvalidProblem("file-missing", "There is no file: add the PDF as a part `file`, after the fields.")

    async def file(self) -> AsyncIterator[bytes]:
        """The file, in pieces.

        Raises:
            InvalidProblem: it is cut off, or something comes after it.
        """
        while (event := await self._next()).what is _What.DATA:
            yield event.data
        if (event := await self._next()).what is _What.END:
            return
        name, file_name = self._names_of(event.data)
        if file_name is not None or name == FILE_PART:
            raise InvalidProblem("several-files", "Send one file in a request, and each contract in one of its own.")
        raise InvalidProblem(
            "fields-after-file", f"The field `{_shown(name)}` comes after the file. Send all fields before it."
        )

    async def _value_of(self, name: str) -> str:
        value = bytearray()
        while (event := await self._next()).what is _What.DATA:
            value += event.data
            if len(value) > MAX_FIELD_BYTES:
                raise InvalidProblem("field-too-long", f"The field `{_shown(name)}` is longer than a field can be.")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise InvalidProblem("invalid-field", f"The field `{_shown(name)}` must be UTF-8.") from None

    def _names_of(self, disposition: bytes) -> tuple[str, str | None]:
        """The part's name, and its file's if it is one."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise InvalidProblem("too-many-parts", f"Send at most {MAX_PARTS} parts.", status=413)
        _, parameters = parse_options_header(disposition.decode("latin-1"))
        if b"name" not in parameters:
            raise _malformed()
        file_name = parameters.get(b"filename")
        return _text(parameters[b"name"]), None if file_name is None else _text(file_name)

    async def _next(self) -> _Event:
        while not self._events.queue:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                raise InvalidProblem(
                    "upload-incomplete", "The upload ended before its closing boundary. Send it again.", status=400
                ) from None
            self._events.feed(chunk)
        return self._events.queue.popleft()


def shown_file_name(name: str | None) -> str | None:
    """A file's name fit to be shown: its last part, on one line, without marks that change how it reads; or None."""
    if name is None:
        return None
    # What browsers write for a quotation mark and for line ends within a name.
    name = name.replace("%22", '"').replace("%0D", " ").replace("%0A", " ")
    last = one_line(name.replace("\\", "/").rpartition("/")[2])
    if len(last) <= MAX_FILE_NAME_CHARACTERS:
        return last or None
    stem, dot, suffix = last.rpartition(".")
    ending = dot + suffix if stem and len(suffix) <= 10 else ""
    return last[: MAX_FILE_NAME_CHARACTERS - len(ending) - 1].rstrip() + "…" + ending


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _shown(name: str) -> str:
    return one_line(name)[:40].replace("`", "'")


def _malformed() -> InvalidProblem:
    return InvalidProblem(
        "malformed-multipart",
        "The body is not the multipart/form-data that its Content-Type promises. Let a library or `curl -F` write it.",
        status=400,
    )
