"""Requests as steps of a scenario. Credentials are left out, or read from the environment."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from retailops_sandbox import composing, jsontext, redaction
from retailops_sandbox.contracts import known
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SandboxError, SourceError, UsageError
from retailops_sandbox.importing.found import FoundRequest, reference
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Deliver,
    Exchange,
    Expectation,
    HttpRequest,
    Json,
    Rule,
    Scenario,
    Step,
    Timings,
    Violation,
)
from retailops_sandbox.recording import volatile

# fmt: off
_MADE_ANEW = (
    "host", "content-length", "content-type", "content-encoding", "connection", "proxy-connection",
    "keep-alive", "transfer-encoding", "te", "upgrade", "upgrade-insecure-requests", "expect", "accept",
    "accept-encoding", "accept-language", "user-agent", "origin", "referer", "priority", "pragma",
    "cache-control", "dnt",
)
# fmt: on
"""Headers that say how a request came, or that each send makes for itself."""


class ImportDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a step, the contract that knows it, and what was made of what could not stay as it was."""

    place: str
    contract: Contract
    step: Step
    text: str
    """The payload's JSON text, as a fixture holds it; empty where the step sends raw bytes."""
    notes: tuple[str, ...] = ()
    """What was made of credentials, and of what the payload cannot hold."""
    step_notes: tuple[str, ...] = ()
    """What else whoever runs the step should know."""
    headers: tuple[str, ...] = ()
    """Those that the step sends, and a fixture does not."""
    violation: str = ""
    """How the payload breaks the contract."""


def drafts(
    found: Sequence[FoundRequest], *, file: str, action: str = "", edition: str = ""
) -> tuple[list[ImportDraft], int]:
    """Those requests that a contract knows, and how many none does.

    A single request is of the contract that is named, whatever it looks like. SourceError where no request is
    known; UsageError for a contract that does not exist.
    """
    candidates = known.contracts(action, edition)
    if not candidates:
        names = ", ".join(f"{each.action} {each.edition}" for each in known.contracts())
        raise UsageError(f"there is no contract {f'{action} {edition}'.strip()}", mend=f"there are {names}")
    meant = candidates[0] if len(found) == len(candidates) == 1 else None
    made = [draft for each in found if (draft := _draft(each, candidates, meant))]
    if not made:
        raise _unknown(found, candidates, file)
    return made, len(found) - len(made)


def _unknown(found: Sequence[FoundRequest], candidates: list[Contract], file: str) -> SourceError:
    if not found:
        return SourceError("there is no request with a body in it", mend="import another", file=file)
    what, mend = "no contract knows any of the requests", "name their contract by --action and --edition"
    if len(found) == 1:
        what, mend = f"no contract knows the request ({found[0].place})", mend.replace("their", "its")
    methods = {each.method for each in candidates}
    if all(each.method and each.method not in methods for each in found):
        what, mend = (
            f"{found[0].place} is a {found[0].method}",
            f"contracts are called by {', '.join(methods)}",
        )
    return SourceError(what, mend=mend, file=file)


def assemble(drafts: Sequence[ImportDraft], *, name: str, fixture: str = "") -> Scenario:
    """The scenario of these steps; with a fixture's name, its one step takes the payload from there.

    UsageError where they are of several contracts, as a scenario has one.
    """
    first = drafts[0].contract
    others = [each for each in drafts if each.contract != first]
    if others:
        one, other = drafts[0], others[0]
        raise UsageError(
            f"{one.place} is of {first.action} {first.edition}, "
            f"{other.place} of {other.contract.action} {other.contract.edition}: a scenario is of one",
            mend="choose by --action and --edition",
        )
    steps = [
        msgspec.structs.replace(each.step, name=first.action + (f" {number}" if len(drafts) > 1 else ""))
        for number, each in enumerate(drafts, 1)
    ]
    if fixture:
        steps = [msgspec.structs.replace(steps[0], fixture=fixture, payload=msgspec.UNSET)]
    return Scenario(name=name, action=first.action, edition=first.edition, steps=steps)


