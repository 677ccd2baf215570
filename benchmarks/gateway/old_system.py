"""The service that DealGuard replaces, as such a service is ordinarily written: FastAPI, Redis, an ARQ worker.

    uvicorn benchmarks.gateway.old_system:app
    arq benchmarks.gateway.old_system.WorkerSettings

A contract is a hash in Redis, a PDF a file in a folder that both processes see, a caller a signed token (JWT) with the
organization in it. Nothing is tuned, and nothing made slower than it has to be: uvloop and httptools, hiredis, one
round trip to Redis a poll.
"""

import asyncio
import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import jwt
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from fastapi import Depends, FastAPI, HTTPException, UploadFile
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from dealguard_analyzer.errors import AnalysisError
from dealguard_analyzer.pipeline import analyze_pdf
from dealguard_api.pod import AnalyzeSettings, ExtractSettings

REDIS = RedisSettings(unix_socket_path=os.environ.get("BENCH_REDIS_SOCKET", "redis.sock"))
UPLOADS = Path(os.environ.get("BENCH_UPLOADS", "."))
# Of a service that runs on this machine for minutes, for nobody but the benchmark.
SIGNING_KEY = os.environ.get("BENCH_SIGNING_KEY", "")
JOB_TIMEOUT_SECONDS = 300
MAX_TRIES = 3


class User(BaseModel):
    """Who calls, as the token says."""

    sub: str
    organization: str


class ContractOut(BaseModel):
    """A contract, as the frontend polls it."""

    id: str
    organization: str
    file_name: str
    status: str
    submitted_by: str
    created_at: float
    finished_at: float | None = None
    risk_level: str | None = None
    summary: str | None = None
    error: str | None = None


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.redis = await create_pool(REDIS)
    yield
    await app.state.redis.aclose()


app = FastAPI(lifespan=_lifespan)
_bearer = HTTPBearer()


async def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]) -> User:
    """The caller."""
    try:
        return User(**jwt.decode(credentials.credentials, SIGNING_KEY, algorithms=["HS256"]))
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None


CurrentUser = Annotated[User, Depends(current_user)]


@app.post("/contracts", status_code=202)
async def upload_contract(file: UploadFile, user: CurrentUser) -> ContractOut:
    """Keep the PDF, remember the contract, queue the job."""
    redis: ArqRedis = app.state.redis
    contract_id = uuid.uuid4().hex
    content = await file.read()
    await asyncio.to_thread((UPLOADS / f"{contract_id}.pdf").write_bytes, content)
    contract = new_contract(contract_id, user.organization, user.sub, file.filename or "")
    await redis.hset(f"contract:{contract_id}", mapping=contract)  # type: ignore[misc]
    await redis.enqueue_job("analyze_contract_job", contract_id, user.organization, user.sub)
    return ContractOut(**contract)


@app.get("/contracts/{contract_id}")
async def get_contract(contract_id: str, user: CurrentUser) -> ContractOut:
    """Where it stands."""
    redis: ArqRedis = app.state.redis
    kept = await redis.hgetall(f"contract:{contract_id}")  # type: ignore[misc]
    contract = {key.decode(): value.decode() for key, value in kept.items()}
    if not contract or contract["organization"] != user.organization:
        raise HTTPException(404)
    return ContractOut(**contract)


def new_contract(contract_id: str, organization: str, user: str, file_name: str) -> dict[str, Any]:
    """The hash of a contract that was just uploaded."""
    return {
        "id": contract_id,
        "organization": organization,
        "file_name": file_name,
        "status": "pending",
        "submitted_by": user,
        "created_at": time.time(),
    }


def token_of(organization: str, user: str) -> str:
    """What the login would give."""
    return jwt.encode({"sub": user, "organization": organization}, SIGNING_KEY, algorithm="HS256")


async def analyze_contract_job(ctx: dict[str, Any], contract_id: str, organization_id: str, user_id: str) -> None:
    """The job: the offline engine on the PDF, in a thread, so that the worker's loop goes on."""
    redis: ArqRedis = ctx["redis"]
    key = f"contract:{contract_id}"
    await redis.hset(key, "status", "processing")  # type: ignore[misc]
    try:
        report = await asyncio.to_thread(
            analyze_pdf, UPLOADS / f"{contract_id}.pdf", ExtractSettings(), AnalyzeSettings(engine="rules")
        )
    except AnalysisError as error:
        failure = {"status": "failed", "error": error.message, "finished_at": time.time()}
        await redis.hset(key, mapping=failure)  # type: ignore[misc]
        return
    content = report.model_dump_json(by_alias=True).encode(errors="replace")
    await asyncio.to_thread((UPLOADS / f"{contract_id}.json").write_bytes, content)
    result = {
        "status": "completed",
        "finished_at": time.time(),
        "risk_level": report.risk.level,
        "summary": report.summary,
        "report_sha256": hashlib.sha256(content).hexdigest(),
    }
    await redis.hset(key, mapping=result)  # type: ignore[misc]


class WorkerSettings:
    """For `arq`."""

    functions = [analyze_contract_job]
    redis_settings = REDIS
    job_timeout = JOB_TIMEOUT_SECONDS
    max_tries = MAX_TRIES
