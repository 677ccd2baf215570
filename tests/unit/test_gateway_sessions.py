"""Sessions in cookies, and acting in a user's name."""

import base64
import json
import secrets
from http.cookies import SimpleCookie
from typing import Any

import pytest
from cryptography.fernet import Fernet

from dealguard_gateway.access.impersonation import Identity, caller_as, identity_of
from dealguard_gateway.access.sessions import SessionCredentials, Sessions
from dealguard_gateway.access.tokens import unverified_claims, unverified_expiry
from dealguard_gateway.problems import ForbiddenProblem, InvalidProblem, UnauthenticatedProblem
from dealguard_gateway.routes.session import local_path
from dealguard_gateway.settings import GatewaySettings, SettingsError
from tests.unit.gateway_settings import KEY, settings

NOW = 1_800_000_000.0
HOUR = 3600.0


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """The time."""
        return self.now


def sessions(clock: Clock | None = None, **more: str) -> Sessions:
    """Sessions of a gateway with these settings."""
    return Sessions(settings(**more), clock=clock or Clock())


def session(**more: Any) -> SessionCredentials:
    """A session of ten hours."""
    return SessionCredentials(**{"username": "anna", "token": "the-token", "expires_at": NOW + 10 * HOUR, **more})


def as_sent(cookies: tuple[str, ...], *before: str) -> dict[str, str]:
    """The headers of a browser that was sent these cookies; those that ended are gone."""
    jar: dict[str, str] = {}
    for line in (*before, *cookies):
        name, value = line.split(";")[0].split("=", 1)
        jar.pop(name, None)
        if "Max-Age=0" not in line:
            jar[name] = value
    return {"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}


def test_a_session_comes_back_as_it_was() -> None:
    kept = sessions()
    cookies = kept.login(session(), {})
    assert kept.credentials_from_cookies(as_sent(cookies)) == session()
    assert sessions().credentials_from_cookies(as_sent(cookies)) == session(), "another replica knows it too"


def test_the_cookie_is_for_this_host_and_no_script() -> None:
    (cookie,) = sessions().login(session(), {})
    name, attributes = cookie.split("=", 1)[0], cookie.split("; ")[1:]
    assert name == "__Host-dealguard"
    assert attributes == ["Max-Age=36000", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"]
    (cookie,) = sessions(INSECURE_COOKIES="true").login(session(), {})
    assert cookie.startswith("dealguard=")
    assert "Secure" not in cookie


def test_the_cookie_shows_nothing_of_what_it_holds() -> None:
    (cookie,) = sessions().login(session(refresh_token="the-refresh-token"), {})
    raw = base64.urlsafe_b64decode(cookie.split(";")[0].split(".", 1)[1])
    for word in (b"anna", b"the-token", b"the-refresh-token"):
        assert word not in raw
    assert "the-token" not in repr(session(refresh_token="the-token"))


@pytest.mark.parametrize("size", [10, 2_500, 5_000, 7_500, 10_000])
def test_credentials_of_any_usual_size_fit(size: int) -> None:
    kept, large = sessions(), session(token=secrets.token_urlsafe(size)[:size])
    cookies = kept.login(large, {})
    assert all(len(cookie) <= 4096 for cookie in cookies), "a browser drops what is larger"
    assert kept.credentials_from_cookies(as_sent(cookies)) == large
    parsed: SimpleCookie = SimpleCookie()
    for cookie in cookies:
        parsed.load(cookie)
    assert len(parsed) == len(cookies)


def test_credentials_that_no_proxy_lets_through_are_refused_in_words() -> None:
    with pytest.raises(InvalidProblem, match="fewer groups"):
        sessions().login(session(token="x" * 12_000), {})


def test_a_smaller_session_leaves_nothing_of_a_larger_one() -> None:
    kept = sessions()
    large = kept.login(session(token="x" * 9_000), {})
    headers = as_sent(large)
    small = kept.login(session(), headers)
    assert kept.credentials_from_cookies(as_sent(small, *large)) == session()
    assert as_sent(small, *large) == as_sent(kept.login(session(), {})) or len(as_sent(small, *large)["cookie"]) < 1000
    ended = kept.logout(headers)
    assert as_sent(ended, *large)["cookie"] == ""


OTHER_KEY = Fernet.generate_key().decode()


def _cookie(**more: str) -> str:
    return as_sent(sessions(**more).login(session(), {}))["cookie"]


def _altered(cookie: str, position: int) -> str:
    other = "A" if cookie[position] != "A" else "B"
    return cookie[:position] + other + cookie[position + 1 :]


def _sealed(content: object) -> str:
    return "__Host-dealguard=1." + Fernet(KEY).encrypt(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    ("cookie", "why"),
    [
        ("", "none"),
        ("theme=dark", "somebody else's"),
        (_cookie(SESSION_KEYS=OTHER_KEY), "sealed by another installation, or with a key that is no longer used"),
        (_altered(_cookie(), -10), "altered at its end"),
        (_altered(_cookie(), 60), "altered in the middle"),
        (_cookie()[:-20], "cut"),
        (_cookie().replace("=1.", "=2."), "a part is missing"),
        (_cookie().replace("=1.", "=99."), "more parts than there can be"),
        (_cookie().replace("=1.", "=0."), "no part"),
        (_cookie().replace("=1.", "=x."), "no number"),
        (_cookie().replace("=1.", "=²."), "no number either"),
        (_cookie().replace("=1.", "=" + "9" * 5000 + "."), "a number without an end"),
        ("__Host-dealguard=1.ünïcode", "no base64"),
        ("__Host-dealguard", "no value"),
        (_sealed({"purpose": "session"}), "incomplete: of an older version"),
        (_sealed({"purpose": "session", "username": "a", "expires_at": NOW, "x": 1}), "of a newer version"),
        (_sealed(["session"]), "another shape"),
        (_sealed({"purpose": "login", "username": "anna", "token": "t", "expires_at": NOW + 9}), "another purpose"),
        (_cookie(INSECURE_COOKIES="true"), "another name"),
    ],
)
def test_what_none_of_our_keys_has_sealed_is_no_session(cookie: str, why: str) -> None:
    assert sessions().credentials_from_cookies({"cookie": cookie}) is None, why


def test_a_login_under_way_is_no_session_and_a_session_is_no_login() -> None:
    kept = sessions()
    begun = kept.begin_login("state", "nonce", "verifier", "/")
    value = begun.split(";")[0].split("=", 1)[1]
    assert kept.credentials_from_cookies({"cookie": f"__Host-dealguard=1.{value}"}) is None
    sealed = _cookie().split("1.", 1)[1]
    assert kept.login_state({"cookie": f"__Host-dealguard-login={sealed}"}) is None


def test_a_login_under_way_is_remembered_for_ten_minutes() -> None:
    clock = Clock()
    kept = sessions(clock)
    headers = as_sent((kept.begin_login("state", "nonce", "verifier", "/#/contracts"),))
    login = kept.login_state(headers)
    assert login is not None
    assert (login.state, login.nonce, login.verifier, login.next) == ("state", "nonce", "verifier", "/#/contracts")
    clock.now += 601
    assert kept.login_state(headers) is None


def test_keys_can_be_changed_without_ending_sessions() -> None:
    cookie = {"cookie": _cookie()}
    both = sessions(SESSION_KEYS=f"{OTHER_KEY},{KEY}")
    assert both.credentials_from_cookies(cookie) == session()
    new = as_sent(both.login(session(), {}))
    assert sessions(SESSION_KEYS=OTHER_KEY).credentials_from_cookies(new) == session(), "the first key seals"
    assert sessions(SESSION_KEYS=OTHER_KEY).credentials_from_cookies(cookie) is None, "the old one is gone"


@pytest.mark.parametrize(
    ("times", "later", "why"),
    [
        ({}, 10 * HOUR, "its lifetime is over"),
        ({"token_expires_at": NOW + HOUR}, HOUR, "its token is over"),
        ({"token_expires_at": NOW + 20 * HOUR}, 10 * HOUR, "a longer token does not make it longer"),
    ],
)
def test_a_session_ends(times: dict[str, float], later: float, why: str) -> None:
    clock = Clock()
    kept = sessions(clock)
    headers = as_sent(kept.login(session(**times), {}))
    clock.now += later - 1
    assert kept.credentials_from_cookies(headers) == session(**times)
    clock.now += 1
    with pytest.raises(UnauthenticatedProblem) as ended:
        kept.credentials_from_cookies(headers)
    assert (ended.value.word, ended.value.status) == ("session-expired", 401), why


def test_without_keys_there_are_no_sessions() -> None:
    without = Sessions(settings(SESSION_KEYS=""), clock=Clock())
    assert without.credentials_from_cookies({"cookie": _cookie()}) is None


@pytest.mark.parametrize(
    ("environment", "words", "why"),
    [
        ({"TOKEN_LOGIN": "true", "SESSION_KEYS": ""}, "DEALGUARD_SESSION_KEYS", "nothing to seal with"),
        ({"SESSION_KEYS": "short"}, "openssl rand", "no key"),
        ({"TRUSTED_PROXIES": "ingress"}, "DEALGUARD_TRUSTED_PROXIES", "no address"),
        ({"ALLOWED_ORIGINS": "*"}, "DEALGUARD_ALLOWED_ORIGINS", "everybody"),
        ({"ALLOWED_ORIGINS": "https://a.example/"}, "DEALGUARD_ALLOWED_ORIGINS", "no browser sends the slash"),
        ({"OIDC_ISSUER": "https://id.example"}, "DEALGUARD_OIDC_CLIENT_ID", "as whom?"),
        ({"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "d"}, "DEALGUARD_PUBLIC_URL", "back to where?"),
        (
            {"OIDC_ISSUER": "http://id.example", "OIDC_CLIENT_ID": "d", "PUBLIC_URL": "https://c.example"},
            "must be https",
            "anybody on the way could be anybody",
        ),
        ({"OIDC_AUTHORITY_FILE": "/nowhere.crt"}, "DEALGUARD_OIDC_AUTHORITY_FILE", "nothing to check with"),
    ],
)
def test_settings_that_would_open_a_door_are_refused_at_start(
    environment: dict[str, str], words: str, why: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(**environment)
    assert words in str(refused.value), why
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "expected", "why"),
    [
        ("/", "/", "the page"),
        ("/#/contracts/acme.x", "/#/contracts/acme.x", "a place in it"),
        ("/?a=1&b=2", "/?a=1&b=2", "with a query"),
        ("https://evil.example/", "/", "another site"),
        ("//evil.example/", "/", "another site, by the same scheme"),
        ("/\\evil.example", "/", "browsers read it as //"),
        ("\\\\evil.example", "/", "likewise"),
        ("/\t/evil.example", "/", "browsers skip the tab"),
        ("/\r\nSet-Cookie: a=b", "/", "another header"),
        ("javascript:alert(1)", "/", "a script"),
        ("", "/", "nothing"),
        ("/" + "a" * 3000, "/", "too long for a header"),
    ],
)
def test_a_login_comes_back_to_this_page_only(path: str, expected: str, why: str) -> None:
    assert local_path(path) == expected, why


IMPERSONATING = {
    "OIDC_ISSUER": "https://id.example",
    "OIDC_CLIENT_ID": "dealguard",
    "OIDC_MODE": "impersonate",
    "PUBLIC_URL": "https://c.example",
}


def impersonating(**more: str) -> GatewaySettings:
    """Settings of the mode `impersonate`."""
    chosen = settings(**IMPERSONATING)
    return chosen.model_copy(update={name.lower(): value for name, value in more.items()})


@pytest.mark.parametrize(
    ("claims", "prefixes", "username", "groups", "why"),
    [
        ({"email": "a@b.example", "groups": ["legal"]}, {}, "oidc:a@b.example", ("oidc:legal",), "prefixed"),
        ({"email": "a@b.example"}, {}, "oidc:a@b.example", (), "no groups"),
        ({"email": "a@b.example", "groups": "legal"}, {}, "oidc:a@b.example", ("oidc:legal",), "one group as a string"),
        ({"email": "a@b.example", "groups": ["", 7, None, ["x"]]}, {}, "oidc:a@b.example", (), "no groups either"),
        (
            {"email": "a@b.example", "groups": ["system:masters", "SYSTEM:nodes", "legal"]},
            {"OIDC_GROUPS_PREFIX": ""}, "oidc:a@b.example", ("legal",), "the cluster's own are not an issuer's to give",
        ),
        (
            {"email": "a@b.example", "groups": ["masters"]},
            {"OIDC_GROUPS_PREFIX": "system:"}, "oidc:a@b.example", (), "nor by the prefix",
        ),
        (
            {"email": "a@b.example", "groups": ["a\r\nImpersonate-User: admin", " system:masters"]},
            {"OIDC_GROUPS_PREFIX": ""}, "oidc:a@b.example", (), "no second header, no blanks before a reserved name",
        ),
        ({"email": "ä@b.example", "email_verified": True}, {}, "oidc:ä@b.example", (), "letters of other languages"),
    ],
)  # fmt: skip
def test_whom_a_token_names(
    claims: dict[str, Any], prefixes: dict[str, str], username: str, groups: tuple[str, ...], why: str
) -> None:
    assert identity_of(claims, impersonating(**prefixes)) == Identity(username, groups), why


@pytest.mark.parametrize(
    ("claims", "prefix", "why"),
    [
        ({}, "oidc:", "nobody"),
        ({"email": ""}, "oidc:", "nobody"),
        ({"email": 7}, "oidc:", "no name"),
        ({"email": "a@b.example", "email_verified": False}, "oidc:", "anybody can type an address"),
        ({"email": "a@b.example", "email_verified": "false"}, "oidc:", "as a string"),
        ({"email": "system:admin"}, "", "the cluster's administrator"),
        ({"email": "System:Admin"}, "", "in other letters"),
        ({"email": "admin"}, "system:", "by the prefix"),
        ({"email": "serviceaccount:kube-system:x"}, "system:", "a service account"),
        ({"email": "a\r\nImpersonate-Group: system:masters"}, "oidc:", "another header"),
        ({"email": "a\0"}, "oidc:", "no printable name"),
        ({"email": " system:admin"}, "", "a blank that would not arrive"),
    ],
)
def test_whom_a_token_may_not_name(claims: dict[str, Any], prefix: str, why: str) -> None:
    with pytest.raises(ForbiddenProblem) as refused:
        identity_of(claims, impersonating(OIDC_USERNAME_PREFIX=prefix))
    assert refused.value.word == "identity-unusable", why


def test_a_session_without_a_token_acts_in_its_users_name() -> None:
    kept = sessions()
    stored = session(username="oidc:anna", token=None, groups=("oidc:a", "oidc:b"))
    found = kept.credentials_from_cookies(as_sent(kept.login(stored, {})))
    assert found is not None
    caller = found.caller
    assert caller is not None
    assert caller.username == "oidc:anna"
    assert caller.by_cookie
    assert caller.groups == ("oidc:a", "oidc:b", "system:authenticated"), "as the API server sees them"
    sent = sorted(caller.credentials.items())
    assert sent == [
        ("Impersonate-Group", "oidc:a"), ("Impersonate-Group", "oidc:b"), ("Impersonate-User", "oidc:anna")
    ]  # fmt: skip
    assert "Impersonate" not in repr(caller)


def test_nobody_acts_as_the_clusters_own_even_from_a_session() -> None:
    with pytest.raises(ForbiddenProblem):
        caller_as(Identity("system:admin"), by_cookie=True)
    assert caller_as(Identity("a", ("system:masters",)), by_cookie=True).groups == ("system:authenticated",)


def _token(claims: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"


@pytest.mark.parametrize(
    ("token", "expiry", "why"),
    [
        (_token({"exp": 1800000000}), 1800000000.0, "a time"),
        (_token({}), None, "none"),
        (_token({"exp": "1800000000"}), None, "no number"),
        (_token({"exp": True}), None, "no number"),
        (_token({"exp": 1e300}), None, "no year"),
        (_token({"exp": -1}), None, "before there was time"),
        (_token([1]), None, "no claims"),
        ("opaque", None, "no JSON Web Token"),
        ("a.b.c", None, "no JSON"),
        ("a.ü.c", None, "no base64"),
        (f"e30.{base64.urlsafe_b64encode(b'[' * 3000).decode()}.x", None, "too deep"),
    ],
)
def test_when_a_token_says_that_it_ends(token: str, expiry: float | None, why: str) -> None:
    assert unverified_expiry(token) == expiry, why
    assert isinstance(unverified_claims(token), dict)


@pytest.mark.parametrize("count", ["04000000", "0", "5", "04", "4 ", "\u0664", "\u00b2", "-1", "+1", ""])
def test_a_number_of_chunks_is_taken_only_as_it_is_written(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = sessions()
    looked_for: list[int] = []

    def count_names(number: int) -> str:
        looked_for.append(number)
        return f"{kept.cookie}-{number}"

    monkeypatch.setattr(kept, "_chunk_name", count_names)
    (sealed,) = sessions().login(session(), {})
    cookie = sealed.split(";")[0].split("=", 1)[1].partition(".")[2]
    assert kept.any_session({"cookie": f"{kept.cookie}={count}.{cookie}"}) is None
    assert not looked_for, "anybody could send a number that keeps the gateway busy"
