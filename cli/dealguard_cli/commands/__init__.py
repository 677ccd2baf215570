"""One module a command: it takes typed arguments, uses the adapters and hands the outcome to the presentation.

What never belongs here: command-line parsing (`main.py`), raw API objects, colours.
"""
