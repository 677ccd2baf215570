"""The document's metadata as pypdf reads it: every entry of the information dictionary, and XMP.

pdfium knows neither XMP nor entries under names of the producer's own. Run in a child of its own, after the pages, and
only for files that have XMP: pypdf takes a quarter of a second to load.
"""

import html
import io
import mmap
import re
from collections.abc import Iterator

import pypdf
from pypdf.generic import StreamObject

from dealguard_analyzer.sandbox.wire import PageContent, PageFault, Refused, SideContent

_MAX_XMP_BYTES = 1 << 20
# XMP writes a value as an element's text or as an attribute.
_ELEMENT_TEXT = re.compile(r">([^<>]+)<")
_ATTRIBUTE = re.compile(r"""\s(?!xmlns|rdf:)[\w.-]+:[\w.-]+\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""")


class MetadataDocument:
    """The metadata of a PDF, as a document without pages.

    Args:
        file: the whole file.

    Raises:
        Refused: pypdf does not open it.
    """

    def __init__(self, file: mmap.mmap) -> None:
        try:
            self._reader = pypdf.PdfReader(io.BytesIO(file), strict=False)
        except MemoryError:
            raise
        except Exception:
            raise Refused("damaged") from None

    has_metadata = False  # it is being read

    def __len__(self) -> int:
        return 0

    def read(self, number: int) -> PageContent | PageFault:
        """There are no pages."""
        raise IndexError(number)

    def annotations(self) -> Iterator[SideContent]:
        """There are no pages."""
        return iter(())

    def side_texts(self) -> Iterator[SideContent]:
        """Each value once."""
        seen: set[str] = set()
        for text in (*self._information(), *self._xmp()):
            if text.strip() not in seen:
                seen.add(text.strip())
                yield SideContent("metadata", text)

    def _information(self) -> list[str]:
        try:
            return [str(value.get_object()) for value in (self._reader.metadata or {}).values() if value is not None]
        except MemoryError:
            raise
        except Exception:
            return []

    def _xmp(self) -> list[str]:
        try:
            stream = self._reader.root_object["/Metadata"].get_object()
            data = stream.get_data()[:_MAX_XMP_BYTES] if isinstance(stream, StreamObject) else b""
        except MemoryError:
            raise
        except Exception:
            return []
        encoding = "utf-16" if data[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8-sig"
        text = data.decode(encoding, "replace")
        values = _ELEMENT_TEXT.findall(text) + [double or single for double, single in _ATTRIBUTE.findall(text)]
        return [html.unescape(value) for value in values]
