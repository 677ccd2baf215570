"""The HTTP API and the page: what stands between a browser and the cluster.

Kubernetes is the only database: an upload becomes a `ContractAnalysis`, created with the caller's own rights, and what
clients poll is that resource, as one watch that serves them all shows it. What belongs here: HTTP, who may do what, the
object storage's side of an upload. What never does: reading PDFs, judging contracts, Kubernetes rights beyond watching
analyses and asking for reviews.

`app.py` is the table of contents. `kubernetes/` knows the API server, `access/` who a caller is and what they may,
`storage/` the object storage, `routes/` the endpoints, `http/` what holds for all of them, `page/` the page itself.
"""

__version__ = "0.1.0"
