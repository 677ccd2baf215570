"""The operator's environment: what is missing or impossible is said in one sentence, at the start."""

import inspect
import operator
import os
import re
import subprocess
import sys
from pathlib import Path

import kopf
import pytest

from dealguard_api.pod import ClaudeSettings, ExtractSettings
from dealguard_operator.errors import SettingsError
from dealguard_operator.kopf_settings import NoMemories, kopf_settings
from dealguard_operator.main import Operator, build_registry
from dealguard_operator.settings import OperatorSettings
from dealguard_operator.watch_check import STALE_SECONDS
from tests.unit.operator_cases import ENVIRONMENT, NOWHERE, settings

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "operator.md"


def test_the_least_environment_is_enough() -> None:
    chosen = settings()
    assert chosen.namespaces == ()
    assert chosen.s3_region == "us-east-1"
    assert chosen.extract == ExtractSettings()
    assert chosen.extract_resources["limits"] == {"memory": "1Gi"}


def test_what_is_set_is_taken() -> None:
    chosen = settings(
        NAMESPACES="acme, globex",
        EXTRACT_RESOURCES='{"limits": {"memory": "2Gi"}}',
        MAX_PAGES="10",
        S3_ENDPOINT="https://s3.example/",
        RESYNC_SECONDS="5.5",
    )
    assert chosen.namespaces == ("acme", "globex")
    assert chosen.extract_resources == {"limits": {"memory": "2Gi"}}
    assert chosen.extract.max_pages == 10
    assert chosen.s3_endpoint == "https://s3.example"
    assert chosen.resync_seconds == 5.5


