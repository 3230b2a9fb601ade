"""Whose server it is: the OS account that runs it and the folders that only this account may enter.

Changes no mode of a folder it did not make, and makes no user.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from hde.errors import DatabaseUnreachable

if sys.platform != "win32":
    import pwd

SERVES_ROOT = ("hde", "postgres", "nobody")  # PostgreSQL refuses to run as root; the first of these that exists


@dataclass(frozen=True)
class Account:
    """An OS account other than the caller's, that runs the server for root."""

    name: str
    uid: int
    gid: int


def own_uid() -> int:
    """The caller's effective user id; -1 on Windows, which has none."""
    if sys.platform == "win32":
        return -1
    return os.geteuid()


def acts_as_root() -> bool:
    return own_uid() == 0


def owns(folder: Path) -> bool:
    """Whether the caller owns `folder`; always true on Windows, where the profile's access list guards it."""
    return sys.platform == "win32" or folder.lstat().st_uid == own_uid()


def owner_of(folder: Path) -> Account:
    """The account that owns `folder`. Raises DatabaseUnreachable when that is root or has no name."""
    if sys.platform == "win32":
        raise NotImplementedError("only root on POSIX runs the server as somebody else")
    uid = folder.lstat().st_uid
    if uid == 0:
        raise DatabaseUnreachable(
            f"{folder} belongs to root, and PostgreSQL does not run as root.\n"
            f"Give it to one of {', '.join(SERVES_ROOT)} (chown -R), or set HDE_DATABASE_URL."
        )
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise DatabaseUnreachable(
            f"{folder} belongs to uid {uid}, which this machine does not know, so the server cannot run as its owner.\n"
            "Run hde as that user, or set HDE_DATABASE_URL."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def serves_root() -> Account:
    """The unprivileged account that runs a new server for root. Raises DatabaseUnreachable when there is none."""
    for name in SERVES_ROOT if sys.platform != "win32" else ():
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise DatabaseUnreachable(
        f"PostgreSQL does not run as root, and there is no user {' or '.join(SERVES_ROOT)} to run it.\n"
        "Run hde as an ordinary user, or set HDE_DATABASE_URL."
    )


def reaches(account: Account, folder: Path) -> bool:
    """Whether `account` may enter `folder`, judged by the modes of it and of every parent."""
    for step in (folder, *folder.parents):
        try:
            found = step.stat()
        except FileNotFoundError:
            return False
        if found.st_uid == account.uid:
            needed = stat.S_IXUSR
        elif found.st_gid == account.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not found.st_mode & needed:
            return False
    return True


def private_folder(folder: Path, account: Account | None) -> None:
    """Make `folder` 0700 and `account`'s (None: the caller's); one that exists must be exactly that already.

    Raises DatabaseUnreachable when somebody else made it, when others may enter it, or when it is a link.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if sys.platform == "win32":
            return
    else:
        _give(folder, account)
        return
    found = folder.lstat()
    wanted = account.uid if account else own_uid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted or stat.S_IMODE(found.st_mode) & 0o777 != 0o700:
        raise DatabaseUnreachable(
            f"{folder} is not a private folder (0700) of uid {wanted}: somebody else may have made it.\n"
            "Look at it, remove it, and try again."
        )


def private_file(file: Path, content: str, account: Account | None) -> None:
    """Make a new file, 0600 and `account`'s (None: the caller's). FileExistsError when there is one."""
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w", encoding="ascii") as out:
        if account and sys.platform != "win32":
            os.fchown(descriptor, account.uid, account.gid)
        out.write(content)
        out.flush()
        os.fsync(descriptor)


def root_folder(folder: Path) -> None:
    """Make `folder` root's, 0755, so that the server's account can pass through but change nothing in it."""
    try:
        folder.mkdir(mode=0o755, parents=True)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
            raise DatabaseUnreachable(
                f"{folder} is not a folder that only root may write to, so no database is put there.\n"
                "Look at it, mend or remove it, and try again."
            ) from None
    else:
        folder.chmod(0o755)  # our own new folder; umask may have narrowed it


def _give(folder: Path, account: Account | None) -> None:
    if account is None or sys.platform == "win32":
        return
    # By descriptor and never by name: between mkdir and chown the name could become a link to something else.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != own_uid():
            raise DatabaseUnreachable(f"{folder} was exchanged while it was being made; nothing was done with it.")
        os.fchown(descriptor, account.uid, account.gid)
    finally:
        os.close(descriptor)
