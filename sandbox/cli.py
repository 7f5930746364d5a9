"""The command line. Each command puts the real ports together and leaves the work to the engine.

Heavy parts (web, stand-in) are imported by the commands that need them: `run` must start fast.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO, TypeVar
from urllib.parse import urlsplit

import click
import msgspec

from sandbox import __version__, compose, contract, scenario, settings, source
from sandbox.errors import FileError, SandboxError, UsageError
from sandbox.model import Expectation, Json, Receiver, RunKind, Step
from sandbox.scenario import Plan
from sandbox.workspace import Workspace, checked, read_text

STAND_IN = Receiver(name="stand-in", base_url="", stand_in=True)
_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_LONGEST = 86_400
"""Seconds that anything may be waited for: a day."""


class _Commands(click.Group):
    """Runs `serve` where no command is named; shows a user's mistake as one line, with exit code 2."""

    def main(self, *args: Any, **extra: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # What a terminal cannot show is no reason to end a run.
                stream.reconfigure(errors="replace")
        try:
            return super().main(*args, **extra)
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename is not None:
                raise
            _give_up(sys.stdout, error)  # --help, which the framework prints
            sys.exit(2)
        finally:
            _say("", end="", flush=True)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for each in args:
            if not _is_text(each):
                _complain(f"error: the argument {each!r} is not UTF-8")
                ctx.exit(2)
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "--version", "-h")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SandboxError as error:
            _complain(f"error: {error}")
            ctx.exit(2)
        except KeyboardInterrupt:
            ctx.exit(130)


def _say(text: str, *, end: str = "\n", flush: bool = False) -> None:
    """Print a line. Where standard output takes no more, the rest goes nowhere, and the command goes on."""
    try:
        print(text, end=end, flush=flush)
    except OSError as error:
        _give_up(sys.stdout, error)


def _complain(text: str) -> None:
    """Print one line to standard error."""
    from sandbox.report.lines import in_line

    try:
        click.echo(in_line(text), err=True)
    except OSError as error:
        _give_up(sys.stderr, error)


def _give_up(stream: TextIO, error: OSError) -> None:
    """Let what is still printed there go nowhere, and say so where somebody may miss it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    if stream is sys.stdout and not isinstance(error, BrokenPipeError):
        _complain(f"standard output cannot be written: {error.strerror}")


def _is_text(text: str) -> bool:
    """Whether this can be written as UTF-8: what the system hands over as bytes need not be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError("the current folder is gone", mend="change to one that exists") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="retailops-sandbox")
def main() -> None:
    """Impersonates RetailOPS: sends order_cancel to your receiver, and judges its answers.

    Without a command it serves the browser application.
    """


# --- Options that several commands share ------------------------------------------------------------------

_Command = Callable[..., None]
_Value = TypeVar("_Value")
_FILE = click.Path(path_type=Path)


class _Seconds(click.FloatRange):
    """A time that somebody may want to wait."""

    name = "seconds"

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=_LONGEST)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if seconds != seconds:
            self.fail(f"{value} is not a number of seconds", param, ctx)
        return seconds


def _workspace_option(command: _Command) -> _Command:
    return click.option(
        "--workspace", metavar="FOLDER", help="The folder with your fixtures, scenarios, receivers and log."
    )(command)


