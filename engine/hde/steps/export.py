"""All that is stored, as files: one NDJSON file per table and a manifest, in a folder that is whole or not there."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from hde import __version__
from hde.durable import sync_folder
from hde.errors import WrongUse
from hde.store import migrate
from hde.store.database import Database, reading
from hde.store.holdings import Cursor, Holding, columns, holdings, lines
from hde.store.journal import Account

FORMAT = 1
"""Of the manifest."""
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Exported:
    tables: int
    rows: int
    bytes: int


def export(
    database: Database,
    to: Path,
    account: Account | None,
    *,
    packed: bool = False,
    told: Callable[[str], None] = lambda table: None,
) -> Exported:
    """All tables of raw, canonical and meta, of one moment; of one account, or of all. No tokens.

    `to` must not be there yet, or be empty. It is made beside its place and renamed: after an error nothing is left.
    """
    with _folder(to) as folder, database.connection() as connection, reading(connection) as cursor:
        found = holdings(cursor, account.connector if account else None)
        files = []
        for holding in found:
            told(holding.title)
            files.append(_write_table(cursor, holding, account.id if account else None, folder, packed))
        manifest = {
            "format": FORMAT, "hde": __version__, "migration": migrate.NEWEST,
            "postgresql": connection.info.server_version // 10_000,
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "account": account.title if account else None,
            "tables": files,
        }  # fmt: skip
        with _private(folder / MANIFEST) as file:
            file.write(json.dumps(manifest, indent=1).encode() + b"\n")
    return Exported(len(files), sum(int(str(f["rows"])) for f in files), sum(int(str(f["bytes"])) for f in files))


def _write_table(
    cursor: Cursor, holding: Holding, account: int | None, folder: Path, packed: bool
) -> dict[str, object]:
    path = folder / f"{holding.title}.ndjson{'.gz' if packed else ''}"
    rows = 0
    with _private(path) as file:
        # Without a time of writing the same rows are the same bytes.
        out = gzip.GzipFile("", "wb", 6, file, mtime=0) if packed else file
        for line in lines(cursor, holding, account):
            out.write(line)
            rows += 1
        if packed:
            out.close()
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return {
        "table": holding.title, "file": path.name, "rows": rows, "bytes": path.stat().st_size, "sha256": digest,
        "key": holding.key, "columns": columns(cursor, holding),
    }  # fmt: skip


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner reads; on disk when it is closed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with closing(os.fdopen(descriptor, "wb")) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _folder(to: Path) -> Iterator[Path]:
    """A folder to fill, renamed to `to` at the end, or gone."""
    to = to.absolute()
    making = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
    try:
        if to.exists() and (not to.is_dir() or any(to.iterdir())):
            raise WrongUse(f"{to} is there and not an empty folder; an export makes its own: name another")
        making.mkdir(mode=0o700, parents=True)
        yield making
        sync_folder(making)
        if to.exists():
            to.rmdir()
        making.rename(to)
        sync_folder(to.parent)
    except OSError as error:
        raise WrongUse(f"{to} cannot be written ({error.strerror}); nothing was left there") from None
    finally:
        shutil.rmtree(making, ignore_errors=True)
