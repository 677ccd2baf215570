"""What attacks or deceives whoever reads the document, a person or a model: found by code, a finding of every engine.

What belongs here: seeing through disguised characters (`seen_through`), what attackers write (`english`, `german`,
`forgeries`), where they write it (`passages`), and the findings made of it (`findings`). What never does: judging
clauses, the model's own answer, or anything that changes the text which the engines read.

docs/attacks.md has the threat model, and what is not detected.
"""

from dealguard_analyzer.engines.integrity.findings import integrity_findings

__all__ = ["integrity_findings"]
