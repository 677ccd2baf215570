"""Names that installations, manifests and other tools refer to. They are never renamed within v1alpha1."""

import hashlib

GROUP = "dealguard.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "ContractAnalysis"
PLURAL = "contractanalyses"
SINGULAR = "contractanalysis"
SHORT_NAME = "ca"
CATEGORY = "dealguard"

# Labels on the Job, its Pods and its Secret; the operator's watches select on MANAGED_BY on the server's side.
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY = "dealguard-operator"
LABEL_COMPONENT = "app.kubernetes.io/component"
COMPONENT_ANALYZER = "analyzer"
LABEL_NAME = f"{GROUP}/analysis-name"
LABEL_UID = f"{GROUP}/analysis-uid"
LABEL_RUN = f"{GROUP}/run"
# On the Job: what the report will have followed from, for its reuse.
ANNOTATION_REUSE = f"{GROUP}/reuse"
# On analyses that were submitted together, by the command line.
LABEL_SUBMISSION = f"{GROUP}/submission"

# A Job's name is a label value on its Pods, and a Pod's name appends a hyphen and five characters to it.
MAX_JOB_NAME_LENGTH = 57
_UID_PREFIX_LENGTH = 8


def job_name(analysis_name: str, uid: str, run: int, *, job_number: int = 1) -> str:
    """The name of the Job (and of its Secret) for one run: deterministic, unique, at most 57 characters.

    Args:
        analysis_name: `metadata.name`, a DNS subdomain of at most 253 characters.
        uid: `metadata.uid`; its first eight hexadecimal digits keep a recreated resource apart from its predecessor.
        run: the run's number, from 1.
        job_number: which Job of the run, from 1: a run that was suspended and resumed has a second one, under a name
            of its own, because a Job recreated under an old name can stay without pods for minutes.
    """
    suffix = f"-{uid.replace('-', '')[:_UID_PREFIX_LENGTH]}-{run}"
    if job_number > 1:
        suffix += f"-{job_number}"
    # Dots are valid in a subdomain but not in a Job's name once it becomes a Pod's host name.
    stem = analysis_name.replace(".", "-")[: MAX_JOB_NAME_LENGTH - len(suffix)].strip("-")
    return f"{stem}{suffix}"


def label_value(text: str) -> str:
    """`text` as a label value: up to 63 characters unchanged, beyond that shortened and made unique by a digest."""
    if len(text) <= 63:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[:54].rstrip('-.')}-{digest}"


def document_prefix(namespace: str) -> str:
    """Where a namespace's documents lie in the bucket, with the slash at the end."""
    return f"documents/{namespace}/"


def report_key(namespace: str, uid: str, run: int) -> str:
    """Where the report of one run lies in the bucket."""
    return f"reports/{namespace}/{uid}/{run}.json"


def report_prefix(namespace: str) -> str:
    """Where a namespace's reports lie in the bucket, with the slash at the end."""
    return f"reports/{namespace}/"


def cache_prefix(namespace: str) -> str:
    """Where the pointers from inputs to a namespace's reports lie in the bucket, with the slash at the end."""
    return f"cache/{namespace}/"


def checkpoint_key(namespace: str, uid: str, run: int) -> str:
    """Where a run keeps what it has paid for until its report is stored: beside the report."""
    return f"reports/{namespace}/{uid}/{run}.checkpoint.json"


def document_key_violation(key: str, namespace: str) -> str | None:
    """Why `key` may not be read by an analysis in `namespace`, as a sentence that says what to do; None if it may."""
    prefix = document_prefix(namespace)
    if any(part in ("", ".", "..") for part in key.split("/")):
        return f"spec.document.key has an empty, '.' or '..' part. Use a key of the form {prefix}<name>.pdf."
    if not key.startswith(prefix):
        return (
            f"spec.document.key must lie under {prefix} because the analysis is in namespace {namespace}. "
            f"Upload the document there, or create the analysis in the namespace that owns it."
        )
    return None
