"""`hde demo` and `hde sandbox`: the simulated providers, and the whole way from sign-in to a summary on one of them."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import click
from filelock import FileLock, Timeout

from hde.cli.faults import EPILOG, read_faults
from hde.cli.query import show
from hde.cli.run import exit_code, run_and_tell, source_of, stop_sign
from hde.errors import WrongUse
from hde.places import make_home
from hde.sandbox import Provider, Sandbox, providers
from hde.spec.load import Source
from hde.steps import accounts
from hde.steps.accounts import Way
from hde.steps.settings import settings_of
from hde.steps.signing_in import sign_in_account
from hde.steps.stage import Options
from hde.store import embedded, migrate
from hde.store.database import open_database
from hde.store.query import answer

_HISTORIES = ", ".join(f"{provider.days} ({name})" for name, provider in providers().items())
DAYS = click.option("--days", type=click.IntRange(1, 10_000), help=f"How much history there is. Default: {_HISTORIES}.")
_MANNERS = "; ".join(f"{', '.join(one.manners)} ({name})" for name, one in providers().items() if one.manners)
SEED = click.option("--seed", default=1, show_default=True, help="Another seed, another life.")


@click.command()
@click.argument("provider", required=False)
@DAYS
@SEED
def demo(provider: str | None, days: int | None, seed: int) -> int:
    """A simulated PROVIDER, from sign-in to canonical tables. No account, no Docker, no configuration."""
    shown = _named(provider or next(iter(providers())))
    folder = make_home() / "demo"
    os.environ.pop("HDE_DATABASE_URL", None)  # the demo never touches another database than its own
    os.environ.pop("HDE_TOKEN_STORE", None)
    os.environ["HDE_HOME"] = str(folder)
    os.environ["HDE_SECRET_KEY"] = secrets.token_urlsafe(32)  # its tokens die with the simulation
    with _alone(folder):
        return _demo(folder, shown, days or shown.days, seed)


def _demo(folder: Path, provider: Provider, days: int, seed: int) -> int:
    _clear(folder)
    began = time.monotonic()
    with provider.demo(days, seed) as demo:
        os.environ.update(demo.environment)
        source = source_of(demo.connector)
        click.echo(
            f"A simulated {source.connector.title} runs at {demo.base_url}, with {provider.whom} of {days} days."
        )
        _sign_in(folder, source)
        report = run_and_tell(source, Options())
    if report.stopped:
        return 1
    _show_answers(folder, provider)
    click.echo(f"\nDone in {time.monotonic() - began:.1f} s. All of it is yours to query:")
    hde = how_to_call()
    click.echo(f'  {hde} --home "{folder}" query "{provider.query}"')
    click.echo(f"Your own data: {provider.yours}, then {hde} auth {demo.connector}")
    return exit_code(report)


@click.command(epilog=EPILOG)
@click.argument("provider")
@click.option("--port", default=0, help="Default: a free one.")
@DAYS
@SEED
@click.option("--faults", type=click.Path(path_type=Path), help="A YAML file that says what goes wrong, and when.")
@click.option("--manners", help=f"How it behaves: {_MANNERS}.")
def sandbox(provider: str, port: int, days: int | None, seed: int, faults: Path | None, manners: str | None) -> int:
    """Run a simulated PROVIDER until Ctrl-C, and print the settings that point a connector to it."""
    shown = _named(provider)
    days = days or shown.days
    options: dict[str, object] = {"days": days, "seed": seed, "faults": read_faults(faults) if faults else None}
    if manners is not None:
        options["manners"] = _known(shown.manners, manners, f"The simulated {provider} has no manners")
    with stop_sign() as stop, _listening(shown.serve, port, **options) as running:
        click.echo(f"Simulated {provider} with {days} days of data. Put this into .env, or export it:")
        for name, value in running.environment.items():
            click.echo(f"  {name}={value}")
        click.echo("Ctrl-C ends it.")
        stop.wait()
    return 0


def _named(name: str) -> Provider:
    known = providers()
    return known[_known(tuple(known), name, "There is no simulated")]


def _known(words: tuple[str, ...], word: str, otherwise: str) -> str:
    if word not in words:
        raise WrongUse(f"{otherwise} {word!r}. There are: {', '.join(words) or 'none'}")
    return word


def how_to_call() -> str:
    """`hde` where the shell finds it, else the path from here: nobody has to activate an environment."""
    if shutil.which("hde"):
        return "hde"
    script = Path(sys.executable).with_name("hde")
    return os.path.relpath(script) if script.exists() else f"{Path(sys.executable).name} -m hde"


@contextmanager
def _listening(
    serve: Callable[..., AbstractContextManager[Sandbox]], port: int, **options: object
) -> Iterator[Sandbox]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(serve(port=port, **options))
        except OSError as error:
            raise WrongUse(f"Port {port}: {error.strerror}. Without --port a free one is taken") from None
        yield running


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder.with_name("demo.lock"), mode=0o600, timeout=0):
            yield
    except Timeout:
        raise WrongUse(f"Another demo is running in {folder}; wait for it, or choose another --home") from None


def _sign_in(folder: Path, source: Source) -> None:
    """Through the browser's part of the flow as well: an HTTP client follows the simulated consent."""
    import httpx

    def follow(url: str) -> None:
        options = {"follow_redirects": True, "timeout": 10.0, "trust_env": False}
        threading.Thread(target=httpx.get, args=(url,), kwargs=options, daemon=True).start()

    with stop_sign(at_once=True) as stop, open_database(folder) as database:
        migrate.ensure(database)
        way = Way(source.connector, settings_of(source.connector), accounts.token_store(folder, database), stop)
        account = sign_in_account(database, way, browser=follow, say=lambda text: None, ask=None)
    click.echo(f"Signed in as account {account.external_id}; reading everything there is.")


def _show_answers(folder: Path, provider: Provider) -> None:
    with open_database(folder) as database:
        for title, sql in provider.questions:
            click.secho(f"\n{title}", bold=True)
            columns, rows = answer(database, sql)
            show(columns, rows)


def _clear(folder: Path) -> None:
    """A demo begins anew: what an earlier one left is of another simulated member."""
    if folder.exists():
        embedded.discard(folder)
        shutil.rmtree(folder)
    make_home()
