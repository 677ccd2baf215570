"""The issuers of identities that the test cluster's API server trusts: none at its start, and whom a test adds.

The API server reads its AuthenticationConfiguration again whenever the file changes; a new issuer counts once its keys
have been read, which the API server tries at once and then every 10 s.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dealguard_cluster.layout import state_root


@dataclass(frozen=True)
class TrustedIssuers:
    """The file that an instance's API server reads.

    Args:
        cluster: the instance's name. Its own folder has the file, because a running node keeps its arguments.
    """

    cluster: str

    @property
    def _file(self) -> Path:
        return state_root() / self.cluster / "authentication.json"

    @property
    def extra_arguments(self) -> dict[str, list[str]]:
        """What makes the cluster's API server read it, for `Cluster`."""
        return {"kube-apiserver": [f"--authentication-config={self._file}"]}

    def clear(self) -> None:
        """Trust nobody but the cluster itself."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._write([])

    def add(self, url: str, authority: Path, *, audience: str, prefix: str) -> None:
        """Trust one issuer.

        Args:
            url: of the issuer.
            authority: the certificate that its TLS is checked with.
            audience: the client whose tokens count.
            prefix: before the names (claim `email`) and the groups of its users.
        """
        claims = {
            name: {"claim": claim, "prefix": prefix} for name, claim in (("username", "email"), ("groups", "groups"))
        }
        issuer = {"url": url, "audiences": [audience], "certificateAuthority": authority.read_text()}
        self._write([{"issuer": issuer, "claimMappings": claims}])

    def _write(self, issuers: list[dict[str, Any]]) -> None:
        document = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AuthenticationConfiguration",
            "jwt": issuers,
        }
        # In one step: half a file would be read too.
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(document))
        partial.rename(self._file)
