"""Which of a page's text a person who looks at the page does not see.

Two steps, because drawing a page costs more than reading it:

1. Doubts, from what the objects say of themselves: painted invisibly, in a light or see-through colour, on or under
   something of like colour, beyond its clip. Most pages raise none. Text outside of the page and text too small to be
   read need no drawing.
2. The proof, on the page as drawn: once with the doubtful text and once without it. Where the two pictures are alike,
   the text is not seen, whatever the trick; white text on a dark bar is.

A scan with a text layer is not an attack: text that is not seen counts as the layer of a picture, and is not hidden,
where pictures cover much of the page and one of them shows something in that very place. Behind a blank place of a
picture it is hidden. That the layer says what the picture shows cannot be known without text recognition; nor can a
font whose signs look like other letters than they mean. Text under other text that is doubtful itself may be missed.

What belongs here: judging what is seen. What never does: reading the text, or deciding what hidden text means.
"""

from dealguard_analyzer.sandbox.hidden.proof import find_hidden

__all__ = ["find_hidden"]
