"""The templates of reports, of a connector's checked YAML, as their dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hde.spec.report import Detect, Numbers, ReportRow, ReportTable, ReportTemplate, Unmatched

Map = Mapping[str, Any]


def freeze_template(name: str, said: Map) -> ReportTemplate:
    return ReportTemplate(
        name=name,
        detect=Detect(tuple(said["detect"].get("all", ())), tuple(said["detect"].get("any", ()))),
        table=_table(said["table"]),
        header=dict(said.get("header", {})),
        id=tuple(said.get("id", ())),
        skip=tuple(said.get("skip", ())),
        unmatched=Unmatched(said.get("unmatched", {}).get("most")),
    )


def _table(said: Map) -> ReportTable:
    return ReportTable(
        rows=tuple(_row(row) for row in said["rows"]),
        key=tuple(said["key"]),
        columns=dict(said.get("columns", {})),
        start=said.get("start"),
        end=said.get("end"),
        require=tuple(said.get("require", ())),
        numbers=_numbers(said["numbers"]) if "numbers" in said else None,
    )


def _row(said: Map) -> ReportRow:
    return ReportRow(said["kind"], dict(said["match"]), said.get("join", " "), said.get("above", False))


def _numbers(said: Map) -> Numbers:
    return Numbers(tuple(said["in"]), said.get("thousands"), said.get("decimal", "."))
