"""pdfium's functions that are asked for every object or character of a page, with addresses as plain numbers.

pypdfium2's own make an object of each pointer, which costs more than the question. A function here takes and gives
addresses (0 or None for none); the memory that answers are written to is made once, and read at once.
"""

import ctypes
from array import array
from collections.abc import Callable
from typing import Any

import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]


def _plain(function: Any) -> Callable[..., Any]:
    """The same function, with numbers in place of pointers."""
    kinds = [ctypes.c_void_p if hasattr(kind, "contents") else kind for kind in (function.restype, *function.argtypes)]
    return ctypes.CFUNCTYPE(*kinds)(address(function))


def address(thing: Any) -> int:
    """Where one of pdfium's objects or functions lies; 0 for none."""
    return ctypes.cast(thing, ctypes.c_void_p).value or 0


def places(answer: "array[Any]") -> tuple[int, ...]:
    """The address of each of its numbers."""
    start, count = answer.buffer_info()
    return tuple(start + index * answer.itemsize for index in range(count))


page_object = _plain(pdfium_c.FPDFPage_GetObject)
form_object = _plain(pdfium_c.FPDFFormObj_GetObject)
count_form_objects = _plain(pdfium_c.FPDFFormObj_CountObjects)
object_kind = _plain(pdfium_c.FPDFPageObj_GetType)
object_bounds = _plain(pdfium_c.FPDFPageObj_GetBounds)
object_matrix = _plain(pdfium_c.FPDFPageObj_GetMatrix)
object_fill_colour = _plain(pdfium_c.FPDFPageObj_GetFillColor)
object_stroke_width = _plain(pdfium_c.FPDFPageObj_GetStrokeWidth)
object_has_transparency = _plain(pdfium_c.FPDFPageObj_HasTransparency)
set_object_active = _plain(pdfium_c.FPDFPageObj_SetIsActive)

count_marks = _plain(pdfium_c.FPDFPageObj_CountMarks)
object_mark = _plain(pdfium_c.FPDFPageObj_GetMark)
mark_name = _plain(pdfium_c.FPDFPageObjMark_GetName)

object_clip = _plain(pdfium_c.FPDFPageObj_GetClipPath)
count_clip_paths = _plain(pdfium_c.FPDFClipPath_CountPaths)
count_clip_segments = _plain(pdfium_c.FPDFClipPath_CountPathSegments)
clip_segment = _plain(pdfium_c.FPDFClipPath_GetPathSegment)
segment_point = _plain(pdfium_c.FPDFPathSegment_GetPoint)
path_draw_mode = _plain(pdfium_c.FPDFPath_GetDrawMode)

text_render_mode = _plain(pdfium_c.FPDFTextObj_GetTextRenderMode)
character_object = _plain(pdfium_c.FPDFText_GetTextObject)
character_box = _plain(pdfium_c.FPDFText_GetCharBox)
character_line_box = _plain(pdfium_c.FPDFText_GetLooseCharBox)
