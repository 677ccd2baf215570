"""Every check, in the order of the themes."""

from dealguard_analyzer.engines.rules.checks import (
    Check,
    disputes,
    duties,
    form,
    integrity,
    liability,
    money,
    restraints,
    rights,
    term,
    transfer,
)

ALL_CHECKS: tuple[Check, ...] = (
    *liability.CHECKS,
    *term.CHECKS,
    *money.CHECKS,
    *restraints.CHECKS,
    *transfer.CHECKS,
    *rights.CHECKS,
    *disputes.CHECKS,
    *duties.CHECKS,
    *form.CHECKS,
    *integrity.CHECKS,
)
