"""What was learnt from labelled contracts: linear models over words, as plain data.

What belongs here: turning text into features, the models' arithmetic, and what their scores mean. What never does:
training (`training/` in the repository, which imports `features` so that both sides see the same), patterns
(`clauses`), judgements (`checks`).

Two models, each one file of arrays in `weights/`, read without pickle:

    contracts       sentences of English contracts → CUAD's 41 categories (trained on CUAD v1)
    standard_terms  clauses of German standard terms → 22 topics, and whether a lawyer would call them void (AGB-DE)
"""
