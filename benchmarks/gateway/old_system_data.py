"""The old system's contracts and tokens, put where it looks for them."""

import os
from collections.abc import Sequence

import redis

from benchmarks.gateway.place import User
from benchmarks.gateway.servers import SIGNING_KEY, System, old_environment

# Read when its module is loaded.
os.environ["BENCH_SIGNING_KEY"] = SIGNING_KEY
from benchmarks.gateway.old_system import new_contract, token_of


def prepare(system: System, contracts: Sequence[tuple[User, str]]) -> list[dict[str, str]]:
    """The same contracts and users, there; what each client asks for."""
    client = redis.Redis(unix_socket_path=old_environment(system)["BENCH_REDIS_SOCKET"])
    lines = []
    with client.pipeline(transaction=False) as pipe:
        for number, (user, name) in enumerate(contracts):
            contract = new_contract(name, user.organization, user.name, f"contract {number}.pdf")
            pipe.hset(f"contract:{name}", mapping={**contract, "status": "processing"})
            lines.append({"path": f"/contracts/{name}", "token": token_of(user.organization, user.name)})
        pipe.execute()
    client.close()
    return lines


def old_token() -> str:
    """Of one user."""
    return token_of("acme", "somebody")
