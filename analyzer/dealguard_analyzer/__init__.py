"""PDF → text → report. Runs in the analysis pod, and alone on a laptop (`dealguard analyze`).

What belongs here: reading documents, the engines, the two containers' entry points. What never does: a Kubernetes
client, storage credentials (the pod knows presigned URLs only), anything about clusters.
"""
