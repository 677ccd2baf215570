"""From a stored document to its analysis: created once, with the caller's rights, or nothing is left.

The name follows from what was sent, so the API server itself decides who of several comes first, on all replicas: the
same document with the same options is the same analysis, and a request that is repeated finds what it made before.
"""

import asyncio
import hashlib
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pydantic

from dealguard_api import names
from dealguard_api.resource import ContractAnalysisSpec, Document
from dealguard_api.untrusted import Raw, mapping_in, text_in
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.contracts import contract_id
from dealguard_gateway.kubernetes.api import KubernetesApi, RawObject, analyses_path
from dealguard_gateway.kubernetes.errors import ApiError, problems_of
from dealguard_gateway.model import ANNOTATION_FILE_NAME
from dealguard_gateway.problems import ForbiddenProblem, InvalidProblem, NotFoundProblem, Problem, UnavailableProblem
from dealguard_gateway.storage.documents import DocumentStorage, StoredDocument

# A request whose answer was lost is made again: under the same name it creates nothing twice.
_PAUSES_SECONDS = (0.2, 1.0)
# Not after that long: somebody waits.
_TRY_SECONDS = 5.0
# Looks whether an analysis has come of a request that nobody answered. The API server gives one up after a minute.
_SETTLE_PAUSES_SECONDS = (5.0, 15.0, 60.0, 60.0, 300.0, 600.0)
_SURELY_OVER_SECONDS = 75.0

_DIGEST_LENGTH = 24
# What the form may say, by field, and how.
_FIELDS = {
    "engine": "auto, claude or rules",
    "language": "auto, de or en",
    "perspective": "the role or the name of a party, on one line of at most 120 characters",
    "maxCostUSD": 'a decimal number such as "0.50": dollars, without a sign',
}
# On which two requests must agree to mean the same analysis.
_SAME = ("engine", "language", "perspective", "maxCostUSD")
_DEFAULTS = {"engine": "auto", "language": "auto"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submission:
    """What is to be analysed.

    Args:
        namespace: the organisation.
        options: fields of the spec, in its own words, checked by `options_from`.
        file_name: as it is shown; None if the client gave none.
        idempotency_key: of the client; None: the document and the options are the key.
        document_key: where the document is to be.
    """

    namespace: str
    options: Mapping[str, str]
    file_name: str | None = None
    idempotency_key: str | None = None
    document_key: str = field(default="")

    @classmethod
    def new(
        cls, namespace: str, options: Mapping[str, str], *, file_name: str | None, idempotency_key: str | None
    ) -> "Submission":
        """A submission with a document key of its own."""
        key = f"{names.document_prefix(namespace)}{uuid.uuid4().hex}.pdf"
        return cls(namespace, options, file_name, idempotency_key, key)

    def name(self, username: str, sha256: str) -> str:
        """What the analysis is called."""
        if self.idempotency_key is not None:
            parts: list[str | None] = ["key", self.namespace, username, self.idempotency_key]
        else:
            parts = ["document", self.namespace, sha256, *(self.options.get(option) for option in _SAME)]
        digest = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
        return f"contract-{digest[:_DIGEST_LENGTH]}"

    def manifest(self, username: str, sha256: str) -> RawObject:
        """The resource, as it is created."""
        annotations = {ANNOTATION_FILE_NAME: self.file_name} if self.file_name else {}
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {
                "namespace": self.namespace,
                "name": self.name(username, sha256),
                "annotations": annotations,
            },
            "spec": {
                "document": {"key": self.document_key, "sha256": sha256},
                "submittedBy": username,
                **self.options,
            },
        }


