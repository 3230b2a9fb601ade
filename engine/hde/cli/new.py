"""`hde new`: the first files of a source, from one answer of it or from its OpenAPI document."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hde.errors import WrongUse

if TYPE_CHECKING:
    from hde.author.files import Draft
    from hde.author.signin import SignIn

KINDS = ("none", "key-header", "key-query", "basic", "oauth2_code", "oauth2_client", "session")


@click.command()
@click.argument("name", required=False)
@click.option("--base-url", help="What all paths are below: https://api.example.com/v1")
@click.option(
    "--path", help="Path and parameters as you called them: /sleeps?start=2026-01-01&limit=25; or the whole URL."
)
@click.option("--sample", help="A file with the source's answer to that, in JSON; - reads standard input.")
@click.option("--resource", help="What the raw table is called. Default: the last part of the path.")
@click.option("--records", help="JMESPath to the records in the answer. Default: found.")
@click.option("--auth", type=click.Choice(KINDS), help="How requests are signed.")
@click.option("--key-name", help="Of a key: its header or parameter.")
@click.option("--key-prefix", help="Of a key in a header: what stands before it (`Bearer `).")
@click.option("--authorize-url", help="Of OAuth2: the page where a person agrees.")
@click.option("--token-url", help="Of OAuth2: where codes become tokens.")
@click.option("--scope", "scopes", multiple=True, help="Of OAuth2: what is asked for; may be given several times.")
@click.option("--openapi", type=click.Path(path_type=Path), help="Draft it all from this OpenAPI 3 document instead.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; what is not given is guessed.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.option("--schemas", is_flag=True, help="Only bring the schemas that editors read up to date (docs/editor.md).")
def new(
    name: str | None,
    *,
    openapi: Path | None,
    yes: bool,
    force: bool,
    schemas: bool,
    **said: str | tuple[str, ...] | None,
) -> int:
    """Draft connectors/NAME.yaml, a mapping, its test and fixtures; then check them. Where that connector is there,
    --path and --sample add a resource to it.

    Without options it asks. What it guessed is marked `# guessed:` in the files, what you must look at `# look:`. The
    records of the sample become fixtures as they are: replace what is personal before you show them to anybody.
    """
    from hde.author.schemas import copy_schemas, schemas_folder

    folder = Path()
    if schemas and not name:
        click.echo(f"{schemas_folder(folder)}: {'brought up to date' if copy_schemas(folder) else 'nothing to do'}")
        return 0
    if not name:
        raise click.UsageError("Missing argument 'NAME'.")
    _check_name(name)
    there = folder / "connectors" / f"{name}.yaml"
    if not force and there.exists():
        if openapi or not said["sample"] or not said["path"]:
            how = "--path and --sample add a resource to it, --force writes it anew"
            raise WrongUse(f"connectors/{name}.yaml is there already; {how}")
        return _add(name, there, said)
    draft = _from_openapi(name, openapi, said) if openapi else _from_sample(name, said, may_ask=not yes)
    texts = draft.texts(schemas_folder(folder))
    from hde.author.files import write

    write(texts, folder, force=force)
    copy_schemas(folder)
    return _report(draft, texts)


def _add(name: str, file: Path, said: dict[str, str | tuple[str, ...] | None]) -> int:
    """One more resource of a connector that is there."""
    from hde.author import append
    from hde.author.files import write
    from hde.author.schemas import copy_schemas, schemas_folder

    before = append.connector_said(file)
    base = append.base_of(before, _text(said["path"]))
    draft = _from_sample(name, {**said, "base_url": base, "auth": "none"}, may_ask=False)
    append.refuse_taken(draft, before)
    (resource,) = draft.resources
    texts = draft.texts(schemas_folder(Path()))
    connector = f"connectors/{name}.yaml"
    text = append.with_resource(file.read_text(encoding="utf-8"), before, resource)
    del texts[connector]
    write(texts, Path(), force=False)
    if text is None:
        click.echo(f"Put this below `resources` in {connector}:\n\n{append.block_of(resource)}")
    else:
        write({connector: text}, Path(), force=True)
        texts = {connector: text, **texts}
    copy_schemas(Path())
    return _report(replace(draft, connector=resource.part), texts)


def _check_name(name: str) -> None:
    from hde.spec.formats import check_connector_name

    check_connector_name(name)


def _from_openapi(name: str, document: Path, said: dict[str, str | tuple[str, ...] | None]) -> Draft:
    from hde.author.from_openapi import draft_from_openapi

    given = [option for option in ("path", "sample", "resource", "records", "auth") if said[option]]
    if given:
        raise WrongUse(f"--{given[0]} does not go with --openapi: the document says it")
    return draft_from_openapi(name, document, str(said["base_url"] or ""))


def _from_sample(name: str, said: dict[str, str | tuple[str, ...] | None], *, may_ask: bool) -> Draft:
    from hde.author.from_sample import Asked, draft_from_sample

    asks = may_ask and sys.stdin.isatty() and said["sample"] != "-"
    path = _text(said["path"])
    base_url = _text(said["base_url"]) or ("" if "://" in path else _ask("--base-url", "Base URL", asks))
    if not path:
        path = (
            _ask("--path", "Path and parameters, as you called them (/things?limit=50)", asks) if asks else "/records"
        )
    kind = _text(said["auth"]) or (_choose_auth() if asks else "none")
    sample = _sample(_text(said["sample"]) or _ask("--sample", "File with the answer (empty: paste it)", asks, ""))
    asked = Asked(
        name,
        base_url,
        path,
        sample,
        _sign_in(kind, said),
        _text(said["resource"]) or None,
        _text(said["records"]) or None,
    )
    return draft_from_sample(asked)


def _sign_in(kind: str, said: dict[str, str | tuple[str, ...] | None]) -> SignIn:
    from hde.author.signin import KINDS, SignIn

    (known,) = (one for one in KINDS if one == kind)
    prefix = said["key_prefix"]
    return SignIn(
        kind=known,
        key_name=_text(said["key_name"]) or None,
        prefix=prefix if isinstance(prefix, str) else None,
        authorize_url=_text(said["authorize_url"]) or None,
        token_url=_text(said["token_url"]) or None,
        scopes=tuple(said["scopes"] or ()),
    )


def _text(said: str | tuple[str, ...] | None) -> str:
    return said if isinstance(said, str) else ""


def _ask(option: str, question: str, asks: bool, default: str | None = None) -> str:
    if not asks:
        raise WrongUse(f"{option} is missing; without a terminal nothing can be asked (`hde new --help`)")
    answer: str = click.prompt(question, default=default, show_default=False, err=True)
    return answer


def _choose_auth() -> str:
    kind: str = click.prompt("How are requests signed?", type=click.Choice(KINDS), default="none", err=True)
    return kind


def _sample(said: str) -> str:
    if said == "-":
        return sys.stdin.read()
    if not said:
        click.echo("Paste the answer; it ends where its JSON ends (or with Ctrl-D):", err=True)
        return _pasted(sys.stdin.readline)
    try:
        text = Path(said).read_bytes()
        if text.startswith(b"%PDF-"):
            raise WrongUse(f"The sample {said} is a PDF: what it looks like must be said by a person (docs/files.md)")
        return text.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise WrongUse(f"The sample {said} cannot be read: {why}") from None


def _pasted(read_line: Callable[[], str]) -> str:
    """Lines up to the one that makes the JSON whole."""
    text = ""
    while line := read_line():
        text += line
        if line.rstrip()[-1:] in ("}", "]"):
            try:
                json.loads(text)
            except ValueError:
                continue
            break
    return text


def _report(draft: Draft, texts: dict[str, str]) -> int:
    """What was written and guessed, what is wrong with it, and what to do next."""
    from hde.check.source import check_paths
    from hde.spec.problem import counted

    for file in _shown(texts):
        click.echo(f"wrote {file}")
    for file, text in texts.items():
        for line in _marks(file, text) if file.endswith(".yaml") else ():
            click.echo(line)
    for remark in draft.remarks:
        click.echo(f"note: {remark}")
    problems = check_paths([Path("connectors") / f"{draft.name}.yaml"])
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"\nhde validate {draft.name}: {counted(problems) or 'all good'}")
    _next(draft)
    return 1 if any(problem.level == "error" for problem in problems) else 0


def _marks(file: str, text: str) -> Iterator[str]:
    """What was guessed and what must be looked at, at its place."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        for mark in ("# look: ", "# guessed: "):
            if mark in line:
                where, _, note = line.partition(mark)
                about = (where.strip() or lines[number]).strip().lstrip("- ").partition(":")[0]
                yield f"{file}:{number}: {mark[2:]}{about}: {note}"


