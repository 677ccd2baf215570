"""What a person sees on a terminal, what a pipe gets, and what a program parses.

What never belongs here: fetching anything.
"""
