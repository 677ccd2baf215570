"""What may start now. An analysis that may not waits as `Pending/Queued`, without a Job, at no cost.

Limits on how many run at once, fairness between namespaces and priority belong here as well.
"""

from dealguard_api.reasons import Reason
from dealguard_operator.model import Analysis


def waits_because(analysis: Analysis) -> Reason | None:
    """Why the analysis has to wait before it starts; None if it may start."""
    return Reason.SUSPENDED if analysis.spec.suspend else None