def _draft(found: FoundRequest, candidates: list[Contract], meant: Contract | None) -> ImportDraft | None:
    """The request as a step, of the contract that is meant or else of the one that knows it."""
    try:
        payload = jsontext.parse(found.body)
    except SandboxError as error:
        wanted = meant or known.of(found.url, None, candidates)
        return _raw(found, wanted, error) if wanted and _is_by(found, wanted) else None
    wanted = meant or known.of(found.url, payload, candidates)
    return _typed(found, payload, wanted) if wanted and _is_by(found, wanted) else None


def _is_by(found: FoundRequest, wanted: Contract) -> bool:
    return not found.method or found.method == wanted.method


def _typed(found: FoundRequest, payload: Json, wanted: Contract) -> ImportDraft:
    sent = _headers(found)
    kept = _kept(found, wanted, sent.secrets)
    clean = jsontext.parse(kept.request.body)
    notes = [*found.notes, *sent.left_out]
    for path in redaction.secret_pointers(wanted):
        if _has(clean, path):
            pointer.remove_at(clean, path)
            notes.append(f"left out: {path}; the receiver's token takes its place")
    template = _template(clean)
    violations = wanted.check_request(clean)
    expect, answer_notes = _expectation(kept, wanted, clean)
    text = found.body.decode().strip()
    unchanged = template == payload and "\n" in text
    return ImportDraft(
        place=found.place,
        contract=wanted,
        step=_step(sent, expect, payload=template, off_contract=bool(violations)),
        text=text if unchanged else jsontext.pretty(template),
        notes=(*notes, *_referred(template)),
        step_notes=(*sent.notes, *answer_notes),
        headers=tuple(sent.headers),
        violation=_first(violations),
    )


def _raw(found: FoundRequest, wanted: Contract, error: SandboxError) -> ImportDraft:
    """A body that is no JSON, as the bytes it is."""
    sent = _headers(found)
    kept = _kept(found, wanted, sent.secrets)
    notes = [*found.notes, *sent.left_out, f"the body is not JSON ({error.what}): it is kept as raw bytes"]
    body = kept.request.body
    if kept.request.base64 or body.startswith("base64:"):
        body = "base64:" + (body if kept.request.base64 else b64encode(body.encode()).decode())
    elif reference.search(body) or redaction.MARK.search(body):
        body = reference.sub(r"$\1", body)
        notes.append("raw bytes hold no variables: what stands for one is sent as it is spelled")
    expect, answer_notes = _expectation(kept, wanted, None)
    return ImportDraft(
        place=found.place,
        contract=wanted,
        step=_step(sent, expect, raw=body, off_contract=True),
        text="",
        notes=tuple(notes),
        step_notes=(*sent.notes, *answer_notes),
    )


def _step(sent: _SentHeaders, expect: Expectation | None, **fields: Any) -> Step:
    if sent.headers or sent.content_type:
        fields["deliver"] = Deliver(headers=sent.headers, content_type=sent.content_type)
    return Step(expect=expect, **fields)


def _first(violations: tuple[Violation, ...]) -> str:
    """The first of these, and how many more there are."""
    if not violations:
        return ""
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return f"{violations[0].pointer or '(root)'} {violations[0].message}{more}"


def _kept(
    found: FoundRequest, wanted: Contract, secrets: list[tuple[str, str]]
) -> redaction.RedactedExchange:
    """The exchange as the log would keep it: what it proves itself with is gone, wherever it occurs."""
    headers = tuple((name, value) for name, value in found.headers if not reference.search(value))
    return redaction.exchange(
        HttpRequest(found.method or wanted.method, found.url, headers, found.body),
        Exchange(headers, found.response, None, Timings()),
        redaction.Secrets(secrets),
        redaction.secret_pointers(wanted),
    )


class _SentHeaders(msgspec.Struct):
    """What a request's headers become."""

    headers: dict[str, str] = {}
    content_type: str | None = None
    """Where it is not JSON's."""
    left_out: list[str] = []
    notes: list[str] = []
    secrets: list[tuple[str, str]] = []
    """What they gave away."""


