"""The rules of a decision, one a file, named for it.

What belongs here: pure functions over `model.py` and `dealguard_api`. What never does: I/O, clocks (the time is an
argument), the Kubernetes client, raw objects.

    runs.py                 beginning a run, and the next one
    admission.py            what may start now
    reuse.py                which report is one of the same input
    orphans.py              what in the storage nothing needs any more
    stopping.py             cancel and suspend
    progress.py             stage and waiting cause from the pod
    attempts.py             ended pods, kept as attempts
    diagnosis.py            why an attempt failed
    outcome.py              how a run ends
    conditions.py           phase and reason as conditions
    ttl_after_finished.py   deletion of a finished resource
    events.py               Events for a transition
    messages.py             words from elsewhere, made safe
"""
