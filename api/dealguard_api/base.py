"""The base of every model: camelCase on the wire, snake_case in Python, unknown fields ignored.

Unknown fields are ignored, not refused, so that an older component can read what a newer one wrote during an upgrade;
the API server refuses or prunes them at the resource's own boundary.
"""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """A frozen model whose JSON uses camelCase names; `to_wire` leaves out what is not set."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # an error message must never quote a contract
    )

    def to_wire(self) -> dict[str, object]:
        """This model as JSON-compatible data, without the fields that are None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
