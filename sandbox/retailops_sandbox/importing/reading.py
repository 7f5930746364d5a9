"""The requests in a text of any kind that can be imported."""

from __future__ import annotations

import re
from itertools import islice

from retailops_sandbox import jsontext
from retailops_sandbox.contracts import recognition
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SourceError
from retailops_sandbox.importing import commands, embedded, har
from retailops_sandbox.importing.found import MOST_REQUESTS, FoundRequest
from retailops_sandbox.importing.mending import mended
from retailops_sandbox.jsontext import printed as printing
from retailops_sandbox.model import Json

MOST_BYTES = 100 * 1024 * 1024
"""The most bytes of a text that is imported."""
_begins_json = re.compile(r"\s*(?:\{|\[\s*[\[{\"])")
_pytest_file = re.compile(r"\bretailops\.send\(")


def read(text: str, contracts: Contracts, *, file: str) -> list[FoundRequest]:
    """The requests in commands, a HAR archive, a payload or a log, in order.

    SourceError, with the place, for a text that holds no request or cannot be read.
    """
    if not text.strip():
        raise SourceError("there is nothing to import", mend="give a curl command, HAR or JSON", file=file)
    if len(text) > MOST_BYTES:
        raise too_large(file)
    text = text.lstrip("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        try:
            document = jsontext.parse(text, file=file)
        except SourceError:
            if _is_like_json(text):
                return _meant(text) or _embedded(text, file, contracts) or _refused(text, file)
        else:
            return _of_json(document, text, file, contracts)
    if _pytest_file.search(text):
        raise SourceError("it is a pytest file that sends already", mend="run it by pytest", file=file)
    if commands.looks_like_commands(text):
        return commands.read(text, file=file)
    return _embedded(text, file, contracts) or _meant(text) or _other_json(text) or _nothing(text, file)


def _is_like_json(text: str) -> bool:
    """Whether a text that begins as JSON and is none is meant as JSON."""
    return _begins_json.match(text) is not None and printing.printed(text) is None


def too_large(file: str) -> SourceError:
    """The error of a text that is larger than what is imported."""
    what = f"it is larger than {MOST_BYTES // 1024 // 1024} MB"
    return SourceError(what, mend="import a part of it", file=file)


def _of_json(document: Json, text: str, file: str, contracts: Contracts) -> list[FoundRequest]:
    """The requests of a JSON document."""
    if har.is_archive(document):
        return har.read(document, text, file=file)
    if _is_scenario(document):
        raise SourceError("it is a scenario file already", mend=f"run it: run {file or 'FILE'}", file=file)
    whole = FoundRequest(place="line 1", body=text.strip().encode())
    if recognition.is_payload(document, contracts.of()):
        return [whole]
    found = _embedded(text, file, contracts)
    if not found and isinstance(document, dict):
        # It fits no contract, but the user may name the action and edition that it belongs to.
        return [whole]
    return found or _nothing(text, file)


def _is_scenario(document: Json) -> bool:
    return isinstance(document, dict) and isinstance(document.get("steps"), list) and "action" in document


def _meant(text: str) -> list[FoundRequest]:
    """The request of a text that is JSON but for what changed it on its way."""
    text = text.strip()
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        text = text[1:-1]
    meant = mended(text)
    if meant is None:
        return []
    return [FoundRequest(place="line 1", body=meant.text.strip().encode(), notes=(meant.note,))]


def _embedded(text: str, file: str, contracts: Contracts) -> list[FoundRequest]:
    """The requests whose payloads stand in a text."""
    candidates = contracts.of()
    note = _around(text)
    made = []
    line, counted = 1, 0
    payloads = embedded.objects(text, lambda value: recognition.is_payload(value, candidates))
    for found in islice(payloads, MOST_REQUESTS + 1):
        line += text.count("\n", counted, found.at)
        counted = found.at
        notes = () if found.is_alone else (note,)
        made.append(FoundRequest(place=f"line {line}", body=jsontext.compact(found.value), notes=notes))
    return made


def _around(text: str) -> str:
    """The note on a payload that does not stand alone in a text."""
    printed = printing.printed(text)
    if printed is not None:
        return f"it stands in what {printed.name} printed: only the JSON is taken"
    return "it stands in other text, which is left out"


def _other_json(text: str) -> list[FoundRequest]:
    """The request of the one JSON object in a text, which the user may name the contract of."""
    found = list(islice(embedded.objects(text, lambda value: isinstance(value, dict)), 2))
    if len(found) != 1:
        return []
    place = f"line {text.count(chr(10), 0, found[0].at) + 1}"
    return [FoundRequest(place=place, body=jsontext.compact(found[0].value), notes=(_around(text),))]


def _refused(text: str, file: str) -> list[FoundRequest]:
    """Raise the SourceError of a text that is meant as JSON; of lines of JSON, that no payload is in them."""
    try:
        jsontext.parse(text.lstrip().partition("\n")[0])
    except SourceError:
        jsontext.parse(text, file=file)
    return _nothing(text, file)


def _nothing(text: str, file: str) -> list[FoundRequest]:
    printed = printing.printed(text)
    if printed is not None:
        what = f"this is no JSON but what {printed.name} prints, and no JSON is in it"
        raise SourceError(what, mend=printed.mend, file=file)
    raise SourceError(
        "there is no payload of a known contract in it",
        mend="give a curl, HTTPie or PowerShell command, a HAR archive, JSON, or a log line with JSON",
        file=file,
    )
