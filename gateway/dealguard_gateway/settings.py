"""The gateway's settings: environment variables `DEALGUARD_*`, checked once at start.

`s3_endpoint` is `DEALGUARD_S3_ENDPOINT`, and so on. The reference is docs/gateway.md.
"""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import pydantic
from cryptography.fernet import Fernet
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from dealguard_api.environment import cannot_start, variable

_LISTS = ("namespaces", "organizations", "session_keys", "allowed_origins", "oidc_scopes", "trusted_proxies")


class SettingsError(Exception):
    """The environment lacks or contradicts something; the message says what to set."""


class GatewaySettings(BaseModel):
    """What an installation chooses."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    # Empty: all namespaces, which needs a ClusterRole.
    namespaces: tuple[str, ...] = ()
    # Organizations that people are offered before they have a contract. Few may list namespaces, so without it a person
    # with rights in a new one is not told of it.
    organizations: tuple[str, ...] = ()

    host: str = "0.0.0.0"  # noqa: S104 - a pod's own address
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    # Probes and metrics, which are nobody's business outside the cluster. 0: none.
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    log_format: Literal["json", "plain"] = "json"
    log_level: Literal["INFO", "WARNING", "ERROR"] = "INFO"

    # As the gateway reaches it; a browser never does.
    s3_endpoint: str
    s3_access_key: Annotated[str, Field(min_length=1)]
    s3_secret_key: SecretStr
    s3_bucket: Annotated[str, Field(min_length=3, max_length=63)]
    s3_region: Annotated[str, Field(min_length=1)] = "us-east-1"

    max_pdf_bytes: Annotated[int, Field(gt=0)] = 100 * 1024 * 1024
    # Uploads under way at the same time, each with one part of a document in memory; the next ones wait for their turn.
    max_uploads: Annotated[int, Field(gt=0)] = 8
    # A client that sends nothing for that long has gone.
    upload_idle_seconds: Annotated[float, Field(gt=0)] = 20.0
    # One user's share, on one replica: requests a second on average, with bursts of ten seconds' worth, and uploads a
    # minute.
    requests_per_second: Annotated[float, Field(gt=0)] = 50.0
    uploads_per_minute: Annotated[float, Field(gt=0)] = 60.0

    # How long the API server's word on a token and on a right is kept.
    review_cache_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0

    # How the page is reached from outside, for example https://contracts.example.com: cookies, redirects and the proof
    # of origin go by it. Empty: as the request says.
    public_url: str = ""
    # Addresses or networks of the proxies before the gateway (an ingress): only their word counts on where a request
    # comes from (`X-Forwarded-For`) and how (`X-Forwarded-Proto`). Empty: nobody's, so the peer's address counts.
    trusted_proxies: tuple[str, ...] = ()
    # Other origins whose pages may use the API with a bearer token.
    allowed_origins: tuple[str, ...] = ()
    # Keys that encrypt the cookies of sessions (Fernet: 32 random bytes in URL-safe base64), the newest first. Every
    # replica needs the same. Empty: no sessions, so bearer tokens only.
    session_keys: tuple[SecretStr, ...] = ()
    session_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 10.0
    # Whether people may log in to the page with a Kubernetes token of theirs.
    token_login: bool = False
    # Cookies without `Secure`: for an address without TLS on a person's own machine.
    insecure_cookies: bool = False

    # OpenID Connect. Empty: none.
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None  # PKCE does without
    # Certificates that the issuer's is checked with. None: the machine's usual ones.
    oidc_authority_file: Path | None = None
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email", "groups")
    # `cluster`: the API server trusts the issuer, and the identity token goes there as it is. `impersonate`: it does
    # not; the gateway checks the token itself and acts as its user, for which its account needs `impersonate`.
    oidc_mode: Literal["cluster", "impersonate"] = "cluster"
    oidc_username_claim: str = "email"
    oidc_username_prefix: str = "oidc:"
    oidc_groups_claim: str = "groups"
    oidc_groups_prefix: str = "oidc:"

    # PDF.js, as scripts/fetch-pdfjs leaves it. None: beside the source.
    pdfjs_folder: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _split(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: tuple(value.replace(",", " ").split()) if name in _LISTS and isinstance(value, str) else value
            for name, value in values.items()
        }

    @field_validator("s3_endpoint", "public_url", "oidc_issuer")
    @classmethod
    def _check_url(cls, value: str, info: pydantic.ValidationInfo) -> str:
        if not value and info.field_name != "s3_endpoint":
            return value
        parts = urlsplit(value)
        has_path = bool(parts.path.strip("/")) and info.field_name != "oidc_issuer"
        if parts.scheme not in ("http", "https") or not parts.hostname or has_path or parts.query:
            raise ValueError("must be http(s)://host[:port]")
        return value.rstrip("/")

    @field_validator("session_keys")
    @classmethod
    def _check_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        try:
            for key in keys:
                Fernet(key.get_secret_value())
        except ValueError:
            raise ValueError(
                "must be keys of 32 random bytes in URL-safe base64: openssl rand -base64 32 | tr '+/' '-_'"
            ) from None
        return keys

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network)
        return networks

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or origin != f"{parts.scheme}://{parts.netloc}"
                or not parts.netloc
            ):
                raise ValueError("must be origins, http(s)://host[:port]")
        return origins

    @model_validator(mode="after")
    def _check_oidc(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("DEALGUARD_OIDC_ISSUER needs DEALGUARD_OIDC_CLIENT_ID")
        if self.oidc_issuer and not self.public_url:
            raise ValueError("DEALGUARD_OIDC_ISSUER needs DEALGUARD_PUBLIC_URL, where people come back to")
        issuer = urlsplit(self.oidc_issuer)
        if issuer.scheme == "http" and issuer.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("DEALGUARD_OIDC_ISSUER must be https: whoever can change its answers can be anybody")
        if self.oidc_authority_file is not None and not self.oidc_authority_file.is_file():
            raise ValueError("DEALGUARD_OIDC_AUTHORITY_FILE must name a file with certificates (PEM)")
        if (self.oidc_issuer or self.token_login) and not self.session_keys:
            raise ValueError("logging in needs DEALGUARD_SESSION_KEYS")
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `environment`.

        Raises:
            SettingsError: one sentence that names each variable that is missing or has an impossible value.
        """
        values = {name: value for name in cls.model_fields if (value := environment.get(variable(name)))}
        try:
            return cls(**values)
        except pydantic.ValidationError as error:
            raise SettingsError(cannot_start("gateway", error)) from None
