"""Requests as curl commands, for a shell."""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Sequence

import msgspec

from retailops_sandbox import redaction
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Delivery, Netrc, Receiver, Request
from retailops_sandbox.redaction import MARK, SecretPolicy, mark
from retailops_sandbox.reporting.exporters.exporter import (
    ExportedFile,
    Exporter,
    PreviewSource,
    SentDeliveries,
    Sources,
    file_name,
    scenario_name,
)
from retailops_sandbox.scenarios.scenario import Plan

_ADDED_BY_CURL = ("Accept", "User-Agent")
_WITH_LENGTH = ("POST", "PUT", "PATCH")
_LONGEST_ARGUMENT = 100_000
"""The most bytes of a body in curl's argument: Linux takes 128 KiB, and a shell's own printf any number."""

_reference = re.compile(r"\$\{env:(\w+)\}")


class Export(Exporter):
    """Exports as shell scripts of curl commands."""

    def deliveries(self, sent: SentDeliveries, sources: Sources) -> ExportedFile:
        commands = []
        for each in sent.entries:
            receiver = sources.receiver(each.delivery.receiver)
            reached = None if receiver is None else _without_proxy_secrets(receiver, sources.policy)
            commands.append(_commented(_origin(each.delivery), each.delivery.request, reached))
        return _script(sent.name, commands, sent.notes)

    def scenario_file(self, plan: Plan, sources: Sources, previews: PreviewSource) -> ExportedFile:
        """The script of the requests that the steps would send; UsageError where one cannot be composed."""
        found, receiver = previews()
        name, reached = scenario_name(plan.id), _without_proxy_secrets(receiver, sources.policy)
        commands: list[str] = []
        notes: list[str] = []
        for each in found:
            if each.mistake:
                raise UsageError(each.mistake)
            if each.request is None:
                left_out = f"step {each.step.name!r} is left out, as it shows only when it runs"
                notes.append(f"{left_out}: {each.waits}")
                continue
            times = f", {each.deliveries} times" if each.deliveries > 1 else ""
            commands.append(_commented(f"{each.step.name}{times}", each.request, reached))
        if not commands:
            raise UsageError(
                f"no step of {name} can be told before it runs", mend="run it, then export its run"
            )
        struck_out = redaction.struck_out(*(each.request for each in found))
        notes += [f"struck out: {', '.join(struck_out)}"] if struck_out else []
        return _script(name, commands, notes)


def _script(name: str, commands: Sequence[str], notes: Sequence[str]) -> ExportedFile:
    return ExportedFile(
        name=file_name(name, ".sh"),
        media_type="text/x-shellscript",
        text="\n".join(commands),
        notes=tuple(notes),
    )


def _without_proxy_secrets(receiver: Receiver, policy: SecretPolicy) -> Receiver:
    """The receiver, its secrets struck out of the proxy's URL."""
    secrets = policy.secrets(receiver)
    proxy = secrets.plain(receiver.proxy)
    # A reference stays: it is no secret, and the command reads it from the environment.
    return msgspec.structs.replace(receiver, proxy=proxy if "${" in proxy else secrets.url(proxy))


def _origin(sent: Delivery) -> str:
    """The delivery's id, with its scenario and step, or its fixture."""
    return f"{sent.id} {f'{sent.scenario} / {sent.step}' if sent.scenario else sent.fixture}"


def _commented(comment: str, request: Request, receiver: Receiver | None) -> str:
    return f"{' '.join(f'# {comment}'.split())}\n{command(request, receiver)}\n"


def command(request: Request, receiver: Receiver | None = None) -> str:
    """A command for a POSIX shell that repeats a logged request, with the receiver's connection settings.

    A secret that was struck out is a shell variable of its name.
    """
    body, pipe = _body(request)
    options = [*_method(request, body), *_headers(request, receiver, body)]
    if body:
        options.append(body)
    if receiver is not None:
        options += _connection(receiver)
    options += _exactness(request.url)
    return pipe + " \\\n  ".join([f"curl {_quoted(request.url, MARK)}", *options])


def _method(request: Request, body: str) -> list[str]:
    """The option for the request's method; none where curl chooses that method itself."""
    if request.method == "HEAD":
        return ["--head"]
    if request.method == ("POST" if body else "GET"):
        return []
    return [f"-X {shlex.quote(request.method)}"]


def _headers(request: Request, receiver: Receiver | None, body: str) -> list[str]:
    """The options for the request's headers, and against those that curl adds."""
    left_out = {"host", "content-length"}
    if receiver is not None and isinstance(receiver.auth, Netrc):
        left_out.add("authorization")
    given = {name.lower() for name, _ in request.headers}
    unasked = [*_ADDED_BY_CURL, *(["Content-Type"] if body else [])]
    lines = [
        f"{name}: {value}" if value else f"{name};"
        for name, value in request.headers
        if name.lower() not in left_out
    ]
    lines += [f"{name}:" for name in unasked if name.lower() not in given]
    return [f"-H {_quoted(line, MARK)}" for line in lines]


def _body(request: Request) -> tuple[str, str]:
    """The option that sends the body, and the command that is piped into curl for it."""
    text = request.body
    if not text:
        return "--data-binary ''" if request.method in _WITH_LENGTH else "", ""
    if request.base64 or "\0" in text:
        encoded = text if request.base64 else b64encode(text.encode()).decode()
        return "--data-binary @-", f"printf %s {_quoted(encoded)} | base64 -d | "
    if len(text.encode()) > _LONGEST_ARGUMENT:
        return "--data-binary @-", f"printf %s {_quoted(text, MARK)} | "
    # --data-binary would read the file that a leading @ names.
    option = "--data-raw" if text.startswith("@") else "--data-binary"
    return f"{option} {_quoted(text, MARK)}", ""


def _connection(receiver: Receiver) -> list[str]:
    """The options for the receiver's connection settings."""
    named = {
        "--cacert": receiver.ca_file,
        "--cert": receiver.client_cert,
        "--key": receiver.client_key,
        "--proxy": receiver.proxy,
    }
    options = [f"{name} {_quoted(_marked(value), MARK)}" for name, value in named.items() if value]
    switches = {
        "--insecure": not receiver.verify,
        "--netrc": isinstance(receiver.auth, Netrc),
        "--location": receiver.follow_redirects,
    }
    return options + [name for name, wanted in switches.items() if wanted]


def _marked(text: str) -> str:
    """The text with a mark for each reference to the environment: both become variables of the shell."""
    return _reference.sub(lambda found: mark(found[1]), text)


def _exactness(url: str) -> list[str]:
    """The options that keep curl from changing the URL or choosing another version of HTTP."""
    switches = {
        "--globoff": any(character in url for character in "[]{}"),
        "--path-as-is": "/." in url,
        "--http1.1": url.startswith("https:"),
    }
    return [name for name, wanted in switches.items() if wanted]


def _quoted(text: str, variable: re.Pattern[str] | None = None) -> str:
    """The text as one word of a shell, in which matches of the pattern are variables."""
    parts = variable.split(text) if variable else [text]
    # split gives text, name, text, name ... text
    words = [
        f'"${_variable_name(part)}"' if number % 2 else shlex.quote(part)
        for number, part in enumerate(parts)
        if part or number % 2
    ]
    return "".join(words) or "''"


def _variable_name(name: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not name.strip("_"):
        return "REDACTED"
    return f"_{name}" if name[0].isdigit() else name
