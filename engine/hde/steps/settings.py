"""What a connector asks of a person, read from the environment and `.env`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from hde.errors import WrongUse
from hde.places import env_file, home
from hde.redact import register_secret
from hde.source.budget import Patience
from hde.spec.connector import Connector


def settings_of(connector: Connector, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Values by setting name: from `given`, else the environment, else `.env`, else the default.

    WrongUse names every variable that is missing, and where its value comes from.
    """
    environment = {**env_file(), **{name: value for name, value in os.environ.items() if value}, **(given or {})}
    values: dict[str, str] = {}
    missing: list[str] = []
    for setting in connector.settings.values():
        variable = setting.variable(connector.name)
        value = environment.get(variable) or setting.default
        if value is None:
            missing.append(f"{variable} ({setting.about})" if setting.about else variable)
            continue
        values[setting.name] = value
        if setting.secret:
            register_secret(value)
    if missing:
        needs = f"{connector.title or connector.name} needs {' and '.join(missing)}."
        raise WrongUse(
            f"{needs}{_misspelt(connector, environment)}\n"
            f"Put {'it' if len(missing) == 1 else 'them'} into .env in this folder (.env.example shows how), "
            f"into {home() / '.env'}, or the environment." + (f" More: {connector.docs}" if connector.docs else "")
        )
    return values


def patience() -> Patience:
    """How a failing source is borne with: HDE_PATIENCE seconds until it is asked again, at most sixty times that."""
    said = os.environ.get("HDE_PATIENCE")
    if not said:
        return Patience()
    try:
        first = float(said)
    except ValueError:
        first = 0.0
    if not 0.001 <= first <= 60:
        raise WrongUse(f"HDE_PATIENCE is {said!r}; it can be a number of seconds from 0.001 to 60")
    return Patience(first=first, most=60 * first)


def _misspelt(connector: Connector, environment: Mapping[str, str]) -> str:
    """Names in reach that begin like this connector's and are none of its settings; their values are not said."""
    variables = {setting.variable(connector.name): setting.name for setting in connector.settings.values()}
    start = next(variable[: -len(name)] for variable, name in variables.items())
    odd = sorted(name for name in environment if name.upper().startswith(start) and name not in variables)
    return f" There is {', '.join(odd[:3])}, which no setting is called." if odd else ""
