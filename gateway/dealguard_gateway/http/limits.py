"""One user's share of a replica: token buckets, by user, and by address for those who are nobody yet.

Each replica counts for itself, so two of them allow twice as much. What is bounded is one user's part, not the whole:
memory too, since only the most recent users and addresses are remembered.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from dealguard_gateway.access.callers import Caller
from dealguard_gateway.problems import TooManyProblem
from dealguard_gateway.settings import GatewaySettings

Clock = Callable[[], float]

# About 2 MB a table. Who falls out begins anew with a full bucket.
_MAX_KEYS = 10_000
_BURST_SECONDS = 10.0
_BURST_UPLOADS_SECONDS = 60.0
# From one address, of requests by nobody: an office shares an address, and a page asks again when its session ended.
_FAILURES_PER_SECOND = 5.0
_FAILURES_BURST = 100.0
# Of tokens typed into the login, where guessing would be done.
_FAILED_LOGINS_PER_SECOND = 1 / 12
_FAILED_LOGINS_BURST = 10.0
# An IPv6 client has at least that network to itself.
_IPV6_PREFIX = 64


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class TokenBuckets:
    """A bucket for each key: full at first, emptied by use, filled by time.

    Args:
        per_second: how fast a bucket fills.
        burst: how much it holds.
        max_keys: how many buckets are kept; the least recently used goes first.
        clock: seconds, monotonic.
    """

    def __init__(
        self, per_second: float, burst: float, *, max_keys: int = _MAX_KEYS, clock: Clock = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = max(burst, 1.0)
        self._max_keys = max_keys
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """How many buckets are kept."""
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Take one; the seconds to wait until there is one again, 0 if it was there."""
        bucket = self._fill(key)
        if bucket.tokens < 1.0:
            return (1.0 - bucket.tokens) / self._per_second
        bucket.tokens -= 1.0
        return 0.0

    def wait_seconds(self, key: str) -> float:
        """The seconds until there is one, without taking it."""
        if key not in self._buckets:
            return 0.0
        missing = 1.0 - self._fill(key).tokens
        return max(missing, 0.0) / self._per_second

    def _fill(self, key: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now)
            if len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
            bucket.tokens = min(bucket.tokens + (now - bucket.filled_at) * self._per_second, self._burst)
            bucket.filled_at = now
        return bucket


class RateLimits:
    """What one user, and one address, may ask of this replica. The methods raise `TooManyProblem` (429)."""

    def __init__(self, settings: GatewaySettings, *, clock: Clock = time.monotonic) -> None:
        per_second, uploads = settings.requests_per_second, settings.uploads_per_minute / 60
        self._requests = TokenBuckets(per_second, per_second * _BURST_SECONDS, clock=clock)
        self._uploads = TokenBuckets(uploads, uploads * _BURST_UPLOADS_SECONDS, clock=clock)
        self._failures = TokenBuckets(_FAILURES_PER_SECOND, _FAILURES_BURST, clock=clock)
        self._logins = TokenBuckets(_FAILED_LOGINS_PER_SECOND, _FAILED_LOGINS_BURST, clock=clock)
        # Keyed hashes, which Python makes anew in each process: neither to be turned back nor to be met by design.
        self._known: OrderedDict[int, None] = OrderedDict()

    def take_request(self, caller: Caller) -> None:
        """Count a request of the caller."""
        _refuse("too-many-requests", self._requests.take(caller.username), "You send more requests than one user may.")

    def take_upload(self, caller: Caller) -> None:
        """Count an upload of the caller, besides the request that it is."""
        _refuse("too-many-uploads", self._uploads.take(caller.username), "You upload more than one user may.")

    def check_stranger(self, address: str, headers: Mapping[str, str]) -> None:
        """Whether this address may try these credentials: asked before the API server is.

        Those that were accepted lately may always: one who guesses must not lock out all who share their address.
        """
        wait_seconds = self._failures.wait_seconds(network_of(address))
        if wait_seconds and _credentials_in(headers) not in self._known:
            _refuse("too-many-failures", wait_seconds, "Too many requests from your address were refused.")

    def remember(self, headers: Mapping[str, str]) -> None:
        """These credentials were accepted."""
        key = _credentials_in(headers)
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > _MAX_KEYS:
            self._known.popitem(last=False)

    def count_failure(self, address: str) -> None:
        """A request from there was nobody's."""
        self._failures.take(network_of(address))

    def check_login(self, address: str) -> None:
        """Whether this address may try to log in: asked before the API server is."""
        wait_seconds = self._logins.wait_seconds(network_of(address))
        _refuse("too-many-failures", wait_seconds, "Too many logins from your address have failed.")

    def count_failed_login(self, address: str) -> None:
        """A login from there failed."""
        self._logins.take(network_of(address))


def _credentials_in(headers: Mapping[str, str]) -> int:
    return hash((headers.get("authorization"), headers.get("cookie")))


@lru_cache(maxsize=_MAX_KEYS)
def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 network of which a client has every address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip), _IPV6_PREFIX), strict=False))
    return str(ip)


def _refuse(word: str, wait_seconds: float, what: str) -> None:
    if wait_seconds > 0:
        seconds = math.ceil(wait_seconds)
        raise TooManyProblem(word, f"{what} Wait {seconds} s and send it again.", retry_after_seconds=seconds)
