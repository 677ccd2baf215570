"""What of a contract lists are searched and sorted by."""

from dataclasses import dataclass
from typing import Any

from dealguard_api.untrusted import Raw, mapping_in, text_in
from dealguard_gateway.contracts import contract_id, file_name_of, status_of
from dealguard_gateway.model import ContractStatus

# Value (missing ones sort below all), then the id: so no two are equal, and a page's end is one point in the order.
SortKey = tuple[bool, Any, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One contract in a list.

    Args:
        status: where it stands.
        risk: the level of its worst finding; empty if there is no report.
        text: what a search looks into, in lower case.
        keys: by what it is sorted, in each order.
    """

    status: ContractStatus
    risk: str
    text: str
    keys: dict[str, SortKey]


def row_of(raw: Raw) -> Row:
    """The row of a resource."""
    metadata, status = mapping_in(raw, "metadata"), mapping_in(raw, "status")
    stands = status_of(raw)
    result = mapping_in(status, "result") if stands is ContractStatus.COMPLETED else {}
    name, file_name = text_in(metadata, "name"), file_name_of(raw) or ""
    score = result.get("riskScore")
    id = contract_id(text_in(metadata, "namespace"), name)  # noqa: A001
    values: dict[str, Any] = {
        "createdAt": text_in(metadata, "creationTimestamp"),
        "finishedAt": text_in(status, "finishedAt"),
        "fileName": file_name.casefold(),
        "name": name,
        "status": stands.value,
        "riskScore": score if isinstance(score, int) and not isinstance(score, bool) else "",
    }
    return Row(
        status=stands,
        risk=text_in(result, "riskLevel"),
        text="\n".join((file_name, name, text_in(result, "contractType"))).casefold(),
        keys={by: (value != "", value, id) for by, value in values.items()},
    )