def options_from(fields: Mapping[str, str]) -> dict[str, str]:
    """The options of a form, complete and in the spec's words; an empty field is one that is not there.

    Raises:
        InvalidProblem: one is unknown or impossible; the message says what is possible.
    """
    unknown = sorted(fields.keys() - _FIELDS.keys())
    if unknown:
        raise InvalidProblem(
            "unknown-field",
            f"There is no field `{unknown[0][:40]}`. Send only these before the file: organization, "
            f"{', '.join(_FIELDS)}.",
        )
    given = {name: value.strip() for name, value in fields.items() if value.strip()}
    options = {**_DEFAULTS, **given}
    try:
        ContractAnalysisSpec.model_validate({"document": Document(), **options})
    except pydantic.ValidationError as error:
        wrong = str(error.errors(include_url=False, include_input=False)[0]["loc"][0])
        raise InvalidProblem("invalid-field", f"Correct the field `{wrong}`: it must be {_FIELDS[wrong]}.") from None
    return options


@dataclass(frozen=True)
class Submitted:
    """What came of it.

    Args:
        raw: the resource.
        is_new: whether this submission made it.
    """

    raw: RawObject
    is_new: bool


class Submitter:
    """Creates the analysis of a document that was just stored, or takes the document back.

    Args:
        kubernetes: asked with the caller's credentials; what is there, with the gateway's own.
        documents: where the document is.
    """

    def __init__(self, kubernetes: KubernetesApi, documents: DocumentStorage) -> None:
        self._kubernetes = kubernetes
        self._documents = documents

    async def submit(self, submission: Submission, caller: Caller, stored: StoredDocument) -> Submitted:
        """The analysis: a new one, or the one that the same submission made before.

        Raises:
            Problem: it cannot be created. Then the document is gone, or will be when it is known that no analysis
                names it, and the same request can be made again.
        """
        manifest = submission.manifest(caller.username, stored.sha256)
        try:
            submitted = await self._create(manifest, caller)
        except _UnknownError as unknown:
            self._documents.later(self._settle(manifest))
            raise problems_of(unknown.error) from None
        except Problem:
            await self._documents.take_back(submission.document_key)
            raise
        except BaseException:  # the gateway ends
            self._documents.later(self._settle(manifest))
            raise
        if not submitted.is_new:
            await self._use_existing(submitted.raw, submission)
        return submitted

    async def _create(self, manifest: RawObject, caller: Caller) -> Submitted:
        path = analyses_path(manifest["metadata"]["namespace"])
        failed: list[ApiError] = []
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        for pause_seconds in (*_PAUSES_SECONDS, None):
            try:
                raw = await self._kubernetes.request("POST", path, credentials=caller.credentials, body=manifest)
                return Submitted(raw, is_new=True)
            except ApiError as error:
                failed.append(error)
            if failed[-1].reason == "AlreadyExists":
                if (existing := await self._existing(manifest, failed)) is not None:
                    return existing  # else it was deleted meanwhile, and the next try creates it
            elif not _is_worth_another_try(failed[-1]) or loop.time() - began_at > _TRY_SECONDS:
                break
            if pause_seconds is not None:
                await asyncio.sleep(pause_seconds)
        # What a request made whose answer was lost is there all the same.
        if any(map(_may_have_worked, failed)) and (existing := await self._existing(manifest, failed)) is not None:
            return existing
        if any(map(_may_be_under_way, failed)):
            raise _UnknownError(failed[-1])
        raise _refusal(failed[-1], manifest)

    async def _existing(self, manifest: RawObject, failed: list[ApiError]) -> Submitted | None:
        """What is there under the name; None if nothing is.

        Raises:
            InvalidProblem: something else.
            _UnknownError: the API server does not say.
        """
        try:
            raw = await self._look(manifest)
        except ApiError:
            raise _UnknownError(failed[-1]) from None
        if raw is None:
            return None
        if _document(raw, "key") == _document(manifest, "key"):
            return Submitted(raw, is_new=True)
        if "deletionTimestamp" in raw["metadata"]:
            raise UnavailableProblem(
                "contract-being-deleted",
                "The same contract is being deleted at this moment. Send it again in a few seconds.",
            )
        if not _means_the_same(raw, manifest):
            raise _taken(manifest)
        return Submitted(raw, is_new=False)

    async def _look(self, manifest: RawObject) -> RawObject | None:
        metadata = manifest["metadata"]
        try:
            return await self._kubernetes.request(
                "GET", analyses_path(metadata["namespace"], metadata["name"]), credentials=None
            )
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def _use_existing(self, existing: Raw, submission: Submission) -> None:
        """Give up the document that was just stored; if the existing analysis lacks its own, this is it."""
        key = _document(existing, "key")
        try:
            is_ours = names.document_key_violation(key, submission.namespace) is None
            if is_ours and await self._documents.find(key) is None:
                await self._documents.copy(submission.document_key, key)
        finally:
            await self._documents.take_back(submission.document_key)

    async def _settle(self, manifest: RawObject) -> None:
        """Keep the document only if an analysis has come of a request without an answer."""
        key = _document(manifest, "key")
        waited_seconds = 0.0
        for pause_seconds in _SETTLE_PAUSES_SECONDS:
            is_last = await self._documents.pause(pause_seconds)
            waited_seconds += pause_seconds
            try:
                raw = await self._look(manifest)
            except ApiError:
                if is_last:
                    break
                continue
            if raw is not None and _document(raw, "key") == key:
                return
            if raw is not None or waited_seconds >= _SURELY_OVER_SECONDS:
                await self._documents.take_back(key)
                return
            if is_last:
                break
        logger.warning("Whether %s is needed could not be found out: if not, the sweep removes it.", key)


