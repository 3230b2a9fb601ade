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
from hde.sandbox import Sandbox, providers
from hde.sandbox import demo as simulated
from hde.spec.load import Source
from hde.steps import accounts
from hde.steps.accounts import Way
from hde.steps.settings import settings_of
from hde.steps.stage import Options
from hde.store import embedded, migrate
from hde.store.database import open_database
from hde.store.query import answer

QUESTIONS = (
    (
        "The last seven days",
        "SELECT local_date AS day, asleep_h AS asleep, recovery_pct AS recovery, hrv_rmssd_ms AS hrv,"
        " resting_heart_rate AS rhr, strain, energy_kcal AS kcal, steps, workouts, state"
        " FROM canonical.daily_summary ORDER BY local_date DESC LIMIT 7",
    ),
    (
        "Does a long night show in the morning?",
        "SELECT CASE WHEN asleep_h < 6 THEN 'under 6 h' WHEN asleep_h < 7 THEN '6 to 7 h'"
        " WHEN asleep_h < 8 THEN '7 to 8 h' ELSE '8 h and more' END AS asleep, count(*) AS nights,"
        " round(avg(recovery_pct)) AS recovery, round(avg(hrv_rmssd_ms), 1) AS hrv"
        " FROM canonical.daily_summary WHERE asleep_h IS NOT NULL AND recovery_pct IS NOT NULL"
        " GROUP BY 1 ORDER BY min(asleep_h)",
    ),
    (
        "What was trained, and how hard",
        "SELECT COALESCE(sport, source_sport) AS sport, count(*) AS workouts,"
        " round((sum(extract(epoch FROM end_time - start_time)) / 3600)::numeric, 1) AS hours,"
        " round(avg(load)::numeric, 1) AS strain, round(sum(energy)::numeric) AS kcal,"
        " round((sum(distance) / 1000)::numeric) AS km"
        " FROM canonical.workouts GROUP BY 1 ORDER BY 2 DESC LIMIT 6",
    ),
)

DAYS = click.option(
    "--days", default=730, type=click.IntRange(1, 10_000), show_default=True, help="How much history the member has."
)
SEED = click.option("--seed", default=1, show_default=True, help="Another seed, another member.")


@click.command()
@DAYS
@SEED
def demo(days: int, seed: int) -> int:
    """A simulated member, from sign-in to canonical tables. No account, no Docker, no configuration."""
    folder = make_home() / "demo"
    os.environ.pop("HDE_DATABASE_URL", None)  # the demo never touches another database than its own
    os.environ.pop("HDE_TOKEN_STORE", None)
    os.environ["HDE_HOME"] = str(folder)
    os.environ["HDE_SECRET_KEY"] = secrets.token_urlsafe(32)  # its tokens die with the simulation
    with _alone(folder):
        return _demo(folder, days, seed)


def _demo(folder: Path, days: int, seed: int) -> int:
    _clear(folder)
    began = time.monotonic()
    with simulated(days, seed) as demo:
        os.environ.update(demo.environment)
        source = source_of(demo.connector)
        click.echo(f"A simulated {source.connector.title} runs at {demo.base_url}, with a member of {days} days.")
        _sign_in(folder, source)
        report = run_and_tell(source, Options())
    if report.stopped:
        return 1
    _show_questions(folder)
    click.echo(f"\nDone in {time.monotonic() - began:.1f} s. All of it is yours to query:")
    hde = how_to_call()
    click.echo(f'  {hde} --home "{folder}" query "SELECT * FROM canonical.daily_summary ORDER BY local_date"')
    click.echo(f"Your own data: client id and secret into .env (.env.example), then {hde} auth {demo.connector}")
    return exit_code(report)


@click.command(epilog=EPILOG)
@click.argument("provider")
@click.option("--port", default=0, help="Default: a free one.")
@DAYS
@SEED
@click.option("--faults", type=click.Path(path_type=Path), help="A YAML file that says what goes wrong, and when.")
def sandbox(provider: str, port: int, days: int, seed: int, faults: Path | None) -> int:
    """Run a simulated PROVIDER until Ctrl-C, and print the settings that point a connector to it."""
    known = providers()
    if provider not in known:
        raise WrongUse(f"There is no simulated {provider!r}. There are: {', '.join(known)}")
    wrong = read_faults(faults) if faults else None
    with stop_sign() as stop, _listening(known[provider], port, days=days, seed=seed, faults=wrong) as running:
        click.echo(f"Simulated {provider} with {days} days of data. Put this into .env, or export it:")
        for name, value in running.environment.items():
            click.echo(f"  {name}={value}")
        click.echo("Ctrl-C ends it.")
        stop.wait()
    return 0


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
        account = accounts.sign_in_account(database, way, browser=follow, say=lambda text: None, ask=None)
    click.echo(f"Signed in as account {account.external_id}; reading everything there is.")


def _show_questions(folder: Path) -> None:
    with open_database(folder) as database:
        for title, sql in QUESTIONS:
            click.secho(f"\n{title}", bold=True)
            columns, rows = answer(database, sql)
            show(columns, rows)


def _clear(folder: Path) -> None:
    """A demo begins anew: what an earlier one left is of another simulated member."""
    if folder.exists():
        embedded.discard(folder)
        shutil.rmtree(folder)
    make_home()
