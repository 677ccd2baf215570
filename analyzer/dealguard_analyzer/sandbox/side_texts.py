"""Text of a PDF that stands on no page, as pdfium knows it: notes, file names, titles, scripts, entries of the author.

Nobody who reads the contract sees most of it, so it is a place to hide instructions. What pdfium cannot list, XMP and
entries of the producer's own, `metadata` reads.
"""

import ctypes
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

from dealguard_analyzer.sandbox.wire import MAX_SIDE_TEXTS_PER_KIND, SideContent

_INFORMATION = (b"Title", b"Author", b"Subject", b"Keywords", b"Creator", b"Producer")
# What an annotation may say: its note, its rich note, its subject, who wrote it, a field's name for people.
_ANNOTATION_KEYS = (b"Contents", b"RC", b"Subj", b"T", b"TU")
_VALUE_KEY = b"V"
_NOT_SEEN = pdfium_c.FPDF_ANNOT_FLAG_HIDDEN | pdfium_c.FPDF_ANNOT_FLAG_NOVIEW
_MAX_ANNOTATIONS_LOOKED_AT = 1000
_MAX_BYTES = 1 << 20  # of one string in the file; longer ones are left out
_MAX_OUTLINE_DEPTH = 32


def annotations_of(page: Any, number: int) -> Iterator[SideContent]:
    """What the annotations of page `number` say; to be asked before the page is flattened."""
    count = min(_MAX_ANNOTATIONS_LOOKED_AT, pdfium_c.FPDFPage_GetAnnotCount(page))
    for index in range(count):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            is_seen = not pdfium_c.FPDFAnnot_GetFlags(annotation) & _NOT_SEEN
            for key in _ANNOTATION_KEYS if is_seen else (*_ANNOTATION_KEYS, _VALUE_KEY):
                yield SideContent(
                    "annotation", _string(partial(pdfium_c.FPDFAnnot_GetStringValue, annotation, key)), number
                )
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)


def side_texts_of(pdf: Any) -> Iterator[SideContent]:
    """What the document as a whole says beside its pages."""
    for tag in _INFORMATION:
        yield SideContent("metadata", _string(partial(pdfium_c.FPDF_GetMetaText, pdf, tag)))
    for index in range(min(MAX_SIDE_TEXTS_PER_KIND, pdfium_c.FPDFDoc_GetAttachmentCount(pdf))):
        attachment = pdfium_c.FPDFDoc_GetAttachment(pdf, index)
        if attachment:
            yield SideContent("attachment", _string(partial(pdfium_c.FPDFAttachment_GetName, attachment)))
    for index in range(min(MAX_SIDE_TEXTS_PER_KIND, pdfium_c.FPDFDoc_GetJavaScriptActionCount(pdf))):
        action = pdfium_c.FPDFDoc_GetJavaScriptAction(pdf, index)
        if action:
            yield SideContent("script", _string(partial(pdfium_c.FPDFJavaScriptAction_GetScript, action)))
            pdfium_c.FPDFDoc_CloseJavaScriptAction(action)
    yield from _outline(pdf)


def _outline(pdf: Any) -> Iterator[SideContent]:
    """The titles, depth first; a tree that contains itself ends with the number allowed."""
    waiting = [(pdfium_c.FPDFBookmark_GetFirstChild(pdf, None), 0)]
    for _ in range(MAX_SIDE_TEXTS_PER_KIND):
        while waiting and not waiting[-1][0]:
            waiting.pop()
        if not waiting:
            return
        bookmark, depth = waiting.pop()
        yield SideContent("outline", _string(partial(pdfium_c.FPDFBookmark_GetTitle, bookmark)))
        waiting.append((pdfium_c.FPDFBookmark_GetNextSibling(pdf, bookmark), depth))
        if depth < _MAX_OUTLINE_DEPTH:
            waiting.append((pdfium_c.FPDFBookmark_GetFirstChild(pdf, bookmark), depth + 1))


def _string(get: Callable[[Any, int], int]) -> str:
    """A string of pdfium's: asked for its length in bytes first; UTF-16 with a zero at its end."""
    size_bytes = get(None, 0)
    if not 2 < size_bytes <= _MAX_BYTES:
        return ""
    buffer = (ctypes.c_ushort * (size_bytes // 2))()
    get(buffer, ctypes.sizeof(buffer))
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")
