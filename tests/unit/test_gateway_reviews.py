"""Who a caller is and what they may: asked seldom, known for seconds, held for a minute while nobody answers."""

import asyncio
from dataclasses import dataclass

import pytest

from dealguard_gateway.access.callers import Caller
from dealguard_gateway.access.reviews import Reviews
from dealguard_gateway.access.sessions import Sessions
from dealguard_gateway.metrics import Metrics
from dealguard_gateway.problems import UnauthenticatedProblem, UnavailableProblem
from tests.unit.gateway_fakes import FakeKubernetes, settings

OWN = {"authorization": "Bearer own-token"}


@dataclass
class Asked:
    """Reviews with a clock that the test moves."""

    kubernetes: FakeKubernetes
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.reviews = Reviews(
            self.kubernetes,  # type: ignore[arg-type]
            Sessions(settings()),
            cache_seconds=5.0,
            metrics=Metrics(),
            clock=lambda: self.now,
        )


@pytest.fixture
def asked() -> Asked:
    return Asked(FakeKubernetes())


async def test_a_token_is_asked_about_once_in_some_seconds_by_any_number_of_requests(asked: Asked) -> None:
    callers = await asyncio.gather(*(asked.reviews.caller(OWN) for _ in range(100)))
    assert {caller.username for caller in callers} == {"own"}
    assert callers[0].credentials == {"Authorization": "Bearer own-token"}
    assert asked.kubernetes.asked["tokenreviews"] == 1
    asked.now += 4.9
    await asked.reviews.caller(OWN)
    assert asked.kubernetes.asked["tokenreviews"] == 1
    asked.now += 0.2
    await asked.reviews.caller(OWN)
    assert asked.kubernetes.asked["tokenreviews"] == 2


async def test_one_who_hangs_up_does_not_take_the_answer_from_the_others(asked: Asked) -> None:
    first, second = (asyncio.create_task(asked.reviews.caller(OWN)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).username == "own"
    assert first.cancelled() or (await asyncio.gather(first, return_exceptions=True))[0] is not None


@pytest.mark.parametrize(
    ("reason", "headers", "word"),
    [
        ("nobody", {}, "not-logged-in"),
        ("another scheme", {"authorization": "Basic b3duOnB3"}, "credentials-rejected"),
        ("no token", {"authorization": "Bearer "}, "credentials-rejected"),
        ("a token that is none", {"authorization": "Bearer a b"}, "credentials-rejected"),
        ("a token too long for the API server", {"authorization": "Bearer " + "a" * 20_000}, "credentials-rejected"),
        ("a token that the cluster does not know", {"authorization": "Bearer stranger"}, "credentials-rejected"),
        ("a bad token is no reason to try a cookie", {"authorization": "x", "cookie": "a=b"}, "credentials-rejected"),
    ],
)  # fmt: skip
async def test_who_is_nobody(asked: Asked, reason: str, headers: dict[str, str], word: str) -> None:
    with pytest.raises(UnauthenticatedProblem) as caught:
        await asked.reviews.caller(headers)
    assert caught.value.word == word, reason
    assert caught.value.headers["WWW-Authenticate"] == "Bearer"


async def test_a_refusal_is_looked_at_again_soon(asked: Asked) -> None:
    stranger = {"authorization": "Bearer new-token"}
    for _ in range(3):
        with pytest.raises(UnauthenticatedProblem):
            await asked.reviews.caller(stranger)
    assert asked.kubernetes.asked["tokenreviews"] == 1
    asked.kubernetes.users["new-token"] = "own"
    asked.now += 2.1
    assert (await asked.reviews.caller(stranger)).username == "own"


async def test_a_right_to_all_serves_each_and_a_right_to_one_serves_it_alone(asked: Asked) -> None:
    caller = await asked.reviews.caller(OWN)
    assert all([await asked.reviews.may(caller, "get", "acme", f"lease-{number}") for number in range(50)])
    assert asked.kubernetes.asked["subjectaccessreviews"] == 1
    asked.kubernetes.rights.add(("own", "get", "globex", "shared"))
    assert await asked.reviews.may(caller, "get", "globex", "shared")
    assert not await asked.reviews.may(caller, "get", "globex", "secret")
    assert not await asked.reviews.may(caller, "delete", "globex", "shared")


async def test_rights_are_the_users_own(asked: Asked) -> None:
    assert await asked.reviews.may(Caller("own"), "get", "acme")
    assert not await asked.reviews.may(Caller("other"), "get", "acme")
    assert not await asked.reviews.may(Caller("nobody"), "get", "acme")


async def test_while_the_api_server_is_away_what_was_allowed_stays_so_for_reads_for_a_minute(asked: Asked) -> None:
    caller = await asked.reviews.caller(OWN)
    for verb in ("get", "delete"):
        assert await asked.reviews.may(caller, verb, "acme")
    assert not await asked.reviews.may(caller, "list", "globex")
    asked.kubernetes.is_away = True
    asked.now += 30
    before = asked.kubernetes.asked.total()
    for _ in range(20):
        assert (await asked.reviews.caller(OWN)).username == "own"
        assert await asked.reviews.may(caller, "get", "acme")
    assert asked.kubernetes.asked.total() - before == 2, "polls do not each wait for an API server that is away"
    for verb, namespace in (("delete", "acme"), ("list", "globex"), ("get", "initech")):
        with pytest.raises(UnavailableProblem) as caught:
            await asked.reviews.may(caller, verb, namespace)
        assert caught.value.headers["Retry-After"]
    asked.now += 31
    with pytest.raises(UnavailableProblem):
        await asked.reviews.caller(OWN)
    asked.kubernetes.is_away = False
    assert (await asked.reviews.caller(OWN)).username == "own"


async def test_a_token_is_in_no_key_and_no_representation(asked: Asked) -> None:
    caller = await asked.reviews.caller(OWN)
    await asked.reviews.may(caller, "get", "acme")
    assert "own-token" not in repr(caller)
    assert "own-token" not in repr(vars(asked.reviews._users)) + repr(vars(asked.reviews._rights))
