"""What runs in the child process: the PDF parsers, under limits, with a hostile file and nothing else in reach.

What belongs here: code that touches the file's bytes. What never does: secrets, the network, imports of the rest of the
analyzer (a child starts in 0.1 s because it loads nothing but a parser). `reading` starts the child and trusts nothing
that it says.

    stdin    the PDF, a regular file
    argv     limits and where to begin; numbers and words only, never the file's name
    stdout   one JSON object a line, see `wire`
"""
