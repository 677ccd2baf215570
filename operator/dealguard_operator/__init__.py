"""The operator: answers each `ContractAnalysis` with a Job and writes the outcome into its status.

What belongs here: deciding what an analysis needs next (`decide.py` and `policies/`, pure functions over the frozen
types of `model.py`) and carrying it out against the Kubernetes API (`reconciler.py` and its adapters). What never does:
PDF or model code, and anything that reads a contract.

    main.py            settings, Kopf's handlers, start and stop: the table of contents
    settings.py        the operator's environment, checked at start
    kopf_settings.py   how Kopf is set, each setting with its reason
    model.py           what is observed, what is decided
    observe.py         raw Kubernetes objects -> model.py
    decide.py          what is observed -> what to do
    policies/          one rule a file
    job.py             Job and Secret manifests
    presign.py         presigned URLs
    store.py           what the watches and lists last said
    work_queue.py      which analysis to look at next
    reconciler.py      observe, decide, act, until nothing is left to do
    kubernetes_api.py  the API server
    errors.py          what can go wrong with it
"""
