"""Settings from the environment."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from dealguard_analyzer.errors import AnalysisError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import Environment

SettingsT = TypeVar("SettingsT", bound=Environment)


def load_settings(kind: type[SettingsT], environment: Mapping[str, str]) -> SettingsT:
    """The settings of one container.

    Raises:
        AnalysisError: a variable has a value that it cannot have; the message names it.
    """
    try:
        return kind.from_environment(environment)
    except ValidationError as error:
        # By field name or alias, depending on pydantic's mood: upper case without separators is the same for both.
        names = {name.replace("_", "").upper(): name for name in kind.model_fields}
        wrong = sorted({str(part).replace("_", "").upper() for item in error.errors() for part in item["loc"][:1]})
        variables = ", ".join(f"{kind.PREFIX}{names.get(name, name).upper()}" for name in wrong)
        raise AnalysisError(ExitCode.INTERNAL_ERROR, f"Invalid value of {variables}.") from None
