"""Reading: a PDF file → `ExtractedDocument`, or a clear reason why not.

What belongs here: the checks that need no parser, the parent's side of the child that parses (`sandbox`), and what is
done to the text of a whole document. What never does: a PDF parser. Hostile bytes meet one in the child only.
"""

from dealguard_analyzer.reading.read import read_pdf

__all__ = ["read_pdf"]
