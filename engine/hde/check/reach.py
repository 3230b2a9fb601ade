"""Where a connector may send requests, and which of a person's secrets go there: what to know before trusting one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hde.check.names import spots
from hde.spec.connector import Connector
from hde.spec.load import read_source
from hde.spec.problem import dotted
from hde.spec.template import TemplateError
from hde.spec.yaml_file import YamlFile


def reach_lines(connector_file: Path) -> Iterator[str]:
    """Origins and secrets of a connector as lines for a person; nothing where its file has errors."""
    source, _ = read_source(connector_file, connector_file.parent / ".none")
    if source is None:
        return
    connector, file = source.connector, source.connector_file
    yield f"{connector_file}: sends requests to {', '.join(origins(connector, file)) or 'nowhere'}"
    if connector.tenants:
        yield f"{connector_file}: or to a place out of the directory {connector.tenants.url.text}, once it is chosen"
    for variable, places in secrets(connector, file).items():
        yield f"{connector_file}: secret {variable}, in {', '.join(places)}"


def origins(connector: Connector, file: YamlFile, settings: Mapping[str, str] | None = None) -> list[str]:
    """Every origin, with `settings` or at their defaults; one without, or that is secret, is shown by its variable."""
    known = {
        name: f"${setting.variable(connector.name)}" if value is None or (setting.secret and settings) else value
        for name, setting in connector.settings.items()
        for value in ((settings or {}).get(name, setting.default),)
    }
    found: dict[str, None] = {}
    for spot in spots(connector, file):
        if not spot.in_url or spot.in_request or "params" in spot.trail or spot.trail[-1] == "path":
            continue
        try:
            url = spot.template.render({"settings": known})
            parts = urlsplit(url)
        except (TemplateError, ValueError):
            continue
        if not url:
            continue  # a setting that may be left empty
        found[f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.path.partition("/")[0]] = None
    return list(found)


def secrets(connector: Connector, file: YamlFile) -> dict[str, list[str]]:
    """The variable of each secret setting, and where it is written."""
    found: dict[str, list[str]] = {}
    for name, setting in connector.settings.items():
        if setting.secret:
            places = [
                dotted(spot.trail) for spot in spots(connector, file) if ("settings", name) in spot.template.names
            ]
            found[setting.variable(connector.name)] = list(dict.fromkeys(places)) or ["nothing"]
    return found
