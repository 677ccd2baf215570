"""How the offline engine's weights are made and measured. Not shipped.

What belongs here: reading the labelled data sets (`cuad`, `agb_de`), fitting (`train`), measuring (`scores`,
`evaluate`). What never does: anything the analyzer needs at run time; features and the models' arithmetic are the
analyzer's own (`dealguard_analyzer.engines.rules.model`).
"""
