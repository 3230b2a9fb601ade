"""What a request would send as it stands though its author meant a template, a setting or another key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from hde.check.names import Spot, spots
from hde.check.place import complain
from hde.spec.connector import Connector
from hde.spec.problem import Problem, did_you_mean
from hde.spec.template import TemplateError
from hde.spec.yaml_file import YamlFile

_ROOTS = "settings|account|window|page|each|bookmark|record|export"
_HOLE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_OTHER_TEMPLATE = re.compile(
    rf"\$\{{\s*(?P<shell>[\w.]+)\s*\}}|\{{\s*(?P<brace>(?:{_ROOTS})(?:\.\w+)+)\s*\}}|\A\$(?P<dollar>(?:{_ROOTS})(?:\.\w+)*)\Z"
)
_IN_PATH = re.compile(r"\{(?P<brace>\w*)\}|<(?P<angle>\w+)>|(?<=/):(?P<colon>[A-Za-z_]\w*)")
_KEEPS_KEYS = re.compile(r"authorization\Z|.*(key|token|secret)\Z", re.IGNORECASE)
_LONGEST_WORD = 12
"""A scheme or a word of no secret; keys are longer."""


def literals_problems(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """Texts of requests that no source could want as they stand."""
    for spot in spots(connector, file):
        for message in (_template(spot, connector), _path(spot), _no_url(spot, connector)):
            if message:
                yield complain(file, spot.trail, message)
                break
        if spot.trail[-2:-1] == ("headers",) and not spot.template.names and _is_key(spot):
            message = (
                "a key written here is read by everyone who has the file: declare a setting ({secret: true}) and write "
                "{{ settings.NAME }}"
            )
            yield complain(file, spot.trail, message, "warning")
    for setting in connector.settings.values():
        if setting.secret and setting.default:
            message = "a secret has no default, which everyone who has the file reads: it stands in .env"
            yield complain(file, ("settings", setting.name, "default"), message)


def _literal(spot: Spot) -> str:
    return _HOLE.sub("", spot.template.text)


def _template(spot: Spot, connector: Connector) -> str:
    found = _OTHER_TEMPLATE.search(_literal(spot))
    if found is None:
        return ""
    said = next(name for name in found.groups() if name)
    settings = [f"settings.{name}" for name in connector.settings]
    known = re.match(rf"(?:{_ROOTS})\b", said) is not None
    bare = said.lower().removeprefix(f"{connector.name}_")
    named = f"settings.{bare}" if bare in connector.settings else ""
    hint = "" if known or named else did_you_mean(f"settings.{bare}", settings)
    meant = said if known else named or (hint.rpartition("'")[0].rpartition("'")[2] if hint else "settings.NAME")
    return f"{found[0]} would be sent as it stands; a template is {{{{ {meant} }}}}"


def _path(spot: Spot) -> str:
    """What cannot stand in a path below the base URL."""
    if spot.trail[-1:] != ("path",) or spot.trail[-2:-1] == ("params",) or spot.template.is_one_expression:
        return ""
    text = _literal(spot)
    if "://" in text:
        return "a path is joined below http.base_url: write only what comes after it"
    if found := _IN_PATH.search(text):
        name = next((name for name in found.groups() if name), "") or "NAME"
        return f"{found[0]} would be sent as it stands; a template is {{{{ account.{name} }}}} or {{{{ each.{name} }}}}"
    _, mark, query = spot.template.text.partition("?")
    if mark and not _HOLE.search(query):
        params = ", ".join(f"{name}: {value}" for name, value in parse_qsl(query, keep_blank_values=True))
        return f"what follows ? is written below `params`: {{{params}}}"
    return "what follows ? is written below `params`" if mark and "?" in text else ""


def _no_url(spot: Spot, connector: Connector) -> str:
    """A base URL that is none, with the defaults of settings; where one has no default nobody can tell."""
    if spot.trail != ("http", "base_url") or not spot.template.text:
        return ""
    defaults = {name: setting.default for name, setting in connector.settings.items()}
    try:
        url = spot.template.render({"settings": defaults})
    except TemplateError:
        return ""
    return "" if url.startswith(("http://", "https://")) else f"{url[:60]!r} is no URL: it begins with https://"


def _is_key(spot: Spot) -> bool:
    words = spot.template.text.split()
    name = str(spot.trail[-1])
    return _KEEPS_KEYS.match(name) is not None and any(len(word) > _LONGEST_WORD for word in words)
