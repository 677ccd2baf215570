"""The second reader, for files that pdfium does not open: pypdf, slower and more lenient, without boxes."""

import io
import mmap
from collections.abc import Iterator

import pypdf
from pypdf.errors import DependencyError, FileNotDecryptedError, WrongPasswordError

from dealguard_analyzer.sandbox.normalise import normalise
from dealguard_analyzer.sandbox.wire import PageContent, PageFault, Refused, SideContent


class PypdfDocument:
    """An open PDF.

    Args:
        file: the whole file.

    Raises:
        Refused: it needs a password, or pypdf finds no document in it either.
    """

    def __init__(self, file: mmap.mmap) -> None:
        try:
            self._reader = pypdf.PdfReader(io.BytesIO(file), strict=False)
            self._number_of_pages = len(self._reader.pages)
        except (FileNotDecryptedError, WrongPasswordError, DependencyError):
            raise Refused("encrypted") from None
        except MemoryError:
            raise
        except Exception:
            raise Refused("damaged") from None

    has_metadata = False  # what pypdf has of it is told at once

    def __len__(self) -> int:
        return self._number_of_pages

    def annotations(self) -> Iterator[SideContent]:
        """None: a file that pdfium does not open is read for its text."""
        return iter(())

    def side_texts(self) -> Iterator[SideContent]:
        """The entries of the author."""
        try:
            entries = [str(value) for value in (self._reader.metadata or {}).values()]
        except MemoryError:
            raise
        except Exception:
            return
        yield from (SideContent("metadata", entry) for entry in entries)

    def read(self, number: int) -> PageContent | PageFault:
        """What stands on page `number` (from 1), or why we cannot say."""
        try:
            text = self._reader.pages[number - 1].extract_text()
        except MemoryError:
            raise
        except Exception:
            return "damaged"
        return PageContent(normalise(text, is_drawn=lambda index: False)[0])
