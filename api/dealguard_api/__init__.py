"""The contract that all parts of DealGuard share.

What belongs here: the models of the `ContractAnalysis` resource and of the report, its conditions, reasons and exit
codes, the interface between the operator and the analysis pod, and pure functions over them (schema generation,
rendering). What never does: I/O, a Kubernetes client, PDF code, a model's SDK.
"""
