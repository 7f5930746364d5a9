"""Requests as curl commands, for a shell."""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from retailops_sandbox import redaction
from retailops_sandbox.contracts.auth import Auth, Signature
from retailops_sandbox.errors import UsageError
from retailops_sandbox.foreign_text import in_line, quoted
from retailops_sandbox.model import Delivery, Mark, Netrc, Receiver, Request, StruckOut, Wire
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.exporters import curl_spelling
from retailops_sandbox.reporting.exporters.exporter import (
    ExportedFile,
    Exporter,
    PreviewSource,
    SentDeliveries,
    Sources,
    file_name,
    one_by_one,
    scenario_name,
)
from retailops_sandbox.reporting.render.lines import again, together
from retailops_sandbox.scenarios.scenario import Plan

_USUAL = Wire()
_ADDED_BY_CURL = ("Accept", "User-Agent")
_WITH_LENGTH = ("POST", "PUT", "PATCH")
_LONGEST_ARGUMENT = 100_000
"""The most bytes of a body in curl's argument: Linux takes 128 KiB, and a shell's own printf any number."""

_Pieces: TypeAlias = Callable[[str, str], "list[str]"]
"""The pieces of a part of the request, as `redaction.listing.pieces` makes them."""


class Export(Exporter):
    """Exports as shell scripts of curl commands."""

    def deliveries(self, sent: SentDeliveries, sources: Sources) -> ExportedFile:
        commands = []
        variables = Variables(own=sent.own)
        for each in sent.entries:
            receiver = sources.receiver(each.delivery.receiver)
            struck_out = redaction.listing.of(each.delivery)
            made = command(
                each.delivery.request,
                receiver,
                sources.policy,
                struck_out=struck_out,
                variables=variables,
                proof=sources.proof(each.delivery),
                wire=each.delivery.wire,
                left_out=names_left_out(each.delivery.own_headers),
            )
            commands.append(_commented(_origin(each.delivery), made))
        return _script(sent.name, commands, sent.notes)

    def scenario_file(self, plan: Plan, sources: Sources, previews: PreviewSource) -> ExportedFile:
        """The script of the requests that the steps would send; UsageError where one cannot be composed."""
        found, receiver = previews()
        name, variables = scenario_name(plan.id), Variables()
        commands: list[str] = []
        notes = one_by_one(plan.scenario)
        for each in found:
            if each.mistake:
                raise UsageError(each.mistake)
            if each.request is None:
                left_out = f"step {quoted(each.step.name)} is left out, as it shows only when it runs"
                notes.append(f"{left_out}: {each.waits}")
                continue
            times = f", {each.deliveries} times" if each.deliveries > 1 else ""
            made = command(
                each.request,
                receiver,
                sources.policy,
                struck_out=each.struck_out,
                variables=variables,
                proof=each.proof,
                wire=each.wire,
                left_out=names_left_out(each.step.deliver.headers),
            )
            commands.append(
                _commented(f"{each.step.name}{times}{again(each.step)}{together(each.step)}", made)
            )
        if not commands:
            raise UsageError(
                f"no step of {name} can be told before it runs", mend="run it, then export its run"
            )
        struck_out = dict.fromkeys(place.name for each in found for place in each.struck_out)
        notes += [f"struck out: {', '.join(struck_out)}"] if struck_out else []
        return _script(name, commands, notes)


def _script(name: str, commands: Sequence[str], notes: Sequence[str]) -> ExportedFile:
    return ExportedFile(
        name=file_name(name, ".sh"),
        media_type="text/x-shellscript",
        text="\n".join(commands),
        notes=tuple(notes),
    )


def _origin(sent: Delivery) -> str:
    """The delivery's id, with its scenario and step, or its fixture."""
    return f"{sent.id} {f'{sent.scenario} / {sent.step}' if sent.scenario else sent.fixture}"


def _commented(comment: str, command: str) -> str:
    return f"{in_line(' '.join(f'# {comment}'.split()))}\n{command}\n"


