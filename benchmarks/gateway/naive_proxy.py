"""A proxy that asks the API server on every poll, with the caller's token: nothing watched, nothing kept.

    uvicorn benchmarks.gateway.naive_proxy:app

The same words as the gateway's, made by the gateway's own translation; the API server itself decides who may.
"""

import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI, HTTPException, Request, Response

from dealguard_api import names
from dealguard_gateway.contracts import contract_from, split_id

_SERVER = os.environ.get("BENCH_API_SERVER", "")
_CA_FILE = os.environ.get("BENCH_CA_FILE", "")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    tls = ssl.create_default_context(cafile=_CA_FILE)
    connector = aiohttp.TCPConnector(ssl=tls, limit=100)  # as many as the gateway has
    async with aiohttp.ClientSession(_SERVER, connector=connector) as session:
        app.state.session = session
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/contracts/{id}")
async def get_contract(request: Request, id: str) -> Response:  # noqa: A002
    """Where it stands, as the API server says now."""
    namespace, name = split_id(id)
    path = f"/apis/{names.GROUP}/{names.VERSION}/namespaces/{namespace}/{names.PLURAL}/{name}"
    session: aiohttp.ClientSession = request.app.state.session
    headers = {"Authorization": request.headers.get("authorization", "")}
    async with session.get(path, headers=headers) as answer:
        body = await answer.read()
    if answer.status != 200:
        raise HTTPException(answer.status)
    contract = contract_from(json.loads(body))
    return Response(contract.model_dump_json(by_alias=True), media_type="application/json")
