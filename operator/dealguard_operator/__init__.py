"""The operator: answers each `ContractAnalysis` with a Job and writes the outcome into its status.

What belongs here: deciding what an analysis needs next (`decide.py` and `policies/`, pure functions over the frozen
types of `model.py`) and carrying it out against the Kubernetes API (`reconciler.py` and its adapters). What never does:
PDF or model code, and anything that reads a contract.

    main.py            settings, Kopf's handlers, start and stop: the table of contents
    child_watch.py     Jobs and pods as they change
    settings.py        the operator's environment, checked at start
    kopf_settings.py   how Kopf is set, each setting with its reason
    model.py           what is observed, what is decided
    observe.py         raw Kubernetes objects -> model.py
    decide.py          what is observed -> what to do
    policies/          one rule a file
    job.py             Job and Secret manifests
    s3_signing.py      signatures that the object storage takes
    presign.py         presigned URLs
    report_storage.py  the object storage
    reuse.py           earlier reports found, new ones noted
    sweep.py           what no analysis needs any more, removed
    stages.py          how long the stages of an attempt took
    metrics.py         what Prometheus reads
    tracing.py         what OpenTelemetry is told, where the installation asks for it
    logs.py            log lines
    memory.py          what Python and the C library keep, and give back
    store.py           what the watches and lists last said
    work_queue.py      which analysis to look at next
    reconciler.py      observe, decide, act, until nothing is left to do
    lease.py           which of several operators may write
    lease_api.py       the Lease on the API server
    watch_check.py     whether the watches deliver
    http_endpoints.py  liveness, readiness and what else is served
    kubernetes_api.py  the API server: the requests that the operator makes
    connection.py      the API server: how a request goes out and comes back
    errors.py          what can go wrong with it
"""

# As in pyproject.toml: the image has the code alone, without its metadata.
__version__ = "0.1.0"
