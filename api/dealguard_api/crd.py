"""Renders the CustomResourceDefinition from the models in `resource.py`.

A structural schema has no references, unions or titles, so pydantic's JSON Schema is folded into one tree here.
"""

from typing import Any

from dealguard_api import names
from dealguard_api.resource import ContractAnalysisSpec, ContractAnalysisStatus

Schema = dict[str, Any]

_IMMUTABLE_MARK = "x-dealguard-immutable"
_DROPPED_KEYWORDS = {"title", "$defs", _IMMUTABLE_MARK, "additionalProperties"}

_PRINTER_COLUMNS: list[Schema] = [
    {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
    {"name": "Stage", "type": "string", "jsonPath": ".status.stage"},
    {"name": "Risk", "type": "string", "jsonPath": ".status.result.riskLevel"},
    {"name": "Findings", "type": "integer", "jsonPath": ".status.result.findings.total"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    {"name": "Reason", "type": "string", "priority": 1, "jsonPath": ".status.failure.reason"},
    {"name": "Engine", "type": "string", "priority": 1, "jsonPath": ".status.result.engine"},
    {"name": "Cost", "type": "string", "priority": 1, "jsonPath": ".status.usage.costUSD"},
    {"name": "Attempts", "type": "integer", "priority": 1, "jsonPath": ".status.attemptCount"},
    {"name": "Seconds", "type": "integer", "priority": 1, "jsonPath": ".status.durationSeconds"},
]

# What a list can be restricted to: the operator's first one to what has not ended, a person's to what is risky.
_SELECTABLE_FIELDS: list[Schema] = [{"jsonPath": ".status.phase"}, {"jsonPath": ".status.result.riskLevel"}]

_SPEC_RULES: list[Schema] = [
    {
        "rule": (
            "!(has(oldSelf.cancel) && oldSelf.cancel) || (has(self.cancel) && self.cancel) || "
            "(has(self.runToken) && (!has(oldSelf.runToken) || self.runToken != oldSelf.runToken))"
        ),
        "fieldPath": ".cancel",
        "reason": "FieldValueForbidden",
        "message": "a cancelled analysis runs again only on request: set cancel to false and runToken to a new value",
    },
]

# The namespace is not visible to a rule of a CRD: the admission policy and the operator check that part.
_DOCUMENT_RULES: list[Schema] = [
    {
        "rule": "has(self.key)",
        "fieldPath": ".key",
        "reason": "FieldValueRequired",
        "message": "say where the contract is: set key to documents/<namespace>/<name>.pdf",
    },
    {
        "rule": "!has(self.key) || !self.key.split('/').exists(part, part in ['', '.', '..'])",
        "fieldPath": ".key",
        "reason": "FieldValueInvalid",
        "message": "key must not have an empty, '.' or '..' part: use documents/<namespace>/<name>.pdf",
    },
]


def custom_resource_definition() -> Schema:
    """The manifest of `contractanalyses.dealguard.io`, as plain data."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": [names.SHORT_NAME],
                # Not `all`: `kubectl delete all --all` would erase analyses.
                "categories": [names.CATEGORY],
            },
            "versions": [
                {
                    "name": names.VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _PRINTER_COLUMNS,
                    "selectableFields": _SELECTABLE_FIELDS,
                    "schema": {"openAPIV3Schema": _root_schema()},
                }
            ],
        },
    }


def _root_schema() -> Schema:
    spec_model = ContractAnalysisSpec.model_json_schema(by_alias=True, mode="validation")
    status_model = ContractAnalysisStatus.model_json_schema(by_alias=True, mode="validation")
    spec = _structural(spec_model, spec_model.get("$defs", {}))
    spec["x-kubernetes-validations"] = _SPEC_RULES + [
        _immutability_rule(name) for name, field in spec_model["properties"].items() if field.get(_IMMUTABLE_MARK)
    ]
    spec["properties"]["document"]["x-kubernetes-validations"] = _DOCUMENT_RULES
    return {
        "type": "object",
        "description": "The analysis of one contract: what is risky in it, and where it says so.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": _without_defaults(_structural(status_model, status_model.get("$defs", {}))),
        },
    }


def _immutability_rule(name: str) -> Schema:
    # On the parent, not the field: a rule on the field itself misses adding and removing it.
    return {
        "rule": f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})",
        "fieldPath": f".{name}",
        "reason": "FieldValueForbidden",
        "message": f"{name} cannot be changed: create a new ContractAnalysis instead",
    }


def _without_defaults(schema: Schema) -> Schema:
    """`schema` with no default in it: a status holds what the operator wrote and nothing else."""
    result = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in result:
        result["properties"] = {name: _without_defaults(field) for name, field in result["properties"].items()}
    if "items" in result:
        result["items"] = _without_defaults(result["items"])
    return result


def _structural(schema: Schema, definitions: Schema) -> Schema:
    """`schema` without references, unions with null, titles and null defaults."""
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[1]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    if "anyOf" in schema:
        (only,) = [branch for branch in schema["anyOf"] if branch != {"type": "null"}]
        schema = {**only, **{key: value for key, value in schema.items() if key != "anyOf"}}
        return _structural(schema, definitions)
    result = {key: value for key, value in schema.items() if key not in _DROPPED_KEYWORDS}
    if result.get("default", ...) in (None, []):
        del result["default"]
    if "const" in result:
        result["enum"] = [result.pop("const")]
    if "properties" in result:
        result["properties"] = {name: _structural(field, definitions) for name, field in result["properties"].items()}
    if "items" in result:
        result["items"] = _structural(result["items"], definitions)
    if isinstance(result.get("description"), str):
        result["description"] = " ".join(result["description"].split())
    return result
