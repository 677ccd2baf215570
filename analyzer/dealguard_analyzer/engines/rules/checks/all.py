"""Every check, in the order of the themes."""

from dealguard_analyzer.engines.rules.checks import (
    Check,
    disputes,
    duties,
    employment,
    form,
    liability,
    money,
    payment_terms,
    restraints,
    rights,
    standard_terms,
    tenancy,
    term,
    transfer,
    warranty,
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
    *standard_terms.CHECKS,
    *payment_terms.CHECKS,
    *warranty.CHECKS,
    *employment.CHECKS,
    *tenancy.CHECKS,
)