def _shown(texts: dict[str, str]) -> Iterator[str]:
    """Fixtures by their folder: there may be many."""
    from hde.author.played import FOLDER

    folders: dict[str, int] = {}
    for file in texts:
        shown = file if file.endswith(".yaml") else file.rpartition("/")[0]
        folders[shown] = folders.get(shown, 0) + 1
    for shown, count in folders.items():
        what = "answer" if shown.endswith(f"/{FOLDER}") else "fixture"
        yield shown if shown.endswith(".yaml") else f"{shown}/ ({count} {what}{'s' if count > 1 else ''})"


def _next(draft: Draft) -> None:
    """Settings that are missing, and the next three commands."""
    from hde.places import env_file
    from hde.spec.connector import Setting

    known = {**env_file(), **os.environ}
    settings = [
        Setting(name, secret=bool(said.get("secret")))
        for name, said in draft.connector.said.get("settings", {}).items()
        if "default" not in said
    ]
    missing = [one.variable(draft.name) for one in settings if one.variable(draft.name) not in known]
    if missing:
        click.echo("\nPut into .env, and fill in:")
        for variable in missing:
            click.echo(f"  {variable}=")
    has_tests = any(resource.tests or resource.played for resource in draft.resources)
    has_tokens = draft.connector.said.get("auth", {}).get("kind", "basic") != "basic"
    commands = [
        (f"hde validate {draft.name}", "after every edit"),
        (f"hde test {draft.name}", "what becomes of the fixtures") if has_tests else None,
        (f"hde auth {draft.name}", "sign in") if has_tokens else None,
        (f"hde run {draft.name}", "fetch, store, map"),
    ]
    click.echo("\nNext:")
    for command, why in [one for one in commands if one][:4]:
        click.echo(f"  {command:<28} {why}")
