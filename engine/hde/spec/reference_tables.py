"""What the reference says about tables and columns that no file declares. Text alone; a test holds it to the store."""

from __future__ import annotations

from typing import Final

LINEAGE: Final = """Beside its own columns every canonical table has these; the first four are its primary key:

| column | type | meaning |
|---|---|---|
| `account` | int | whose row it is: `meta.connections.id` |
| `mapping` | text | the mapping that wrote it (`SOURCE/RESOURCE`) |
| `raw_source_id` | text | the key of the raw record; one of several columns as a JSON array |
| `part` | text | which row: the name in `rows`, the key of the item in `each`, or both (`NAME/KEY`); else empty |
| `source_system` | text | the connector |
| `raw_table` | text | the raw table the record stands in |
| `mapping_hash` | text | the version of the mapping that wrote the row |
| `run_id` | int | the run that wrote it: `meta.runs.id` |
| `mapped_at` | timestamptz | when that was |
| `_hash` | bytea | of the table's own columns: tells whether a row changed |

`local_date` needs `utc_offset`. Where a mapping does not read it, it is the offset that `start_time` carries, or that
its `zone` has at that time; a time in UTC (`Z`) tells none.

Types beside PostgreSQL's: `moment` takes an instant, or less where the source knows less (a day, a month, a year), and
is a timestamptz; `day` takes a date or an instant, of which the day as written is kept; `coding` takes codes (`prefer`
says which one counts) and is text; `reference` takes another record's id, `Type/id` or a URL that ends so, and is the
id; `verbatim` takes text or a number, and is text.
"""

OTHER_TABLES: Final = """## Beside the canonical tables

`canonical.daily_summary`: one row per person and local date, from all sources together. Its columns: `person`,
`local_date`, `asleep_from`, `awake_at`, `in_bed_h`, `asleep_h`, `deep_h`, `rem_h`, `need_h`, `naps_h` (hours),
`efficiency_pct`, `performance_pct`, `recovery_pct`, `resting_heart_rate`, `hrv_rmssd_ms`, `spo2_pct`,
`skin_temperature_c`, `respiratory_rate`, `strain`, `energy_kcal`, `steps`, `heart_rate_mean`, `heart_rate_max`,
`workouts` (how many), `training_min`, `distance_km`, `state` (`pending`: the source may still revise the day).

Of several sources of one person one counts, never their sum: [people](people.md) says which.

`canonical.labs_latest`: per person and analyte (else code, else name) the newest laboratory result, and the one before
it. Its columns: `person`, `analyte`, `code`, `code_system`, `name`, `start_time`, `local_date`, `value`, `unit`,
`comparator`, `value_text`, `source_value`, `source_unit`, `interpretation`, `ref_low`, `ref_high`, `ref_text`,
`panel` (by the result or its report), `status`, `source`, `before_value`, `before_unit`, `before_comparator`,
`before_source_value`, `before_interpretation`, `before_time`,
`before_date`, `before_source`, `change` (of values in one unit), `results` (how many there are),
`account`, `mapping`, `raw_source_id`, `part` (for `hde why lab_results`).

`canonical.person_accounts`: which accounts belong to one `person`, by `hde person link`; an account that nobody linked
is a person of its own. `canonical.people`: the same, with what the sources say of who it is.

## Raw tables

`SOURCE_raw.RESOURCE` holds what the source says now, one row per record: the declared columns (null where a value does
not fit its type, which is an issue), and these:

| column | type | meaning |
|---|---|---|
| `_account` | int | whose record it is; with the declared key the primary key |
| `_observed_at` | timestamptz | with `observe: true` only, part of the key: when this version was first seen |
| `payload` | jsonb | the whole record |
| `_hash` | bytea | of the record's text as received |
| `_received` | bytea | the text itself, where `jsonb` cannot hold it as it came |
| `_seq` | bigint | grows with every new or changed record of the schema |
| `_run_id` | int | the run that brought this version |
| `_fetched_at` | timestamptz | when it arrived |

`SOURCE_raw.RESOURCE_history` holds former versions: the key, `payload` and the columns above, and `_op` (`U` replaced,
`D` vanished at the source), `_ended_at`, `_ended_run`.

## The schema `meta`

| table | holds |
|---|---|
| `connections` | accounts: connector, the source's own id, whether a sign-in is needed |
| `tokens` | tokens, encrypted |
| `runs` | one row per run: command, times, outcome, report |
| `streams` | what is covered, per account and resource |
| `windows` | every span of time asked for: pages, records new, changed, unchanged, vanished, why paging stopped |
| `consumers` | how far each mapping has read each raw table |
| `exports` | exports that the source is preparing, or that are not stored to their end, and how to go on with them |
| `owed_records` | records whose own request (a fan-out's, a receipt) failed, asked again by the next run |
| `budgets` | requests spent per limit |
| `issues` | what did not fit: record, path, rule and JSON type, never the value |
"""