def _sending_options(command: _Command) -> _Command:
    options = [
        click.option("--receiver", metavar="URL_OR_NAME", help="The receiver under test."),
        click.option("--stand-in", is_flag=True, help="Use the stand-in that ships with the sandbox."),
        click.option("--receiver-token", metavar="TOKEN", help="What RetailOPS proves itself with (v1)."),
        click.option("-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="Send it too."),
        click.option("--insecure", is_flag=True, help="Do not verify its certificate."),
        click.option("--cacert", metavar="FILE", help="Trust these authorities."),
        click.option("--cert", metavar="FILE", help="The client certificate."),
        click.option("--key", metavar="FILE", help="The client certificate's key."),
        click.option("--proxy", metavar="URL", help="Send through this proxy."),
        click.option("--timeout", type=_Seconds(0.001), metavar="SECONDS", help="Per delivery."),
        click.option("--retries", type=click.IntRange(min=0), metavar="N", help="Send again after a fault."),
        click.option("--var", "variables", multiple=True, metavar="NAME=JSON", help="A placeholder's value."),
        click.option("--wait", type=_Seconds(0), default=0.0, metavar="SECONDS",
                     help="Wait until the receiver's port answers."),
        click.option("--yes", "confirmed", is_flag=True, help="Send to a protected receiver."),
        click.option("--junit-xml", type=_FILE, metavar="FILE", help="Write JUnit XML."),
        click.option("--report-json", type=_FILE, metavar="FILE", help="Write the run file."),
        click.option("-v", "--verbose", is_flag=True, help="Show each delivery, also where it passed."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return _workspace_option(command)


# --- Commands ---------------------------------------------------------------------------------------------


@main.command()
@_workspace_option
@click.option("--host", metavar="ADDRESS", help="The address to listen at; 127.0.0.1 unless told.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="8080 unless told, 0 for a free one."
)
@click.option("--token", metavar="TOKEN", help="What a browser must show; needed unless loopback.")
def serve(workspace: str | None, host: str | None, port: int | None, token: str | None) -> None:
    """Serve the browser application, with the stand-in receiver beside it."""
    from sandbox.web.serve import serve as serve_web

    here = _here()
    chosen = settings.read(os.environ, here)
    folder = Workspace.find(workspace, os.environ, here)

    def ready(address: str, stand_in: str) -> None:
        _say(f"RetailOPS sandbox: {address}  (Ctrl-C ends it)")
        _say(f"stand-in receiver: {stand_in}")
        _say(f"workspace:         {folder.root}", flush=True)

    serve_web(
        folder,
        host=host or chosen.host,
        port=chosen.port if port is None else port,
        token=token or chosen.token,
        environment=os.environ,
        ready=ready,
    )


@main.command()
@click.argument("paths", nargs=-1, metavar="[FILES or folders]")
@_sending_options
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Scenarios at once; 8 unless told."
)
def run(paths: tuple[str, ...], jobs: int | None, **given: Any) -> None:
    """Run scenario files; the workspace's where none are named, the shipped ones where it has none.

    Exit code: 0 all passed, 1 failed or errored, 2 usage or an unreadable file, 3 only faults,
    5 nothing was judged, 130 interrupted.
    """
    from sandbox.headless import collect, read_plans

    workspace = Workspace.find(given.pop("workspace"), os.environ, _here())
    files, lost = collect(paths) if paths else workspace.scenarios_to_run()
    plans, broken = read_plans(files, workspace.scenario_id)
    unreadable = [*lost, *broken]
    if not plans and not unreadable:
        _complain(f"no scenario files in {', '.join(paths) or workspace.root}: nothing was judged")
        sys.exit(5)
    _execute(workspace, plans, unreadable, jobs=jobs, kind="run", **given)


@main.command()
@click.argument("fixture")
@_sending_options
@click.option("--action", default="order_cancel", show_default=True)
@click.option("--edition", default="draft", show_default=True)
@click.option(
    "--set", "changes", multiple=True, metavar="POINTER=VALUE", help="Put this JSON (or text) at a pointer."
)
@click.option("--remove", multiple=True, metavar="POINTER", help="Take away what this pointer leads to.")
@click.option("--expect", metavar="FILE", help="Compare with the expectation in this JSON file.")
@click.option("--off-contract", is_flag=True, help="Send although the payload breaks the contract.")
def send(
    fixture: str,
    action: str,
    edition: str,
    changes: tuple[str, ...],
    remove: tuple[str, ...],
    expect: str | None,
    off_contract: bool,
    **given: Any,
) -> None:
    """Send one fixture, and judge the answer where something is expected.

    FIXTURE is a fixture's name, or a path to a JSON file.
    """
    workspace = Workspace.find(given.pop("workspace"), os.environ, _here())
    is_file = "/" in fixture or fixture.endswith(".json")
    contract.load(action, edition)
    if not is_file:
        workspace.fixture_path(action, edition, fixture)
    step = Step(
        name=fixture,
        fixture=None if is_file else fixture,
        payload=source.parse(read_text(fixture), file=fixture) if is_file else msgspec.UNSET,
        set=_table((_assignment(each, "--set") for each in changes), "--set"),
        remove=list(remove),
        expect=_expectation(expect),
        off_contract=off_contract,
    )
    scenario.check_step(step)
    plan = scenario.single(step, action=action, edition=edition, name=fixture)
    _execute(workspace, [plan], [], jobs=1, kind="send", **{**given, "verbose": True})


@main.command()
@click.argument("folder", default=".")
def init(folder: str) -> None:
    """Make FOLDER a workspace: the folders that your fixtures, scenarios and log go to."""
    workspace = Workspace(_here() / folder)
    made = workspace.initialise()
    for path in made:
        _say(f"made {path}")
    if not made:
        _say(f"{workspace.root} is a workspace already")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8081, show_default=True)
def receiver(host: str, port: int) -> None:
    """Run the stand-in receiver alone. It proves nothing about yours."""
    import asyncio

    from sandbox.standin import StandIn

    async def listen() -> None:
        stand_in = StandIn()
        _say(f"stand-in receiver: {await stand_in.start(host, port)}  (Ctrl-C ends it)", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await stand_in.stop()

    try:
        asyncio.run(listen())
    except OSError as error:
        raise UsageError(
            f"cannot listen at {host}:{port}: {error.strerror}", mend="choose another --port"
        ) from error


# --- From options to a job --------------------------------------------------------------------------------


def _execute(
    workspace: Workspace,
    plans: list[Plan],
    unreadable: list[SandboxError],
    *,
    jobs: int | None,
    kind: RunKind,
    wait: float,
    junit_xml: Path | None,
    report_json: Path | None,
    verbose: bool,
    **given: Any,
) -> None:
    from sandbox import headless
    from sandbox.engine import Options
    from sandbox.report.console import Console

    chosen = settings.read(os.environ, _here())
    timeout = given.pop("timeout")
    retries = given.pop("retries")
    variables = _table((_assignment(each, "--var") for each in given.pop("variables")), "--var")
    confirmed = given.pop("confirmed")
    receiver = _receiver(workspace, chosen.receiver, **given)
    _check_receiver(receiver)
    if receiver.protected and not confirmed:
        raise UsageError(
            f"the receiver {receiver.name!r} is protected: nothing is sent without an explicit yes",
            mend="give --yes if you mean it",
        )
    options = Options(
        receiver=receiver,
        jobs=jobs or chosen.jobs,
        retries=chosen.retries if retries is None else retries,
        variables=variables,
        timeout_ms=int(timeout * 1000) if timeout else chosen.timeout_ms,
        confirmed=confirmed,
    )
    _check_reports([report for report in (junit_xml, report_json) if report is not None])
    console = Console(
        _say,
        colour=_wants_colour(sys.stdout, os.environ),
        width=shutil.get_terminal_size((120, 24)).columns,
        verbose=verbose,
    )
    job = headless.Job(
        workspace=workspace,
        plans=plans,
        unreadable=unreadable,
        options=options,
        environment=_environment(),
        kind=kind,
        wait=wait,
        junit_xml=junit_xml,
        report_json=report_json,
    )
    outcome = headless.run(job, console.hear)
    console.finish(outcome.results, unreadable, outcome.receiver, outcome.seconds)
    if outcome.waited_in_vain:
        _complain(f"nothing listened at {_without_user(outcome.receiver.base_url)} within {wait:g} s")
    sys.exit(headless.exit_code(outcome, unreadable))


def _wants_colour(stream: TextIO | None, environment: Mapping[str, str]) -> bool:
    """A terminal is coloured unless NO_COLOR, anything else only if FORCE_COLOR."""
    is_terminal = stream is not None and stream.isatty()
    return bool(environment.get("FORCE_COLOR")) or (is_terminal and not environment.get("NO_COLOR"))


def _environment() -> Mapping[str, str]:
    """The environment, where its variables for the sandbox can be read."""
    for name, text in os.environ.items():
        if name.startswith(settings.PREFIX) and not _is_text(name + text):
            raise UsageError(f"the environment variable {name} is not UTF-8")
    return os.environ


def _receiver(
    workspace: Workspace,
    default: str,
    *,
    receiver: str | None,
    stand_in: bool,
    receiver_token: str | None,
    headers: tuple[str, ...],
    insecure: bool,
    cacert: str | None,
    cert: str | None,
    key: str | None,
    proxy: str | None,
) -> Receiver:
    """The receiver that the command line means, with what it says of it laid over."""
    if receiver and stand_in:
        raise UsageError("--receiver and --stand-in exclude each other", mend="give one of them")
    if stand_in:
        from sandbox.standin import TOKEN

        chosen = msgspec.structs.replace(STAND_IN, token=TOKEN)
    else:
        chosen = _named(workspace, receiver or default or workspace.receivers().default)
    over: dict[str, Any] = {}
    if receiver_token is not None:
        over["token"] = receiver_token
    if headers:
        over["headers"] = {**chosen.headers, **_headers(headers)}
    if insecure:
        over["verify"] = False
    files = {"ca_file": cacert, "client_cert": cert, "client_key": key, "proxy": proxy}
    over.update({name: value for name, value in files.items() if value is not None})
    return msgspec.structs.replace(chosen, **over) if over else chosen


def _named(workspace: Workspace, chosen: str) -> Receiver:
    if not chosen:
        raise UsageError(
            "no receiver is named",
            mend="give --receiver URL_OR_NAME, or --stand-in to try the sandbox without one",
        )
    if "://" in chosen:
        return Receiver(name=_without_user(chosen), base_url=chosen)
    if ":" in chosen or "/" in chosen:
        shown = _without_user(chosen)
        raise UsageError(f"the receiver {shown!r} has no scheme", mend=f"write http://{shown.lstrip('/')}")
    return workspace.receiver(chosen)


def _without_user(url: str) -> str:
    """A URL to show: without the user and the password in it."""
    if "://" not in url:
        return url.rpartition("@")[2]
    try:
        parts = urlsplit(url)
    except ValueError:
        # Without the reason, which may quote a password.
        raise UsageError("a URL cannot be read", mend="write http://host:port/path") from None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _check_receiver(receiver: Receiver) -> None:
    """Before anything is sent: what would keep every step from it. What holds a placeholder comes later."""
    files = {
        "--cacert": receiver.ca_file,
        "--cert": receiver.client_cert,
        "--key": receiver.client_key,
    }
    for option, file in files.items():
        if not file or compose.has_placeholder(file):
            continue
        try:
            with open(file, "rb") as stream:
                stream.read(1)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise FileError(f"cannot be read: {reason}", file=file, mend=f"see {option}") from error
    proxy = receiver.proxy
    if proxy and not compose.has_placeholder(proxy):
        shown = _without_user(proxy)
        parts = urlsplit(proxy)
        if parts.scheme not in _PROXY_SCHEMES or not parts.hostname:
            known = ", ".join(f"{scheme}://" for scheme in _PROXY_SCHEMES)
            raise UsageError(
                f"the proxy {shown!r} is no URL of a proxy", mend=f"begin it with one of {known}"
            )


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [_header(each) for each in given]
    _table(((name.lower(), value) for name, value in pairs), "-H")
    return dict(pairs)


def _table(pairs: Iterable[tuple[str, _Value]], option: str) -> dict[str, _Value]:
    """The pairs as a dict; UsageError for a name that is given twice, as one of them would get lost."""
    table: dict[str, _Value] = {}
    for name, value in pairs:
        if name in table:
            raise UsageError(f"{option} {name!r} is given twice", mend="give it once")
        table[name] = value
    return table


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageError(f"-H {text!r} is not NAME:VALUE", mend="for example -H 'X-Shop: 12'")
    return name.strip(), value.strip()


def _assignment(text: str, option: str) -> tuple[str, Json]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(
            f"{option} {text!r} has no NAME=VALUE", mend=f"for example {option} {_example(option)}"
        )
    return name, compose.variable_value(value)


def _example(option: str) -> str:
    return "'/data/order/id=\"4897\"'" if option == "--set" else "'order_id=\"4897\"'"


def _expectation(file: str | None) -> Expectation | None:
    return None if file is None else scenario.expectation(read_text(file), file=file)


def _check_reports(reports: list[Path]) -> None:
    """Before anything is sent: a report that cannot be written would come to light too late."""
    from sandbox.headless import is_special

    if len({os.path.realpath(report) for report in reports}) < len(reports):
        raise UsageError(f"--junit-xml and --report-json both name {reports[0]}", mend="name two files")
    for report in reports:
        if checked(Path.is_dir, report):
            raise FileError("is a folder", file=str(report), mend="name a file")
        # What is there and no file is written in place, anything else replaced in its folder.
        written = report if is_special(report) else Path(os.path.realpath(report)).parent
        if not checked(Path.exists, written):
            raise FileError(f"cannot be written: there is no folder {report.parent}", file=str(report))
        if not os.access(written, os.W_OK):
            raise FileError("cannot be written: permission denied", file=str(report))
