"""Settings from environment variables, failing fast with the name of the bad one."""

import difflib
import os
from typing import Any, TypeVar

import structlog
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from roas_contracts.errors import MisconfigurationError

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(settings_class: type[SettingsT], **overrides: Any) -> SettingsT:
    """Read settings from the environment.

    A variable that has the class's prefix but no field is warned about, with the nearest known
    name: a misspelt setting is otherwise the default in silence.

    Args:
        settings_class: a pydantic-settings class whose `model_config` has an `env_prefix`.
        overrides: values that win over the environment, such as command line options. One that
            is None counts as not given.

    Raises:
        MisconfigurationError: names every variable that is missing or wrong. Values are not
            repeated: they may be secret.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = settings_class(**given)
    except ValidationError as error:
        problems = [
            f"{_variable(settings_class, problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise MisconfigurationError(
            "the settings are not usable: " + "; ".join(problems)
        ) from error
    except SettingsError as error:
        raise MisconfigurationError(f"the settings are not usable: {error}") from error
    _warn_about_unknown(settings_class)
    return settings


def variable_names(settings_class: type[BaseSettings]) -> dict[str, str]:
    """The environment variable of each field, by the field's name."""
    return {name: _variable(settings_class, (name,)) for name in settings_class.model_fields}


def _variable(settings_class: type[BaseSettings], location: tuple[int | str, ...]) -> str:
    """The environment variable behind a pydantic error location."""
    if not location:  # A check over several fields: its message has to name them.
        return settings_class.model_config.get("env_prefix", "") + "*"
    return f"{settings_class.model_config.get('env_prefix', '')}{location[0]}".upper()


def _warn_about_unknown(settings_class: type[BaseSettings]) -> None:
    prefix = settings_class.model_config.get("env_prefix", "").upper()
    if not prefix:
        return
    known = set(variable_names(settings_class).values())
    for name in sorted(os.environ):
        if name.upper().startswith(prefix) and name.upper() not in known:
            nearest = difflib.get_close_matches(name.upper(), known, n=1)
            structlog.get_logger("roas_contracts.settings").warning(
                "this setting is not known and has no effect",
                setting=name,
                did_you_mean=nearest[0] if nearest else None,
            )
