"""The command line: the only place that turns the engine's errors into lines for a person, and into exit codes."""

from __future__ import annotations

import gc
import importlib
import io
import logging
import os
import sys
import traceback
from pathlib import Path

import click

from hde import __version__
from hde.errors import HdeError

_COMMANDS = {
    "run": "hde.cli.run:run",
    "auth": "hde.cli.auth:auth",
    "new": "hde.cli.new:new",
    "import": "hde.cli.import_view:import_",
    "disconnect": "hde.cli.disconnect:disconnect",
    "validate": "hde.cli.validate:validate",
    "test": "hde.cli.author:test",
    "preview": "hde.cli.preview:preview",
    "record": "hde.cli.record:record_command",
    "plan": "hde.cli.plan:plan",
    "remap": "hde.cli.run:remap",
    "status": "hde.cli.status:status",
    "why": "hde.cli.why:why",
    "query": "hde.cli.query:query",
    "person": "hde.cli.person:person",
    "export": "hde.cli.leave:export",
    "forget": "hde.cli.leave:forget",
    "db": "hde.cli.db:db",
    "migrate": "hde.cli.db:migrate",
    "demo": "hde.cli.demo:demo",
    "sandbox": "hde.cli.demo:sandbox",
}
_ABOUT = {
    "run": "Fetch what is owed from a source, store it, map it.",
    "auth": "Sign in at a source, or check its keys.",
    "disconnect": "End a connection: grant withdrawn, token deleted, records kept.",
    "status": "Show what is connected, read, owed and wrong.",
    "query": "Ask the database; read-only.",
    "why": "Follow a value back: record, path, unit, mapping, run, request.",
    "new": "Draft a connector, a mapping and fixtures from one answer, or from OpenAPI.",
    "import": "Turn what other tools wrote into files of ours: a SQL-on-FHIR ViewDefinition.",
    "validate": "Check connectors and mappings; every problem at once.",
    "preview": "Show one page of a resource: request, answer, raw rows, canonical rows.",
    "test": "Run the YAML tests of mappings and whole resources; no network, no database.",
    "record": "Make fixtures and a test of real answers, with everybody in them made up.",
    "plan": "Show what edited mappings would change in the rows that are there.",
    "remap": "Map all stored records again; no network.",
    "person": "Say which accounts are one person: link, unlink, list.",
    "export": "Write everything that is stored into files.",
    "forget": "Delete everything of one account.",
    "db": "The database: url, start, stop; dump, restore, upgrade; roles for others: grant, revoke.",
    "migrate": "Bring the database to the state this version needs.",
    "demo": "Show a simulated source, end to end; no account needed.",
    "sandbox": "Run a simulated provider.",
}


class _Commands(click.Group):
    """Commands are imported when they are called: `hde --help` loads nothing of the engine."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        gc.disable()  # what is loaded stays; looking through it for garbage is a tenth of the time it takes to load
        try:
            command = getattr(importlib.import_module(module), name)
        finally:
            gc.enable()
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_ABOUT.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from hde.spec.problem import did_you_mean

            raise click.UsageError(f"There is no command {args[0]!r}.{did_you_mean(args[0], _COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hde")
@click.option("--home", type=click.Path(path_type=Path), help="Where data and tokens live; else HDE_HOME.")
@click.option("-v", "--verbose", is_flag=True, help="Say what happens; show tracebacks.")
def cli(home: Path | None, verbose: bool) -> None:
    """Bring your health data home: from its sources into one Postgres that you own."""
    if home:
        os.environ["HDE_HOME"] = str(home.expanduser().absolute())
    if verbose:
        os.environ["HDE_VERBOSE"] = "1"


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 something is owed or wrong in the data, 2 wrong use, 3 sign-in, 4 database,
    5 another hde is at work on the same account."""
    from hde.redact import install

    os.umask(0o077)
    install()
    try:
        _set_up()
        result = cli.main(_global_first(sys.argv[1:]), standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except HdeError as error:
        _trace()
        _complain(str(error))
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person gets a line, not a traceback
        _trace()
        _complain(f"this is a bug in hde ({type(error).__name__}). `hde -v ...` shows where; please report it.")
        sys.exit(1)


def _global_first(arguments: list[str]) -> list[str]:
    """-v and --home may stand anywhere in the line."""
    ours: list[str] = []
    rest = iter(arguments)
    others: list[str] = []
    for word in rest:
        if word in ("-v", "--verbose") or word.startswith("--home="):
            ours.append(word)
        elif word == "--home":
            ours += [word, *([value] if (value := next(rest, None)) is not None else [])]
        else:
            others.append(word)
    return [*ours, *others]


def _set_up() -> None:
    from hde.places import load_env_file

    load_env_file()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")  # what Windows would write to a file cannot hold every name
    if "-v" in sys.argv or "--verbose" in sys.argv:
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    else:
        logging.basicConfig(level=logging.WARNING, format="hde: %(message)s")


def _trace() -> None:
    if os.environ.get("HDE_VERBOSE"):
        from hde.redact import clean

        click.echo(clean(traceback.format_exc()), err=True, nl=False)


def _complain(text: str) -> None:
    click.echo(f"hde: {text}", err=True)
