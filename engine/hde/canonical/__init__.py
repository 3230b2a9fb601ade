"""The canonical model as plain data: every table, column and metric, with type, UCUM unit and meaning in one place.

Validation, mapping and the database tables all read it from here; nothing here reads anything of theirs.
"""

from hde.canonical.analytes import ANALYTES, Analyte
from hde.canonical.clinical import RESULT_TABLES
from hde.canonical.metrics import METRICS, Metric
from hde.canonical.model import Column, ColumnType, LocalDateRule, Table
from hde.canonical.tables import TABLES

__all__ = [
    "ANALYTES",
    "METRICS",
    "RESULT_TABLES",
    "TABLES",
    "Analyte",
    "Column",
    "ColumnType",
    "LocalDateRule",
    "Metric",
    "Table",
]
