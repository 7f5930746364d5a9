"""Found requests as steps of a scenario. Credentials are left out, or read from the environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET

from retailops_sandbox import composing, jsontext, recording, redaction
from retailops_sandbox.comparing import volatile
from retailops_sandbox.contracts import recognition
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SourceError, UsageError
from retailops_sandbox.importing.found import MOST_REQUESTS, REFERENCE, FoundRequest, shown, too_many
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import (
    Deliver,
    Delivery,
    Exchange,
    Expectation,
    HttpRequest,
    Json,
    Judgement,
    Scenario,
    Step,
    Timings,
)
from retailops_sandbox.recording import Recorded
from retailops_sandbox.scenarios import scenario

# fmt: off
_MADE_ANEW = (
    "host", "content-length", "content-type", "content-encoding", "connection", "proxy-connection",
    "keep-alive", "transfer-encoding", "te", "upgrade", "upgrade-insecure-requests", "expect", "accept",
    "accept-encoding", "accept-language", "user-agent", "origin", "referer", "priority", "pragma",
    "cache-control", "dnt",
)
# fmt: on
"""Headers that belong to one transfer, or that each send makes itself."""


class ImportedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step made of a found request, and notes on what differs from the request."""

    place: str
    contract: Contract
    """The contract that the request belongs to."""
    step: Step
    text: str
    """The payload's JSON text, as a fixture holds it; empty where the step sends raw bytes."""
    notes: tuple[str, ...] = ()
    """What became of credentials, and of parts that a payload cannot hold."""
    step_notes: tuple[str, ...] = ()
    """What else a user should know before running the step."""
    headers: tuple[str, ...] = ()
    """The names of the headers that the step sends, and a fixture does not."""
    violation: str = ""
    """The payload's first violation of the contract; empty where there is none."""

    @property
    def expectation(self) -> str:
        """The answer as a fixture expects it, as its file holds it.

        Empty where there was no answer that keeps the contract, or the payload breaks it.
        """
        expected = self.step.expect
        if self.violation or not isinstance(expected, Expectation) or expected.body is UNSET:
            return ""
        if not expected.contract or expected.status not in self.contract.ok_statuses:
            return ""
        return scenario.spread(jsontext.compact(scenario.expectation_document(expected)).decode())


def as_steps(
    found: Sequence[FoundRequest],
    contracts: Contracts,
    *,
    file: str,
    action: str = "",
    edition: str = "",
    exact: bool = False,
) -> tuple[list[ImportedStep], list[str]]:
    """The steps of the requests that belong to a contract, and what was left out, in words.

    `file` is the name by which errors call the text. Where `action` and `edition` name one contract, a single
    request belongs to it whatever it looks like. Values that look volatile get rules, unless it is to be
    `exact`. SourceError where no request belongs to a contract, SeveralContracts where one fits several;
    UsageError where no contract is of that action and edition.
    """
    candidates = contracts.of(action, edition)
    if not candidates:
        names = ", ".join(f"{each.action} {each.edition}" for each in contracts.of())
        raise UsageError(f"there is no contract {f'{action} {edition}'.strip()}", mend=f"there are {names}")
    meant = candidates[0] if len(found) == len(candidates) == 1 else None
    fits = [(each, [meant] if meant else _fitting(each, candidates)) for each in found]
    known = [(each, agreed[0]) for each, agreed in fits if len(agreed) == 1]
    unclear = [(each, agreed) for each, agreed in fits if len(agreed) > 1]
    whole = [(each, agreed) for each, agreed in known if not each.lacks]
    if not whole and unclear:
        raise SeveralContracts(*unclear[0], file=file)
    if not whole:
        raise _unknown(found, [each for each, _ in known], candidates, file)
    if len(whole) > MOST_REQUESTS:
        raise too_many(file)
    made = [_imported(*each, contracts, exact=exact) for each in whole]
    left_out = _left_out([each for each, _ in known], len(found) - len(known) - len(unclear))
    return made, [*left_out, *(str(SeveralContracts(*each)) for each in unclear)]


class SeveralContracts(SourceError):
    """A request that fits several contracts, of which somebody must choose."""

    def __init__(self, found: FoundRequest, contracts: Sequence[Contract], *, file: str = "") -> None:
        self.contracts = [(each.action, each.edition) for each in contracts]
        names = " and ".join(f"{action} {edition}" for action, edition in self.contracts)
        what = f"the request ({found.place}) fits {names}"
        super().__init__(what, mend="import it alone, and name one by --action and --edition", file=file)


def _fitting(found: FoundRequest, candidates: Sequence[Contract]) -> list[Contract]:
    """The candidates that a request fits, which are called as it was."""
    called = [each for each in candidates if found.method in ("", each.method)]
    return recognition.fitting(found.url, _payload(found), called)


