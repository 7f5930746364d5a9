"""Options that several commands share, and the receiver that they choose."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import msgspec

from retailops_sandbox import composing
from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.model import Json, Receiver
from retailops_sandbox.regular_files import regular
from retailops_sandbox.reporting import reporters
from retailops_sandbox.reporting.reporters import FileReport
from retailops_sandbox.session import receivers
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.receivers import ReceiverBook
from retailops_sandbox.workspace.workspace import Workspace

_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_LONGEST = 86_400
"""The most seconds of any wait: a day."""


def here() -> Path:
    """The current folder; UsageError where it is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError("the current folder is gone", mend="change to one that exists") from error


Command = Callable[..., None]
_Value = TypeVar("_Value")
_FILE = click.Path(path_type=Path)


class Seconds(click.FloatRange):
    """A number of seconds of at most a day."""

    name = "seconds"

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=_LONGEST)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if seconds != seconds:
            self.fail(f"{value} is not a number of seconds", param, ctx)
        return seconds


def workspace_option(command: Command) -> Command:
    """`--workspace`."""
    return click.option(
        "--workspace", metavar="FOLDER", help="The folder with your fixtures, scenarios, receivers and log."
    )(command)


def log_options(command: Command) -> Command:
    """`--workspace` and `--log`, of the commands that write or read the log; `found_workspace` takes both.

    A command has no parameter for `--log`: `found_workspace` finds it.
    """
    option = click.option(
        "--log",
        metavar="URL",
        expose_value=False,
        callback=_keep_database,
        help="Keep the log in this PostgreSQL database, which several machines may share; '' for files.",
    )
    return option(workspace_option(command))


