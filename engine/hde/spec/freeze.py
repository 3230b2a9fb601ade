"""From the checked YAML of a connector to its dataclasses. Whatever the schema holds is taken as right here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from hde.spec.connector import (
    HASH,
    HASH_KEY,
    AccountRequest,
    Bookmark,
    Connector,
    Cursor,
    Files,
    Format,
    Http,
    LinkHeader,
    NextUrl,
    Offset,
    OtherTime,
    PageNumber,
    Pagination,
    RateLimit,
    RawColumn,
    Resource,
    Setting,
    Wait,
    Window,
)
from hde.spec.elements import Axes, Constants, ForEach, Parents
from hde.spec.formats import LONGEST_NAME, NAME, span
from hde.spec.freeze_export import freeze_export, freeze_part
from hde.spec.freeze_report import freeze_template
from hde.spec.freeze_request import Map, freeze_errand, freeze_errors, freeze_request, template, trees, where
from hde.spec.freeze_sign_in import freeze_auth, freeze_tenants
from hde.spec.merge import Merged
from hde.spec.problem import Problem, did_you_mean, quoted, shown, snake, with_hint
from hde.spec.template import compile_template
from hde.spec.yaml_file import YamlFile

_NO_HTTP: Map = {"base_url": ""}


_DOTTED = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)*\Z")


def freeze_connector(file: YamlFile, resources: Mapping[str, Merged]) -> Connector:
    """The connector of a file without problems; `resources` are its resources with `like` merged in."""
    data: Map = file.data  # type: ignore[assignment]  # the schema has seen that it is a map
    account = data.get("account")
    return Connector(
        name=data["name"],
        file=file.file,
        title=data.get("title", ""),
        docs=data.get("docs", ""),
        settings={name: _setting(name, said) for name, said in data.get("settings", {}).items()},
        http=_http(data.get("http", _NO_HTTP)),
        files=Files(compile_template(data["files"]["folder"])) if "files" in data else None,
        auth=freeze_auth(data["auth"]) if "auth" in data else None,
        account=_account(account) if account else None,
        mappings=data.get("mappings"),
        tenants=freeze_tenants(data["tenants"]) if "tenants" in data else None,
        exports={name: freeze_export(name, said) for name, said in data.get("exports", {}).items()},
        keep=span(data["keep"]) if "keep" in data else None,
        resources={name: _resource(name, merged.data) for name, merged in resources.items()},
    )


def name_problems(file: YamlFile, resources: Mapping[str, Merged]) -> Iterator[Problem]:
    """Names that PostgreSQL could not hold, or that would meet another one there."""
    for name, merged in resources.items():
        base = name.removesuffix("_history")
        if base != name and base in resources:
            message = f"{name} is also the name of the table that keeps the former versions of {base}"
            yield file.problem(("resources", name), message)
        taken: dict[str, str] = {}
        for key in _dict(merged.data.get("columns")):
            column, at = column_name(key), merged.origin(("columns", key))
            if message := _bad_column(key, column):
                yield file.problem(at, message)
            elif column in taken:
                message = f"{key} and {taken[column]} are both column {column}: name one of them differently"
                yield file.problem(at, message)
            taken.setdefault(column, key)


def column_name(path: str) -> str:
    """The raw column of a dotted path: `score.strain` is `score_strain`, `meta.lastUpdated` is `meta_last_updated`."""
    return snake(path) if _DOTTED.match(path) else path


def _bad_column(key: str, column: str) -> str:
    if column == "payload":
        return "'payload' is the whole record, which is always there"
    if column.startswith("_"):
        return f"{quoted(column)}: names that begin with _ are the engine's"
    if not NAME.match(column):
        names = [name if name.isascii() else f'"{name}"' for name in key.split(".")]
        how = f"write {snake(column) or 'NAME'}: {{type: ..., path: {quoted('.'.join(names))}}}"
        return f"{quoted(key)} gives no name of a column (a-z, 0-9 and _, a letter first); {how}"
    if len(column) > LONGEST_NAME:
        how = f"{LONGEST_NAME} are the most: write NAME: {{type: ..., path: {key}}}"
        return f"a column's name of {len(column)} characters; {how}"
    return ""


def like_problems(file: YamlFile) -> Iterator[Problem]:
    """`like` that names nothing."""
    top = _dict(file.data)
    shapes = _dict(top.get("shared"))
    if not shapes and any(did_you_mean(key, ["shared"]) for key in top if key != "shared"):
        return  # `shared` itself is misspelt, and that is said
    for name in without_shape(file):
        like = top["resources"][name]["like"]
        message = with_hint(f"{quoted(like)} is not in `shared`", like, shapes)
        if like in top["resources"]:
            message += ", it is a resource: move what both have in common into `shared`"
        yield file.problem(("resources", name, "like"), message, value=True)


def without_shape(file: YamlFile) -> list[str]:
    """The resources whose `like` names nothing: they cannot be judged."""
    shapes, resources = (_dict(_dict(file.data).get(part)) for part in ("shared", "resources"))
    likes = {name: _dict(resource).get("like") for name, resource in resources.items()}
    return [name for name, like in likes.items() if isinstance(like, str) and like not in shapes]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _setting(name: str, said: Map) -> Setting:
    default = shown(said["default"]) if "default" in said else None
    return Setting(name, said.get("about", ""), default, said.get("secret", False))


def _http(said: Map) -> Http:
    return Http(
        base_url=compile_template(said["base_url"]),
        params=trees(said.get("params")),
        headers=trees(said.get("headers")),
        rate_limits=tuple(
            RateLimit(
                compile_template(str(limit["requests"])),
                span(limit["per"]),
                limit.get("aligned", False),
                limit.get("of", "app"),
            )
            for limit in said.get("rate_limits", ())
        ),
        wait=_waits(said.get("wait", ())),
        errors=freeze_errors(said.get("errors")),
        parallel=said.get("parallel", Http.parallel),
    )


def _waits(said: Map | list[Map] | tuple[()]) -> tuple[Wait, ...]:
    several = [said] if isinstance(said, Mapping) else said
    return tuple(Wait(one["header"], one.get("is", "seconds")) for one in several)


def _account(said: Map) -> AccountRequest:
    return AccountRequest(
        said.get("id"),
        freeze_request(said) if "path" in said else None,
        dict(said.get("keep", {})),
        template(said.get("value")),
    )


def _resource(name: str, said: Map) -> Resource:
    pagination, window, bookmark = said.get("pagination"), said.get("window"), said.get("bookmark")
    columns = tuple(_raw_column(key, column) for key, column in said["columns"].items())
    hashed = said["key"] == "hash"
    return Resource(
        name=name,
        request=freeze_request(said),
        key=(HASH_KEY,) if hashed else tuple(column_name(key) for key in said["key"]),
        columns=(RawColumn(HASH_KEY, "text", HASH), *columns) if hashed else columns,
        records=said.get("records"),
        observe=said.get("observe") or False,
        pagination=_pagination(pagination) if pagination else None,
        window=_window(window) if window else None,
        bookmark=Bookmark(where(bookmark["next"]), bookmark.get("take", "last")) if bookmark else None,
        for_each=_for_each(said["for_each"]) if said.get("for_each") is not None else None,
        when_stored=freeze_errand(said["when_stored"]) if said.get("when_stored") else None,
        warnings=said.get("warnings"),
        errors=freeze_errors(said.get("errors")),
        volatile=tuple(said.get("volatile") or ()),
        missing=said.get("missing") or "keep",
        missing_share=said.get("missing_share", 0.3),
        format=_format(said.get("format") or {}),
        files=said.get("files"),
        export=freeze_part(said["export"]) if said.get("export") else None,
    )


def _format(said: str | Map) -> Format:
    if isinstance(said, str):
        return Format(said)  # type: ignore[arg-type]  # the schema knows the kinds
    names = {name: (one,) if isinstance(one, str) else tuple(one) for name, one in said.get("names", {}).items()}
    templates = tuple(freeze_template(name, one) for name, one in said.get("templates", {}).items())
    return Format(**{**said, "header": tuple(said.get("header", ())), "names": names, "templates": templates})


def _for_each(said: list[Any] | Map) -> ForEach:
    if isinstance(said, list) or isinstance(said.get("resource"), str):
        return _elements(said)
    return Axes({name: _elements(side) for name, side in said.items()})


def _elements(said: list[Any] | Map) -> Constants | Parents:
    return (
        Constants(tuple(said))
        if isinstance(said, list)
        else Parents(said["resource"], said.get("path"), said.get("again", False))
    )


def _raw_column(key: str, said: str | Map) -> RawColumn:
    if isinstance(said, str):
        return RawColumn(column_name(key), said, key)  # type: ignore[arg-type]  # the schema knows the types
    return RawColumn(column_name(key), said["type"], said.get("path", key), said.get("time"), said.get("names"))


def _pagination(said: Map) -> Pagination:
    most = said.get("max_pages")
    match said["kind"]:
        case "cursor":
            return Cursor(where(said["next"]), most)
        case "url":
            return NextUrl(where(said["next"]), most)
        case "link_header":
            return LinkHeader(most)
        case kind:
            more, total = (where(said[key]) if key in said else None for key in ("more", "total"))
            size, stop = said.get("size"), said.get("stop", "empty")
            if kind == "page":
                return PageNumber(said.get("first", 1), size, more, total, stop, most)
            return Offset(size, more, total, stop, most)


def _window(said: Map) -> Window:
    step, begin, widen = said.get("step"), said.get("from"), said.get("widen", {})
    return Window(
        settle=span(said["settle"]),
        time=_time(said.get("time")),
        step=span(step) if step else None,
        from_=template(begin),
        format=said.get("format", "rfc3339"),
        end=said.get("end", "exclusive"),
        widen_before=span(widen["before"]) if "before" in widen else timedelta(0),
        widen_after=span(widen["after"]) if "after" in widen else timedelta(0),
        order=said.get("order"),
        by=said.get("by"),
    )


def _time(said: str | Map | None) -> str | OtherTime | None:
    if said is None:
        return None
    if isinstance(said, str):
        return column_name(said)
    return OtherTime(said["from"], column_name(said["key"]), column_name(said["column"]))
