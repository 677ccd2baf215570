"""A stand-in for Claude's Messages API: real HTTP, server-sent events, and the failures the real one documents.

It answers from the contract that it is sent: real sentences of it, and one invented quote that a citation check must
mark. What happens is chosen by the API key: `standin:<scenario>[,<scenario>…]`, one scenario a request and the last
one for all that follow; a plain key means `ok`.

    python -m tests.standins.claude_server --host 127.0.0.1 --port 8089
"""

import argparse
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.standins.obedient_answers import OBEDIENT

MODELS = {"claude-sonnet-5-5": 1_000_000, "claude-haiku-5-5": 1_000_000, "claude-opus-5-5": 1_000_000}
CHARACTERS_PER_TOKEN = 4
# A shorter prefix is not cached, and nothing says so.
LEAST_CACHED_TOKENS = 1_024
INVENTED_QUOTE = "The Contractor shall deliver one unicorn to the Customer on every first Monday of the month."
RETRY_AFTER_SECONDS = "0.05"

# scenario → (status, error type, message, error code, further headers)
_ERRORS: dict[str, tuple[int, str, str, str | None, dict[str, str]]] = {
    "unauthorized": (401, "authentication_error", "invalid x-api-key", None, {}),
    "forbidden": (403, "permission_error", "Your API key does not have permission to use this resource.", None, {}),
    "rate_limited": (429, "rate_limit_error", "Rate limited.", None, {"retry-after": RETRY_AFTER_SECONDS}),
    "rate_limited_long": (429, "rate_limit_error", "Rate limited.", None, {"retry-after": "86400"}),
    "rate_limited_30": (429, "rate_limit_error", "Rate limited.", None, {"retry-after": "30"}),
    "rate_limited_bare": (429, "rate_limit_error", "Rate limited.", None, {}),
    "spend_limit": (429, "rate_limit_error", "Spend limit reached.", "enforced_spend_limit_reached", {}),
    "contract_spend_limit": (400, "invalid_request_error", "Limit reached.", "contract_spend_limit_reached", {}),
    "no_credit": (400, "invalid_request_error", "Your credit balance is too low to access the API.", None, {}),
    "billing": (402, "billing_error", "Payment required.", None, {}),
    "bad_request": (400, "invalid_request_error", "output_config: unsupported schema", None, {}),
    "too_long": (400, "invalid_request_error", "prompt is too long: 1200000 tokens > 1000000 maximum", None, {}),
    "too_large": (413, "request_too_large", "Request exceeds the maximum size", None, {}),
    "server_error": (500, "api_error", "Internal server error", None, {}),
    "overloaded": (529, "overloaded_error", "Overloaded", None, {"retry-after": RETRY_AFTER_SECONDS}),
}

# What the stand-in "recognises", so that its answer depends on the contract it is sent.
_CLAUSE_WORDS = {
    "Governing Law": ("governed by", "laws of", "recht der bundesrepublik", "deutsches recht", "es gilt das recht"),
    "Anti-Assignment": ("may not assign", "shall not assign", "may assign", "abtretung", "übertragen"),
    "Cap On Liability": ("liability", "liable", "haftung", "haftet"),
    "Renewal Term": ("renew", "verlängert sich"),
    "Termination For Convenience": ("terminate", "kündig", "gekündigt"),
    "License Grant": ("hereby grants", "nutzungsrecht", "räumt"),
    "Insurance": ("insurance", "versicherung"),
}
_RISKY = ("Cap On Liability", "Renewal Term", "Anti-Assignment")
_INSTRUCTION = re.compile(r"ignore (?:all )?(?:previous|prior)|ignoriere|system prompt", re.IGNORECASE)