def _keep_database(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        from retailops_sandbox.runlog import process_title

        context.meta[_DATABASE] = value
        process_title.hide(value)


def found_workspace(given: str | None) -> Workspace:
    """The workspace that `--workspace` means, its log where `--log` or else the settings say."""
    start = here()
    context = click.get_current_context(silent=True)
    named = context.meta.get(_DATABASE) if context is not None else None
    database = current_settings().log if named is None else named
    found = Workspace.find(given, os.environ, start, database)
    found.is_log_named = named is not None
    return found


def current_settings() -> settings.Settings:
    """The settings for the current folder, read once for a command."""
    context = click.get_current_context(silent=True)
    known = {} if context is None else context.meta
    if _SETTINGS not in known:
        known[_SETTINGS] = settings.read(os.environ, here())
    found: settings.Settings = known[_SETTINGS]
    return found


_DATABASE = f"{__name__}.database"
"""The key of what `--log` says, among the things that click's contexts share."""
_SETTINGS = f"{__name__}.settings"
"""The key of the settings there."""
variables_option = click.option(
    "--var", "variables", multiple=True, metavar="NAME=JSON", help="A placeholder's value."
)
_WAIT = click.option(
    "--wait", type=Seconds(0), default=0.0, metavar="SECONDS", help="Wait until the receiver's port answers."
)
_CONFIRMED = click.option("--yes", "confirmed", is_flag=True, help="Send to a protected receiver.")


def receiver_options(command: Command) -> Command:
    """The options that choose the receiver; `chosen_receiver` takes them."""
    options = [
        click.option("--receiver", metavar="URL_OR_NAME", help="The receiver under test."),
        click.option("--stand-in", is_flag=True, help="Use the stand-in that ships with the sandbox."),
        click.option("--receiver-token", metavar="TOKEN", help="The token or secret that proves who calls."),
        click.option("-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="Send it too."),
        click.option("--insecure", is_flag=True, help="Do not verify its certificate."),
        click.option("--cacert", metavar="FILE", help="Trust these authorities."),
        click.option("--cert", metavar="FILE", help="The client certificate."),
        click.option("--key", metavar="FILE", help="The client certificate's key."),
        click.option("--proxy", metavar="URL", help="Send through this proxy."),
        click.option("--follow-redirects", is_flag=True, help="Go where a redirect leads, 10 times at most."),
    ]
    return _with(options, command)


def probing_options(command: Command) -> Command:
    """The options of sending that a probe has, too."""
    return log_options(receiver_options(_with([variables_option, _WAIT, _CONFIRMED], command)))


def sending_options(command: Command) -> Command:
    """The options of the commands that send; `chosen_receiver` and `job.execute` take them."""
    options: list[Callable[[Command], Command]] = [
        click.option("--timeout", type=Seconds(0.001), metavar="SECONDS", help="Per delivery."),
        click.option("--retries", type=click.IntRange(min=0), metavar="N", help="Send again after a fault."),
        variables_option,
        _WAIT,
        _CONFIRMED,
        file_reports,
        click.option("-v", "--verbose", is_flag=True, help="Show each delivery, also where it passed."),
    ]
    return log_options(receiver_options(_with(options, command)))


def file_reports(command: Command) -> Command:
    """The options of the reports that are written to files; `reports_asked_for` takes them."""
    for each in reversed(reporters.FILES):
        command = click.option(each.option, type=_FILE, metavar="FILE", help=each.help)(command)
    return command


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def chosen_receiver(
    book: ReceiverBook,
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
    follow_redirects: bool = False,
) -> Receiver:
    """The chosen receiver, with the options of the command line laid over it.

    `default` is the one that the settings name; else it is that of the workspace.
    """
    if receiver and stand_in:
        raise UsageError("--receiver and --stand-in exclude each other", mend="give one of them")
    if stand_in:
        chosen = receivers.stand_in()
    elif wanted := receiver or default or book.default:
        chosen = receivers.named(book, wanted)
    else:
        raise UsageError(
            "no receiver is named",
            mend="give --receiver URL_OR_NAME, or --stand-in to try the sandbox without one",
        )
    over: dict[str, Any] = {}
    if receiver_token is not None:
        over["token"] = receiver_token
    if headers:
        over["headers"] = {**chosen.headers, **_headers(headers)}
    if insecure:
        over["verify"] = False
    if follow_redirects:
        over["follow_redirects"] = True
    files = {"ca_file": cacert, "client_cert": cert, "client_key": key, "proxy": proxy}
    over.update({name: value for name, value in files.items() if value is not None})
    return msgspec.structs.replace(chosen, **over) if over else chosen


def reports_asked_for(given: dict[str, Any]) -> dict[FileReport, Path]:
    """The file of each report that is asked for; removes the parameters of reports."""
    files = {each: given.pop(each.parameter) for each in reporters.FILES}
    return {report: file for report, file in files.items() if file is not None}


def check_receiver(receiver: Receiver) -> None:
    """FileError or UsageError for files and a proxy that cannot be used, unless they hold placeholders."""
    files = {
        "--cacert": receiver.ca_file,
        "--cert": receiver.client_cert,
        "--key": receiver.client_key,
    }
    for option, file in files.items():
        if not file or composing.has_placeholder(file):
            continue
        try:
            with open(file, "rb", opener=regular) as stream:
                stream.read(1)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise FileError(f"cannot be read: {reason}", file=file, mend=f"see {option}") from error
    proxy = receiver.proxy
    if proxy and not composing.has_placeholder(proxy):
        shown = receivers.without_user(proxy)
        parts = urlsplit(proxy)
        if parts.scheme not in _PROXY_SCHEMES or not parts.hostname:
            known = ", ".join(f"{scheme}://" for scheme in _PROXY_SCHEMES)
            raise UsageError(
                f"the proxy {shown!r} is no URL of a proxy", mend=f"begin it with one of {known}"
            )


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [_header(each) for each in given]
    table(((name.lower(), value) for name, value in pairs), "-H")
    return dict(pairs)


def table(pairs: Iterable[tuple[str, _Value]], option: str) -> dict[str, _Value]:
    """The pairs as a dict; UsageError for a name that is given twice."""
    table: dict[str, _Value] = {}
    for name, value in pairs:
        if name in table:
            raise UsageError(f"{option} {name!r} is given twice", mend="give it once")
        table[name] = value
    return table


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        # Without what stands there: it may be a secret.
        raise UsageError(f"-H {_first_word(text)!r} is not NAME:VALUE", mend="for example -H 'X-Shop: 12'")
    return name.strip(), value.strip()


def _first_word(text: str) -> str:
    """The first word of a header without a colon, which is meant for its name; none of one word alone."""
    first, *others = text.split(maxsplit=1) or [""]
    return f"{first} …" if others else "…"


def assignment(text: str, option: str) -> tuple[str, Json]:
    """`NAME=JSON`, or `NAME=text`, as given to an option."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(
            f"{option} {text!r} has no NAME=VALUE", mend=f"for example {option} {_example(option)}"
        )
    return name, composing.variable_value(value)


def _example(option: str) -> str:
    return "'/data/order/id=\"4897\"'" if option == "--set" else "'order_id=\"4897\"'"