class Variables:
    """The variables of the shell that stand for struck-out secrets, by the secrets' names.

    Names in the record of somebody else are not used, since a variable of that name may hold anything.
    """

    def __init__(self, *, own: bool = True) -> None:
        self._own = own
        self._names: dict[str, str] = {}

    def word(self, pieces: Sequence[str]) -> str:
        """The pieces as one word of a shell, in which marks are variables."""
        words = [
            f'"${self.name(each.name)}"' if isinstance(each, Mark) else shlex.quote(each) for each in pieces
        ]
        return "".join(words) or "''"

    def name(self, secret: str) -> str:
        """The variable that stands for a secret."""
        if secret not in self._names:
            number = len(self._names) + 1
            self._names[secret] = _variable_name(secret) if self._own else f"REDACTED_{number}"
        return self._names[secret]


def names_left_out(headers: Mapping[str, str | None]) -> list[str]:
    """The names of the headers of a step that it leaves out."""
    return [name for name, value in headers.items() if value is None]


def command(
    request: Request,
    receiver: Receiver | None = None,
    policy: SecretPolicy | None = None,
    *,
    struck_out: Sequence[StruckOut] = (),
    variables: Variables | None = None,
    proof: Auth | None = None,
    wire: Wire | None = None,
    left_out: Sequence[str] = (),
) -> str:
    """A command for a POSIX shell that repeats a logged request, with the receiver's connection settings.

    `struck_out` is what was struck out of the record that has the request. Where the right signature of
    `proof` was, openssl makes it anew. `wire` is how the request was spelled, and `left_out` are the headers
    that its step left out. What curl cannot say stands in comments before the command.
    """
    variables = variables or Variables()
    wire = wire or _USUAL
    parts: dict[str, list[StruckOut]] = {}
    for place in struck_out:
        parts.setdefault(place.part, []).append(place)

    def pieces(part: str, text: str) -> list[str]:
        return redaction.listing.pieces(text, parts.get(f"/request/{part}", ()))

    word = _word(request, pieces, variables, wire)
    is_signed = any(
        place.name == redaction.SIGNATURE and place.part.startswith("/request/") for place in struck_out
    )
    before = ""
    if is_signed and proof is not None and proof.signature is not None:
        before = _signing(_printed(request, word, wire), proof.signature, variables, _key(receiver))
    before = "".join(f"# {note}\n" for note in curl_spelling.notes(request, wire)) + before
    body, pipe = _body(request, word, wire)
    hidden = curl_spelling.lines_hidden(wire, left_out)
    options = [*_method(request, body), *(f"-H '{name}:'" for name in hidden)]
    options += _headers(request, receiver, body, pieces, variables, curl_spelling.own_lines(wire))
    options += curl_spelling.options(wire)
    if body:
        options.append(body)
    if receiver is not None:
        options += _connection(receiver, policy, variables)
    options += _exactness(request.url)
    path = redaction.listing.pieces(wire.path or "", parts.get("/wire/path", ()))
    url, target = curl_spelling.address(request.url, pieces("url", request.url), wire, path)
    if target:
        options.append(f"--request-target {variables.word(_joined(target))}")
    return before + pipe + " \\\n  ".join([f"curl {variables.word(_joined(url))}", *options])


def _method(request: Request, body: str) -> list[str]:
    """The option for the request's method; none where curl chooses that method itself."""
    if request.method == "HEAD" and not body:
        return ["--head"]
    if request.method == ("POST" if body else "GET"):
        return []
    return [f"-X {shlex.quote(request.method)}"]


def _key(receiver: Receiver | None) -> Mark:
    """The secret that a receiver's signatures are made with: its variable, or a name for it."""
    reference = curl_spelling.REFERENCE.fullmatch(receiver.token) if receiver is not None else None
    name = reference[1] if reference else "token"
    return Mark(name, name)


def _signing(body: str, made: Signature, variables: Variables, key: Mark) -> str:
    """The line in which openssl signs the body, which this command prints, into the signature's variable."""
    digest = f"openssl dgst -{made.algorithm} -hmac {variables.word([key])}"
    spelled = "-r | cut -d ' ' -f 1" if made.encoding == "hex" else "-binary | openssl base64 -A"
    return f"{variables.name(redaction.SIGNATURE)}=$({body} | {digest} {spelled})\n"


