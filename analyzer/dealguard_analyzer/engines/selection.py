"""Which engine analyses a contract."""

from dealguard_analyzer.engines import Engine
from dealguard_analyzer.errors import EngineRefusedError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import AnalyzeSettings


def select_engine(settings: AnalyzeSettings, api_key: str | None) -> Engine:
    """The engine that `settings.engine` names; `auto` is `claude` with a key and `rules` without.

    Engines are imported when they are chosen: Anthropic's SDK costs a second and 84 MB.

    Raises:
        EngineRefusedError: `claude` is asked for and there is no key.
    """
    if settings.engine == "rules" or (settings.engine == "auto" and not api_key):
        from dealguard_analyzer.engines.rules.engine import RulesEngine  # noqa: PLC0415

        return RulesEngine()
    if not api_key:
        where = (
            f": the Secret {settings.api_key_secret} needs it as {settings.api_key_secret_key}"
            if settings.api_key_secret
            else ""
        )
        raise EngineRefusedError(ExitCode.API_KEY_MISSING, f"The claude engine needs an API key and found none{where}.")
    from dealguard_analyzer.engines.claude.engine import ClaudeEngine  # noqa: PLC0415

    return ClaudeEngine(settings, api_key)