class _UnknownError(Exception):
    """Nobody knows whether the analysis was created."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(str(error))
        self.error = error if error.is_passing else ApiError(0, "", "")


def _is_worth_another_try(error: ApiError) -> bool:
    return _may_have_worked(error) or error.status == 0 or error.reason == "Conflict"


def _may_have_worked(error: ApiError) -> bool:
    """Whether the request may have been carried out although it failed."""
    return _may_be_under_way(error) or error.status >= 500


def _may_be_under_way(error: ApiError) -> bool:
    """Whether the request may still be carried out: it was sent, and nobody answered."""
    return error.status == 0 and not isinstance(error.__cause__, aiohttp.ClientConnectorError)


def _document(raw: Raw, field_: str) -> str:
    return text_in(mapping_in(mapping_in(raw, "spec"), "document"), field_)


def _means_the_same(existing: Raw, manifest: Raw) -> bool:
    """By the spec, of which these fields cannot change: whoever wrote it, under whatever name."""
    old, new = mapping_in(existing, "spec"), mapping_in(manifest, "spec")
    same_options = all(
        (old.get(option) or _DEFAULTS.get(option)) == (new.get(option) or _DEFAULTS.get(option)) for option in _SAME
    )
    return same_options and _document(existing, "sha256") == _document(manifest, "sha256")


def _taken(manifest: Raw) -> InvalidProblem:
    metadata: Mapping[str, Any] = mapping_in(manifest, "metadata")
    return InvalidProblem(
        "idempotency-key-reused",
        f"{contract_id(metadata['namespace'], metadata['name'])} exists and is of another document or has other "
        "options. Use another Idempotency-Key for another request.",
    )


def _refusal(error: ApiError, manifest: Raw) -> Problem:
    """Why the API server does not create it, and what to do."""
    namespace = text_in(mapping_in(manifest, "metadata"), "namespace")
    words = error.message.rstrip(".")
    if error.reason == "AlreadyExists":  # and gone again whenever it was looked for
        return problems_of(ApiError(0, "", ""))
    if error.status == 404:
        return NotFoundProblem(
            "organization-not-found", f"There is no organization {namespace}. Use one of GET /organizations."
        )
    if error.status == 403 and "exceeded quota" in error.message:
        return ForbiddenProblem(
            "quota-exceeded",
            f"The organization {namespace} has as many contracts as it may have: {words}. Delete some, or ask the "
            "cluster's administrator for more.",
        )
    if error.status == 403 and "being terminated" in error.message:
        return ForbiddenProblem(
            "organization-being-deleted", f"The organization {namespace} is being deleted. Use another one."
        )
    return problems_of(error)