@dataclass
class Recorded:
    """One request, as it came, and the usage that its answer began with."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    usage: dict[str, int] = field(default_factory=dict)


@dataclass
class _State:
    requests: list[Recorded] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cached: set[str] = field(default_factory=set)
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    slow_seconds: float = 3.0


class ClaudeStandin:
    """The server.

    Attributes:
        requests: what came to `/v1/messages` and `/v1/messages/count_tokens`, in order.

    Args:
        host: address to listen on.
        port: port to listen on; 0 for any free one.
        slow_seconds: how long the scenario `slow` takes.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, slow_seconds: float = 3.0) -> None:
        self._state = _State(slow_seconds=slow_seconds)
        self.requests = self._state.requests
        handler = type("Handler", (_Handler,), {"state": self._state})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL for the SDK."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def calls(self, path: str = "/v1/messages") -> int:
        """How many requests came to `path`."""
        return sum(request.path == path for request in self.requests)

    def serve_forever(self) -> None:
        """Serves in this thread, until interrupted."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._state.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _RefusedError(Exception):
    """The request is not one that the API accepts."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: _State

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """No access log."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        path = self.path.split("?")[0]
        self._recorded = Recorded(path, {k.lower(): v for k, v in self.headers.items()}, body)
        with self.state.lock:
            self.state.requests.append(self._recorded)
        try:
            _check_request(self.headers, body, path)
        except _RefusedError as refused:
            self._send_error(refused.status, refused.kind, refused.message, None, {})
            return
        if path == "/v1/messages/count_tokens":
            scenario = self._scenario_of_key()[0]
            if scenario in ("unauthorized", "forbidden"):
                self._send_error(*_ERRORS[scenario])
            else:
                self._send_json(200, {"input_tokens": _tokens(_prompt(body))}, {})
            return
        self._answer(self._next_scenario(), body)

    def _scenario_of_key(self) -> list[str]:
        key = _api_key(self.headers)
        return key.removeprefix("standin:").split(",") if key.startswith("standin:") else ["ok"]

    def _next_scenario(self) -> str:
        scenarios = self._scenario_of_key()
        with self.state.lock:
            index = self.state.counts[_api_key(self.headers)]
            self.state.counts[_api_key(self.headers)] += 1
        return scenarios[min(index, len(scenarios) - 1)]

    def _answer(self, scenario: str, body: dict[str, Any]) -> None:
        if scenario in _ERRORS:
            self._send_error(*_ERRORS[scenario])
        elif scenario == "bad_gateway":
            self._send_raw(502, b"<html>bad gateway</html>", "text/html")
        elif scenario == "silent":
            self.state.closing.wait(600)
        else:
            self._stream(scenario, body)

    def _stream(self, scenario: str, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("request-id", "req_standin")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for event in _events(scenario, body, self.state):
                if event is None:  # the connection breaks here
                    self.close_connection = True
                    return
                if event["type"] == "message_start":
                    self._recorded.usage.update(event["message"]["usage"])
                self._chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _send_error(self, status: int, kind: str, message: str, code: str | None, headers: dict[str, str]) -> None:
        error: dict[str, Any] = {"type": kind, "message": message}
        if code:
            error["details"] = {"error_code": code}
        self._send_json(status, {"type": "error", "error": error, "request_id": "req_standin"}, headers)

    def _send_json(self, status: int, value: object, headers: dict[str, str]) -> None:
        self._send_raw(status, json.dumps(value).encode(), "application/json", headers)

    def _send_raw(self, status: int, data: bytes, content_type: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(data)))
        self.send_header("request-id", "req_standin")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _api_key(headers: Any) -> str:
    """The key: a bearer token, as SDK 2 sends it, or the header `x-api-key`; '' if there is none."""
    bearer = str(headers.get("authorization", "")).removeprefix("Bearer ")
    return str(headers.get("x-api-key") or bearer)


def _check_request(headers: Any, body: dict[str, Any], path: str) -> None:
    """What the API checks before it works."""
    if not _api_key(headers):
        raise _RefusedError(401, "authentication_error", "authentication is required")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", headers.get("anthropic-version", "")):
        raise _RefusedError(400, "invalid_request_error", "anthropic-version: header is required")
    if path not in ("/v1/messages", "/v1/messages/count_tokens"):
        raise _RefusedError(404, "not_found_error", "Not found")
    if body.get("model") not in MODELS:
        raise _RefusedError(404, "not_found_error", f"model: {body.get('model')}")
    if not body.get("messages") or "temperature" in body:
        raise _RefusedError(
            400, "invalid_request_error", "messages: required; temperature: not supported by this model"
        )
    _check_schema(body.get("output_config", {}).get("format", {}))
    if path == "/v1/messages":
        if not (isinstance(body.get("max_tokens"), int) and body["max_tokens"] > 0 and body.get("stream") is True):
            raise _RefusedError(400, "invalid_request_error", "max_tokens: required; stream: must be true")
        if (tokens := _tokens(_prompt(body))) + body["max_tokens"] > MODELS[body["model"]]:
            raise _RefusedError(
                400, "invalid_request_error", f"prompt is too long: {tokens} tokens > {MODELS[body['model']]}"
            )


def _check_schema(output_format: dict[str, Any]) -> None:
    """Structured output accepts closed objects with every property required, and no bounds."""
    if output_format.get("type") != "json_schema":
        raise _RefusedError(400, "invalid_request_error", "output_config.format.type: must be json_schema")
    for node in _nodes(output_format.get("schema", {})):
        if node.get("type") == "object" and node.get("additionalProperties") is not False:
            raise _RefusedError(400, "invalid_request_error", "schema: additionalProperties must be false")
        if {"minimum", "maximum", "minLength", "maxLength"} & node.keys():
            raise _RefusedError(400, "invalid_request_error", "schema: bounds are not supported")


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from _nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _nodes(value)


def _prompt(body: dict[str, Any]) -> str:
    """All text of the request."""
    return _system(body) + _user(body)


def _system(body: dict[str, Any]) -> str:
    system = body.get("system", "")
    return system if isinstance(system, str) else "".join(block["text"] for block in system)


def _user(body: dict[str, Any]) -> str:
    parts = []
    for message in body["messages"]:
        content = message["content"]
        parts.append(content if isinstance(content, str) else "\n".join(block["text"] for block in content))
    return "\n".join(parts)


def _tokens(text: str) -> int:
    return len(text) // CHARACTERS_PER_TOKEN


def _usage(body: dict[str, Any], state: _State) -> dict[str, int]:
    """Input tokens, with the cache of the system prompt working as documented."""
    system = body.get("system")
    cacheable = isinstance(system, list) and any("cache_control" in block for block in system)
    fixed = _tokens(_system(body)) if cacheable else 0
    if fixed < LEAST_CACHED_TOKENS:
        fixed = 0
    with state.lock:
        hit = _system(body) in state.cached
        if fixed:
            state.cached.add(_system(body))
    return {
        "input_tokens": _tokens(_prompt(body)) - fixed,
        "cache_creation_input_tokens": 0 if hit else fixed,
        "cache_read_input_tokens": fixed if hit else 0,
        "output_tokens": 1,
    }


def _events(scenario: str, body: dict[str, Any], state: _State) -> Iterator[dict[str, Any] | None]:
    """The events of one answer; None where the connection breaks."""
    usage = _usage(body, state)
    yield {
        "type": "message_start",
        "message": {
            "id": "msg_standin",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        },
    }
    yield {"type": "ping"}
    if scenario == "refusal":
        yield _delta("refusal", 3)
        yield {"type": "message_stop"}
        return
    text = _answer_text(scenario, body)
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    pieces = [text[start : start + 200] for start in range(0, len(text), 200)]
    for number, piece in enumerate(pieces):
        if number >= len(pieces) // 2 and scenario in ("cut", "cut_clean", "overloaded_mid"):
            break
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        if scenario == "slow":
            state.closing.wait(state.slow_seconds / len(pieces))
    if scenario == "cut":
        yield None
        return
    if scenario == "overloaded_mid":
        yield {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        return
    if scenario == "cut_clean":
        return
    while scenario == "drip" and not state.closing.wait(0.05):
        yield {"type": "ping"}
    stop = {"max_tokens": "max_tokens", "context_exceeded": "model_context_window_exceeded"}.get(scenario, "end_turn")
    yield {"type": "content_block_stop", "index": 0}
    yield _delta(stop, max(1, len(text) // CHARACTERS_PER_TOKEN))
    yield {"type": "message_stop"}


def _delta(stop_reason: str, output_tokens: int) -> dict[str, Any]:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason, "stop_sequence": None},
        "usage": {"output_tokens": output_tokens},
    }


def _answer_text(scenario: str, body: dict[str, Any]) -> str:
    if scenario == "empty":
        return ""
    if scenario == "invalid_json":
        return "I am sorry, here is the report: {"
    answer = _read_contract(_user(body))
    if scenario == "wrong_schema":
        return json.dumps({**answer, "risks": "none"})
    schema = body["output_config"]["format"]["schema"]
    missing = set(schema.get("required", [])) ^ answer.keys()
    if missing:
        raise AssertionError(f"the stand-in does not know the schema's fields: {sorted(missing)}")
    if scenario in OBEDIENT:
        answer = OBEDIENT[scenario](answer, _prompt(body))
    return json.dumps(answer, ensure_ascii=False)


def _read_contract(prompt: str) -> dict[str, Any]:
    """An answer in the schema of the `claude` engine, made of the contract's own sentences."""
    match = re.search(r"<(contract-[0-9a-f]{64})>\n(.*)\n</\1>", prompt, re.DOTALL)
    if match is None:
        raise AssertionError("no contract between its markers")
    german = "in German" in prompt[match.end() :]
    sentences = list(_page_sentences(match[2]))
    clauses = [
        {"category": category, "summary": sentence[:80], "passage": {"quote": sentence, "page": page}}
        for page, sentence in sentences
        for category, words in _CLAUSE_WORDS.items()
        if any(word in sentence.lower() for word in words)
    ]
    first_page, first = sentences[0] if sentences else (1, "")
    risks = [_risk(clause, german) for clause in clauses if clause["category"] in _RISKY][:5]
    risks.append(_risk({"category": "Exclusivity", "passage": {"quote": INVENTED_QUOTE, "page": 1}}, german))
    law = next((clause for clause in clauses if clause["category"] == "Governing Law"), None)
    return {
        "is_contract": bool(clauses),
        "parties": [],
        "texts": [{"kind": "contractType", "value": first[:80], "passage": {"quote": first, "page": first_page}}]
        + (
            [{"kind": "governingLaw", "value": "Germany" if german else "Delaware", "passage": law["passage"]}]
            if law
            else []
        ),
        "dates": [],
        "periods": [],
        "prices": [],
        "venues": [],
        "clauses": clauses[:60],
        "risks": risks,
        "not_determined": ["Source Code Escrow"],
        "instructions_in_document": [
            {"quote": sentence, "page": page} for page, sentence in sentences if _INSTRUCTION.search(sentence)
        ],
        "summary": ("Zusammenfassung des Vertrags. " if german else "Summary of the contract. ") + first[:200],
    }


def _page_sentences(contract: str) -> Iterator[tuple[int, str]]:
    for page, text in re.findall(r'<page number="(\d+)">\n(.*?)\n</page>', contract, re.DOTALL):
        for sentence in re.split(r"(?<=[.!?])\s+", text):
            if len(sentence) > 20:
                yield int(page), " ".join(sentence.split())[:600]


def _risk(clause: dict[str, Any], german: bool) -> dict[str, Any]:
    return {
        "category": clause["category"],
        "title": ("Risiko: " if german else "Risk: ") + clause["category"],
        "likelihood": 3,
        "impact": 4,
        "assessment": "risk",
        "explanation": "Erläuterung." if german else "Explanation.",
        "recommendation": "Empfehlung." if german else "Recommendation.",
        "deviation": "",
        "hurts": "",
        "statutes": ["§ 307 BGB"] if german else [],
        "passages": [clause["passage"]],
    }


def main() -> None:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(description="Stand-in for Claude's Messages API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8089)
    parser.add_argument("--slow-seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    server = ClaudeStandin(arguments.host, arguments.port, arguments.slow_seconds)
    print(f"Listening on {server.url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        time.sleep(0)


if __name__ == "__main__":
    main()
