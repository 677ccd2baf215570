"""The pod's two containers: what surrounds reading and analysing when Kubernetes runs them.

    extract   presigned GET ──▶ PDF ──▶ `reading` ──▶ text in the shared in-memory volume ──▶ termination message
    analyze   that text ──▶ stored report of an earlier attempt, or an engine ──▶ presigned PUT ──▶ termination message

What belongs here: environment, mounted files, object storage by URL, signals, the deadline, exit codes, log lines. What
never does: anything that `dealguard analyze` on a laptop needs too.
"""
