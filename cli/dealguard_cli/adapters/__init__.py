"""The outside world: the API server and the object storage.

What belongs here: their clients, and turning their errors into sentences (`CliError`). What never does: printing.
"""