def _headers(
    request: Request,
    receiver: Receiver | None,
    body: str,
    pieces: _Pieces,
    variables: Variables,
    own_lines: Collection[str],
) -> list[str]:
    """The options for the request's headers, and against those that curl adds.

    `own_lines` are the names of those that are sent although curl makes them.
    """
    left_out = {"host", "content-length"} - {*own_lines}
    if receiver is not None and isinstance(receiver.auth, Netrc):
        left_out.add("authorization")
    given = {name.lower() for name, _ in request.headers}
    unasked = [*_ADDED_BY_CURL, *(["Content-Type"] if body else [])]
    lines = []
    for position, (name, value) in enumerate(request.headers):
        if name.lower() not in left_out:
            named = pieces(f"headers/{position}/0", name)
            lines.append([*named, ": ", *pieces(f"headers/{position}/1", value)] if value else [*named, ";"])
    lines += [[f"{name}:"] for name in unasked if name.lower() not in given]
    return [f"-H {variables.word(_joined(line))}" for line in lines]


def _joined(pieces: Sequence[str]) -> list[str]:
    """The pieces, with neighbouring texts as one."""
    found: list[str] = []
    for each in pieces:
        if found and not isinstance(each, Mark) and not isinstance(found[-1], Mark):
            found[-1] += each
        else:
            found.append(each)
    return found


def _is_encoded(request: Request) -> bool:
    """Whether the body stands in the command as base64."""
    return request.base64 or "\0" in request.body


def _word(request: Request, pieces: _Pieces, variables: Variables, wire: Wire) -> str:
    """The body, or its base64, as one word of a shell."""
    if _is_encoded(request):
        return shlex.quote(request.body if request.base64 else b64encode(request.body.encode()).decode())
    return variables.word(_joined(curl_spelling.body_pieces(pieces("body", request.body), request, wire)))


def _printed(request: Request, word: str, wire: Wire) -> str:
    """The command that prints the body as it is sent."""
    text = f"printf %s {word}{' | base64 -d' if _is_encoded(request) else ''}"
    return curl_spelling.producer(text, wire)


def _body(request: Request, word: str, wire: Wire) -> tuple[str, str]:
    """The option that sends the body, which is this word, and the command that is piped into curl for it."""
    text = request.body
    if not text:
        return "--data-binary ''" if request.method in _WITH_LENGTH else "", ""
    is_long = len(text.encode()) > _LONGEST_ARGUMENT
    if _is_encoded(request) or is_long or curl_spelling.is_piped(wire):
        return "--data-binary @-", f"{_printed(request, word, wire)} | "
    # --data-binary would read the file that a leading @ names.
    option = "--data-raw" if text.startswith("@") else "--data-binary"
    return f"{option} {word}", ""


def _connection(receiver: Receiver, policy: SecretPolicy | None, variables: Variables) -> list[str]:
    """The options for the receiver's connection settings."""
    secrets = policy.secrets(receiver) if policy is not None else redaction.Secrets()
    named = {
        "--cacert": receiver.ca_file,
        "--cert": receiver.client_cert,
        "--key": receiver.client_key,
        "--proxy": receiver.proxy,
    }
    options = [
        f"{name} {variables.word(_referring(value, secrets))}" for name, value in named.items() if value
    ]
    switches = {
        "--insecure": not receiver.verify,
        "--netrc": isinstance(receiver.auth, Netrc),
        "--location": receiver.follow_redirects,
    }
    return options + [name for name, wanted in switches.items() if wanted]


def _referring(setting: str, secrets: redaction.Secrets) -> list[str]:
    """A receiver's setting in pieces: its secrets and its references to the environment are marks."""
    # A reference is no secret, and the command reads it from the environment.
    text, spans = secrets.struck_text(setting) if "${" in setting else secrets.struck_url(setting)
    places = [StruckOut(part="", name=span.name, span=(span.start, span.end)) for span in spans]
    return [*curl_spelling.with_variables(redaction.listing.pieces(text, places))]


def _exactness(url: str) -> list[str]:
    """The options that keep curl from changing the URL or choosing another version of HTTP."""
    switches = {
        "--globoff": any(character in url for character in "[]{}"),
        "--path-as-is": "/." in url,
        "--http1.1": url.startswith("https:"),
    }
    return [name for name, wanted in switches.items() if wanted]


def _variable_name(name: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not name.strip("_"):
        return "REDACTED"
    return f"_{name}" if name[0].isdigit() else name
