"""Exports of a connector's checked YAML, as their dataclasses."""

from __future__ import annotations

from hde.spec.export import Deleted, Export, Part, Poll, Told
from hde.spec.formats import span
from hde.spec.freeze_request import Map, freeze_errand, freeze_errors, freeze_request, where
from hde.spec.template import compile_template


def freeze_export(name: str, said: Map) -> Export:
    return Export(
        name=name,
        request=freeze_request(said),
        errors=freeze_errors(said.get("errors")),
        keep={key: where(one) for key, one in said["keep"].items()},
        status=freeze_errand(said["status"]),
        done=said.get("done"),
        result=freeze_errand(said["result"]) if "result" in said else None,
        progress=where(said["progress"]) if "progress" in said else None,
        poll=Poll(**{key: span(one) for key, one in said.get("poll", {}).items()}),
        bookmark=where(said["bookmark"]) if "bookmark" in said else None,
        signed_in=said.get("signed_in"),
        origins=tuple(compile_template(one) for one in said.get("origins", ())),
        warnings=Told(**said["warnings"]) if "warnings" in said else None,
        discard=freeze_errand(said["discard"]) if "discard" in said else None,
    )


def freeze_part(said: Map) -> Part:
    deleted = said.get("deleted")
    return Part(said["of"], said["files"], Deleted(**deleted) if deleted else None)
