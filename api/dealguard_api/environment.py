"""Settings in environment variables: how a field is called there, and what a wrong one means in words."""

import pydantic

_PREFIX = "DEALGUARD_"


def variable(field: str) -> str:
    """The environment variable of a setting: `s3_endpoint` is `DEALGUARD_S3_ENDPOINT`."""
    return f"{_PREFIX}{field.upper()}"


def cannot_start(part: str, error: pydantic.ValidationError) -> str:
    """One sentence that names each variable that is missing or has an impossible value, and quotes no value.

    Args:
        part: which program: `operator`.
        error: of its settings.
    """
    missing: list[str] = []
    wrong: list[str] = []
    for item in error.errors(include_url=False, include_input=False):
        name = variable(str(item["loc"][0])) if item["loc"] else ""  # none: several that contradict each other
        if item["type"] == "missing":
            missing.append(name)
        else:
            reason = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
            wrong.append(f"{name} {reason[:1].lower()}{reason[1:]}" if name else reason)
    parts = [f"set {', '.join(missing)}"] if missing else []
    parts += [f"correct {'; '.join(wrong)}"] if wrong else []
    return f"The {part} cannot start: {' and '.join(parts)} in its environment."
