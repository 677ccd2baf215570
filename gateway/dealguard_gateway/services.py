"""What every route has at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dealguard_gateway.access.callers import Access
    from dealguard_gateway.access.oidc import Oidc
    from dealguard_gateway.access.sessions import Sessions
    from dealguard_gateway.http.limits import RateLimits
    from dealguard_gateway.kubernetes.api import KubernetesApi
    from dealguard_gateway.kubernetes.store import AnalysisStore
    from dealguard_gateway.metrics import Metrics
    from dealguard_gateway.settings import GatewaySettings
    from dealguard_gateway.storage.documents import DocumentStorage


@dataclass(frozen=True)
class Services:
    """The parts that a request may need; `request.app.state.services`.

    Args:
        settings: what the installation chose.
        kubernetes: the API server.
        store: all analyses, as the watch tells of them.
        access: who a caller is and what they may.
        sessions: of browsers, in their cookies.
        oidc: the issuer of identities, if there is one.
        documents: the object storage.
        limits: one user's share.
        metrics: what is counted.
    """

    settings: GatewaySettings
    kubernetes: KubernetesApi
    store: AnalysisStore
    access: Access
    sessions: Sessions
    oidc: Oidc | None
    documents: DocumentStorage
    limits: RateLimits
    metrics: Metrics
