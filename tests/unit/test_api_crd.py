"""The CustomResourceDefinition says what the models say."""

from collections.abc import Iterator
from typing import Any

from dealguard_api.crd import custom_resource_definition
from dealguard_api.resource import ContractAnalysisSpec, ContractAnalysisStatus

MUTABLE = {"suspend", "cancel", "runToken", "priority", "ttlSecondsAfterFinished"}


def _schema() -> dict[str, Any]:
    (version,) = custom_resource_definition()["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def _walk(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from _walk(field, f"{path}.{name}")
    if "items" in schema:
        yield from _walk(schema["items"], f"{path}[]")


def test_every_immutable_field_has_a_rule_and_no_other() -> None:
    spec = _schema()["properties"]["spec"]
    guarded = {
        rule["fieldPath"].lstrip(".")
        for rule in spec["x-kubernetes-validations"]
        if "cannot be changed" in rule["message"]
    }
    assert guarded == set(spec["properties"]) - MUTABLE


def test_schema_is_structural() -> None:
    for path, schema in _walk(_schema()):
        assert not {"$ref", "anyOf", "title", "const", "$defs"} & set(schema), path
        assert "type" in schema, path


def test_every_text_and_list_is_bounded() -> None:
    fields = {"spec": _schema()["properties"]["spec"], "status": _schema()["properties"]["status"]}
    for root, tree in fields.items():
        for path, schema in _walk(tree, root):
            if schema["type"] == "string" and "enum" not in schema and schema.get("format") != "date-time":
                assert "maxLength" in schema or "pattern" in schema, path
            if schema["type"] == "array":
                assert "maxItems" in schema, path


def test_every_field_is_described() -> None:
    fields = {"spec": _schema()["properties"]["spec"], "status": _schema()["properties"]["status"]}
    for root, tree in fields.items():
        for path, schema in _walk(tree, root):
            assert schema.get("description") or path.endswith("[]"), path


def test_models_read_what_the_api_server_stores() -> None:
    spec = ContractAnalysisSpec.model_validate({"document": {"key": "documents/a/b.pdf"}, "laterField": 1})
    assert spec.deadline_seconds == 300
    assert spec.backoff_limit == 3
    status = ContractAnalysisStatus.model_validate({"phase": "Processing", "stage": "Analyzing", "later": {}})
    assert status.to_wire() == {
        "phase": "Processing",
        "stage": "Analyzing",
        "conditions": [],
        "runs": [],
        "attempts": [],
    }
