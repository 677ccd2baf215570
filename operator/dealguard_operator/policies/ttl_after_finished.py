"""Deletion of a finished resource, `spec.ttlSecondsAfterFinished` after its end. Its report stays in storage."""

from datetime import datetime, timedelta

from dealguard_operator.model import Analysis


def deletion_time(analysis: Analysis) -> datetime | None:
    """When a finished analysis is to be deleted; None: never."""
    ttl_seconds = analysis.spec.ttl_seconds_after_finished
    finished_at = analysis.status.finished_at
    if ttl_seconds is None or finished_at is None:
        return None
    try:
        return finished_at + timedelta(seconds=ttl_seconds)
    except OverflowError:
        return None  # beyond the year 9999, as only somebody who spoils a status writes it