def _left_out(known: Sequence[FoundRequest], unknown: int) -> list[str]:
    lacking = [f"{each.place}: {each.lacks}" for each in known if each.lacks]
    other = f"{unknown:,} other request{'' if unknown == 1 else 's'} that no contract knows"
    return [*lacking, *([other] if unknown else [])]


def _payload(found: FoundRequest) -> Json:
    """The request's body; None where it is not JSON."""
    try:
        return jsontext.parse(found.body)
    except SourceError:
        return None


def _unknown(
    found: Sequence[FoundRequest], lacking: Sequence[FoundRequest], candidates: list[Contract], file: str
) -> SourceError:
    if not found:
        return SourceError("there is no request with a body in it", mend="import another", file=file)
    if lacking:
        what, mend = (
            f"{lacking[0].place}: {lacking[0].lacks}",
            "export it again with its bodies, or paste the body",
        )
        return SourceError(what, mend=mend, file=file)
    what, mend = "no contract knows any of the requests", "name their contract by --action and --edition"
    if len(found) == 1:
        what, mend = f"no contract knows the request ({found[0].place})", mend.replace("their", "its")
    methods = {each.method for each in candidates}
    if all(each.method and each.method not in methods for each in found):
        what, mend = (
            f"{found[0].place} is a {shown(found[0].method)}",
            f"contracts are called by {', '.join(methods)}",
        )
    return SourceError(what, mend=mend, file=file)


def assemble(imported: Sequence[ImportedStep], *, name: str, fixture: str = "") -> Scenario:
    """The scenario of imported steps, which may be of several contracts: the file's is that of the first.

    With a fixture's name, its one step takes the payload from there.
    """
    first_step = imported[0]
    first = first_step.contract
    of_action = Counter(each.contract.action for each in imported)
    numbers: Counter[str] = Counter()
    steps = []
    for each in imported:
        action, edition = each.contract.action, each.contract.edition
        numbers[action] += 1
        step = msgspec.structs.replace(
            each.step,
            name=f"{action} {numbers[action]}" if of_action[action] > 1 else action,
            action=action if action != first.action else None,
            edition=edition if edition != first.edition else None,
        )
        steps.append(step)
    if fixture:
        # What the answer was is in the fixture's own expectation.
        expect = UNSET if first_step.expectation else steps[0].expect
        steps = [msgspec.structs.replace(steps[0], fixture=fixture, payload=UNSET, expect=expect)]
    return Scenario(name=name, action=first.action, edition=first.edition, steps=steps)


# --- one request -------------------------------------------------------------------------------------------


def _imported(found: FoundRequest, agreed: Contract, contracts: Contracts, *, exact: bool) -> ImportedStep:
    sent = _sent_headers(found, agreed)
    delivery = _delivery(found, agreed, sent.secrets)
    payload = recording.json_of(delivery.request)
    violations = () if payload is UNSET else agreed.check_request(payload)
    echoes = dict.fromkeys(
        each.pointer or "" for each in redaction.listing.in_part(delivery, "/response/body")
    )
    judgement = Judgement(delivery=delivery.id, verdict="recorded", at="", payload_violations=violations)
    draft = recording.draft([Recorded(delivery, judgement)], lambda *_: UNSET, contracts, are_recognised=True)
    (step,) = recording.finished(draft, exact=exact).steps
    if not _is_refused(found, agreed):
        # The token may have been blanked when the request was copied: the receiver's replaces it.
        step = msgspec.structs.replace(step, set={})
    taken = recording.taken_by_default(draft, exact=exact)
    ruled = [(each.pointer, each.reason) for each in taken if each.kind == "rule"]
    ruled += [(path, "repeats a secret") for path in echoes]
    if sent.headers or sent.content_type:
        deliver = Deliver(headers=sent.headers, content_type=sent.content_type)
        step = msgspec.structs.replace(step, deliver=deliver)
    return ImportedStep(
        place=found.place,
        contract=agreed,
        step=step,
        text="" if step.raw is not None else _fixture_text(found, step.payload),
        notes=(*found.notes, *sent.left_out, *_body_notes(found, agreed, step)),
        step_notes=(
            *sent.notes,
            *(f"its answer gets a rule for {path}, which {reason}" for path, reason in ruled),
            *draft.step_notes[0],
        ),
        headers=tuple(sent.headers),
        violation=recording.first_violation(violations),
    )


def _is_refused(found: FoundRequest, agreed: Contract) -> bool:
    """Whether the answer refused the request's token."""
    return (
        agreed.auth is not None and found.response is not None and found.response.status == agreed.auth.status
    )


