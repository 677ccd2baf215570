"""The `rules` engine: offline, deterministic, without a key.

What belongs here: reading a contract by patterns: `text` (sentences), `facts`, `clauses`, `checks`, `engine` (putting
them together) and `summary`. What never does: a network, a clock, randomness. A trained model belongs beside
`clauses`' patterns, with its weights as plain data.
"""