def test_a_quantity_may_be_a_number() -> None:
    chosen = settings(ANALYZE_RESOURCES='{"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": 0.5}}')
    assert chosen.analyze_resources == {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0.5"}}


@pytest.mark.parametrize(
    ("why", "environment", "named"),
    [
        ("nothing set", {}, ["DEALGUARD_ANALYZER_IMAGE", "DEALGUARD_S3_ENDPOINT", "DEALGUARD_S3_SECRET_KEY"]),
        ("empty is missing", {**ENVIRONMENT, "DEALGUARD_S3_BUCKET": ""}, ["set DEALGUARD_S3_BUCKET"]),
        ("no URL", {**ENVIRONMENT, "DEALGUARD_S3_ENDPOINT": "storage:9000"}, ["DEALGUARD_S3_ENDPOINT must be http"]),
        ("with a path", {**ENVIRONMENT, "DEALGUARD_S3_ENDPOINT": "http://s/b"}, ["DEALGUARD_S3_ENDPOINT must be http"]),
        ("not JSON", {**ENVIRONMENT, "DEALGUARD_EXTRACT_RESOURCES": "{"}, ["DEALGUARD_EXTRACT_RESOURCES must be JSON"]),
        ("an effort that is none", {**ENVIRONMENT, "DEALGUARD_EFFORT": "huge"}, ["DEALGUARD_EFFORT"]),
        (
            "prices that are not JSON",
            {**ENVIRONMENT, "DEALGUARD_PRICES": "cheap"},
            ["DEALGUARD_PRICES must be JSON, as docs/claude.md shows"],
        ),
        (
            "a window that holds nothing but the instructions",
            {**ENVIRONMENT, "DEALGUARD_MAX_INPUT_TOKENS": "500"},
            ["DEALGUARD_MAX_INPUT_TOKENS"],
        ),
        ("a limit that is none", {**ENVIRONMENT, "DEALGUARD_MAX_PAGES": "0"}, ["DEALGUARD_MAX_PAGES"]),
        (
            "a quantity that is none",
            {**ENVIRONMENT, "DEALGUARD_EXTRACT_RESOURCES": '{"limits": {"cpu": [1]}}'},
            ["DEALGUARD_EXTRACT_RESOURCES"],
        ),
        ("no selector", {**ENVIRONMENT, "DEALGUARD_ANALYSIS_SELECTOR": "shard in a"}, ["must be a label selector"]),
        (
            "an election without a place",
            {**ENVIRONMENT, "DEALGUARD_LEADER_ELECTION": "true"},
            ["DEALGUARD_LEASE_NAMESPACE must name the operator's own namespace"],
        ),
        ("DEBUG would log bodies", {**ENVIRONMENT, "DEALGUARD_LOG_LEVEL": "DEBUG"}, ["DEALGUARD_LOG_LEVEL", "INFO"]),
    ],
)
def test_a_wrong_environment_is_one_sentence(why: str, environment: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        OperatorSettings.from_environment(environment)
    message = str(caught.value)
    assert message.count("\n") == 0, why
    assert message.startswith("The operator cannot start: ")
    for words in named:
        assert words in message


def test_no_credential_shows_in_messages_or_texts() -> None:
    assert "the-secret-key" not in repr(settings())
    with pytest.raises(SettingsError) as caught:
        OperatorSettings.from_environment({"DEALGUARD_S3_SECRET_KEY": "the-secret-key"})
    assert "the-secret-key" not in str(caught.value)


def test_the_program_says_it_and_ends_with_2() -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DEALGUARD_")}
    done = subprocess.run(
        [sys.executable, "-m", "dealguard_operator"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("The operator cannot start: set DEALGUARD_ANALYZER_IMAGE")
    assert "Traceback" not in done.stderr


def test_without_a_cluster_the_program_says_so_and_ends_with_2(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "dealguard_operator"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "it finds no cluster" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`DEALGUARD_([A-Z0-9_]+)`", REFERENCE.read_text()))
    fields = set(OperatorSettings.model_fields) - {"claude", "extract"}
    fields |= set(ClaudeSettings.model_fields) | set(ExtractSettings.model_fields) - {"expected_sha256"}
    assert documented == {field.upper() for field in fields}


@pytest.mark.parametrize(
    ("selector", "is_one"),
    [
        ("shard=a", True),
        ("example.com/shard == a,tier!=gold", True),
        ("shard in (a, b), !legacy", True),
        ("shard notin (a)", True),
        ("shard", True),
        ("shard=", True),
        ("shard=a;b", False),
        ("shard in a", False),
        ("shard=a,", False),
        ("shard=-a", False),
        ("a/b/c=d", False),
    ],
)
def test_a_label_selector_is_one_as_the_api_server_reads_it(selector: str, is_one: bool) -> None:
    if is_one:
        assert settings(ANALYSIS_SELECTOR=selector).analysis_selector == selector
        selectors = kopf_settings(settings(ANALYSIS_SELECTOR=selector)).watching.label_selectors
        assert selector in selectors.values()
    else:
        with pytest.raises(SettingsError, match="label selector"):
            settings(ANALYSIS_SELECTOR=selector)


def test_kopf_sees_only_the_analyses_that_are_selected_and_writes_nothing() -> None:
    kopfs = kopf_settings(settings())
    assert not dict(kopfs.watching.label_selectors), "Jobs and pods are not its to watch: child_watch.py"
    sharded = kopf_settings(settings(ANALYSIS_SELECTOR="team=a")).watching.label_selectors
    assert list(dict(sharded).values()) == ["team=a"]
    assert kopfs.posting.loggers is False
    assert kopfs.scanning.disabled is False
    assert kopf_settings(settings(NAMESPACES="acme")).scanning.disabled is True, "Roles alone cannot watch definitions"


def test_each_setting_of_kopf_has_its_reason_and_changes_something() -> None:
    source = inspect.getsource(kopf_settings)
    blocks = [block for block in source.split("\n\n") if re.search(r"^ +kopfs\.\w+\.", block, re.M)]
    for block in blocks:
        assert block.lstrip().startswith("#"), block
    ours, defaults = kopf_settings(settings(NAMESPACES="acme")), kopf.OperatorSettings()
    changed = set(re.findall(r"^    kopfs\.([\w.]+) = ", source, re.M))
    # These are the defaults of this version, and more than a default here.
    for name in changed - {"watching.inactivity_timeout", "posting.loggers"}:
        assert operator.attrgetter(name)(ours) != operator.attrgetter(name)(defaults), name
    # What the installation is promised, in the words of docs/decisions/0002.
    assert changed >= {
        *("persistence.progress_storage", "persistence.diffbase_storage", "persistence.finalizer"),
        *("watching.server_timeout", "watching.client_timeout", "watching.inactivity_timeout"),
        "watching.chunk_size",
        *("networking.request_timeout", "networking.error_backoffs", "execution.default_backoff"),
        *("queueing.worker_limit", "queueing.error_delays"),
        *("posting.enabled", "posting.loggers", "scanning.disabled"),
    }
    assert max(ours.queueing.error_delays) <= OperatorSettings.model_fields["resync_seconds"].default
    assert max(ours.queueing.error_delays) < STALE_SECONDS, "else its watch passes for dead meanwhile"
    storage = ours.persistence.progress_storage
    assert isinstance(storage, kopf.AnnotationsProgressStorage)
    assert storage.prefix == "dealguard.io"

    source, registry = inspect.getsource(build_registry), build_registry(Operator(settings(), NOWHERE))
    handlers = {str(handler.id).rpartition(".")[2]: handler for handler in registry._activities.get_all_handlers()}
    assert handlers.keys() == {"login", "start", "stop"}
    for name, handler in handlers.items():
        assert None not in (handler.errors, handler.retries, handler.backoff), f"{name} is tried for ever"
        assert re.search(rf"^    # .*\n    @kopf.on.*\n    async def {name}\(", source, re.M), f"{name} has no reason"


async def test_kopf_remembers_no_object() -> None:
    memories = NoMemories()
    body = kopf.RawBody(metadata={"uid": "u"})
    first = await memories.recall(body, noticed_by_listing=True, memobase=kopf.Memo(kept=1))
    assert (first.noticed_by_listing, first.memo) == (True, {"kept": 1})
    assert await memories.recall(body) is not first
    assert list(memories.iter_all_memories()) == []
    await memories.forget(body)