def _delivery(found: FoundRequest, agreed: Contract, secrets: list[tuple[str, str]]) -> Delivery:
    """The request as a delivery in the log, its credentials struck out wherever they occur.

    It has no headers: `_sent_headers` decides about them.
    """
    headers = tuple((name, value) for name, value in found.headers if not REFERENCE.search(value))
    kept = redaction.exchange(
        HttpRequest(found.method or agreed.method, found.url, headers, found.body),
        Exchange(headers, found.response, None, Timings()),
        redaction.Secrets(secrets, proofs=redaction.proofs(agreed)),
        redaction.secret_pointers(agreed),
    )
    payload = recording.json_of(kept.request)
    in_composed = (
        msgspec.structs.replace(each, part="/composed")
        for each in kept.struck_out
        if each.part == "/request/body"
    )
    template = b"" if payload is UNSET else jsontext.compact(composing.escaped(payload))
    return Delivery(
        id=found.place,
        run="",
        sent_at="",
        action=agreed.action,
        edition=agreed.edition,
        receiver="",
        off_contract=not isinstance(payload, dict),
        composed=REFERENCE.sub(r"${env:\1}", template.decode()),
        request=msgspec.structs.replace(
            kept.request, headers=(), body=REFERENCE.sub(r"$\1", kept.request.body)
        ),
        response=kept.response,
        struck_out=(*kept.struck_out, *in_composed),
    )


def _fixture_text(found: FoundRequest, payload: Json) -> str:
    """The payload's text for a fixture: as found where it has lines and unchanged, else pretty."""
    text = found.body.decode().strip()
    return text if "\n" in text and jsontext.parse(text) == payload else jsontext.pretty(payload)


# --- notes on the request -------------------------------------------------------------------------------


def _body_notes(found: FoundRequest, agreed: Contract, step: Step) -> Iterator[str]:
    """Notes on the body: its token, its variables, and what makes it raw bytes."""
    if step.raw is not None:
        yield f"the body is not {_trouble(found.body)}: it is kept as raw bytes"
        if REFERENCE.search(found.body.decode(errors="replace")):
            yield "raw bytes hold no variables: what stands for one is sent as it is spelled"
        return
    at = agreed.auth.pointer if agreed.auth is not None else ""
    if at and pointer.get(jsontext.parse(found.body), at, UNSET) is not UNSET:
        instead = "" if step.set else "; the receiver's token takes its place"
        yield f"left out: {at}{instead}"
    texts = (each for each in volatile.leaves(step.payload) if isinstance(each, str))
    for name in dict.fromkeys(name for text in texts for name in composing.references(text)):
        yield f"the payload reads ${{{name}}}: set it before you send it"


def _trouble(body: bytes) -> str:
    try:
        jsontext.parse(body)
    except SourceError as error:
        return f"JSON ({error.what})"
    return "a JSON object"


# --- headers -----------------------------------------------------------------------------------------------


class _SentHeaders(msgspec.Struct):
    """The headers of a step, and what became of the others of the found request."""

    headers: dict[str, str | None] = {}
    content_type: str | None = None
    """The content type; None for that of JSON."""
    left_out: list[str] = []
    notes: list[str] = []
    secrets: list[tuple[str, str]] = []
    """The credentials among the headers: name and value."""


def _sent_headers(found: FoundRequest, agreed: Contract) -> _SentHeaders:
    credentials = [what for what, _ in found.secrets]
    proofs = redaction.proofs(agreed)
    sent = _SentHeaders(secrets=[(what, value.partition(":")[2] or value) for what, value in found.secrets])
    for name, value in found.headers:
        lower = name.lower()
        if redaction.credential_header(name) or any(lower == proof for proof, _ in proofs):
            credentials.append(name)
        elif lower == "content-type":
            is_json = value.partition(";")[0].strip().lower() == "application/json"
            sent.content_type = None if is_json else _filled(value)
        elif lower in _MADE_ANEW or lower.startswith(("sec-", ":")):
            continue
        elif redaction.is_credential(name) and not REFERENCE.search(value):
            variable = recording.env_variable(name)
            sent.headers[name] = f"${{env:{variable}}}"
            sent.secrets.append((variable, value))
            sent.notes.append(f"its header {name} reads ${{env:{variable}}}: set it before you run it")
        else:
            sent.headers[name] = _filled(value)
            names = dict.fromkeys(REFERENCE.findall(value))
            sent.notes += [
                f"its header {name} reads ${{env:{each}}}: set it before you run it" for each in names
            ]
    if credentials:
        names = dict.fromkeys(credentials)
        sent.left_out.append(f"left out: {', '.join(names)}; credentials belong to the receiver")
    sent.secrets = [(name, value) for name, value in sent.secrets if not REFERENCE.search(value)]
    if agreed.auth is not None and agreed.auth.header and _is_refused(found, agreed):
        # The step tests that: build makes the right one.
        is_there = agreed.auth.header.lower() in (name.lower() for name, _ in found.headers)
        sent.headers[agreed.auth.header] = recording.wrong_proof(agreed.auth) if is_there else None
    return sent


def _filled(value: str) -> str:
    """A header's value as a template: references become `${env:NAME}`."""
    return REFERENCE.sub(r"${env:\1}", value.replace("${", "$${"))