def _headers(found: FoundRequest) -> _SentHeaders:
    credentials = [what for what, _ in found.secrets]
    sent = _SentHeaders(secrets=[(what, value.partition(":")[2] or value) for what, value in found.secrets])
    for name, value in found.headers:
        lower = name.lower()
        if redaction.credential_header(name):
            credentials.append(name)
        elif lower == "content-type":
            is_json = value.partition(";")[0].strip().lower() == "application/json"
            sent.content_type = None if is_json else _filled(value)
        elif lower in _MADE_ANEW or lower.startswith(("sec-", ":")):
            continue
        elif redaction.is_credential(name) and not reference.search(value):
            variable = _variable(name)
            sent.headers[name] = f"${{env:{variable}}}"
            sent.secrets.append((variable, value))
            sent.notes.append(f"its header {name} reads ${{env:{variable}}}: set it before you run it")
        else:
            sent.headers[name] = _filled(value)
            names = dict.fromkeys(reference.findall(value))
            sent.notes += [
                f"its header {name} reads ${{env:{each}}}: set it before you run it" for each in names
            ]
    if credentials:
        names = dict.fromkeys(credentials)
        sent.left_out.append(f"left out: {', '.join(names)}; credentials belong to the receiver")
    sent.secrets = [(name, value) for name, value in sent.secrets if not reference.search(value)]
    return sent


def _expectation(
    kept: redaction.RedactedExchange, wanted: Contract, payload: Json
) -> tuple[Expectation | None, list[str]]:
    """The answer that came, expected again. What it repeated of a secret may be anything."""
    answer = kept.response
    if answer is None:
        return None, []
    try:
        body = jsontext.parse(b64decode(answer.body) if answer.base64 else answer.body)
    except SandboxError:
        return Expectation(status=answer.status), ["its answer is not JSON: only the status is expected"]
    changing = volatile.find(body, [], sent=set(volatile.leaves(payload)), arrays=wanted.arrays)
    rules = {path: each.rule for path, each in changing.items()}
    notes = [f"its answer gets a rule for {path}, which {each.reason}" for path, each in changing.items()]
    secret: dict[str, Rule] = dict.fromkeys(redaction.marked(body), "any")
    notes += [f"its answer gets a rule for {path}, which repeats a secret" for path in secret]
    broken = wanted.check_response(body) if answer.status in wanted.ok_statuses else ()
    if broken:
        notes.append(f"its answer breaks the contract, which the step lets pass: {_first(broken)}")
    expected = Expectation(
        status=answer.status,
        body=composing.escaped(body),
        rules={**{path: _rule(rule) for path, rule in rules.items()}, **secret},
        contract=not broken,
    )
    return expected, notes


def _rule(rule: Rule) -> Rule:
    escaped: Any = composing.escaped(rule)
    return escaped  # type: ignore[no-any-return]


def _template(value: Json) -> Json:
    """The value as a template that is filled to just this value, with references where it has some."""
    if isinstance(value, str):
        return _filled(value)
    if isinstance(value, dict):
        return {reference.sub(r"$\1", key): _template(child) for key, child in value.items()}
    return [_template(child) for child in value] if isinstance(value, list) else value


def _filled(text: str) -> str:
    marked = redaction.MARK.sub(lambda mark: f"${{env:{_variable(mark[1])}}}", text.replace("${", "$${"))
    return reference.sub(r"${env:\1}", marked)


def _referred(template: Json) -> list[str]:
    """A line for each variable of the environment that the payload needs."""
    names = (
        name
        for text in volatile.leaves(template)
        if isinstance(text, str)
        for name in composing.references(text)
    )
    return [f"the payload reads ${{{name}}}: set it before you send it" for name in dict.fromkeys(names)]


def _variable(name: str) -> str:
    variable = re.sub(r"\W", "_", name, flags=re.ASCII).upper().strip("_") or "SECRET"
    return f"_{variable}" if variable[0].isdigit() else variable


def _has(document: Json, path: str) -> bool:
    try:
        pointer.resolve(document, path)
    except pointer.PointerError:
        return False
    return True
