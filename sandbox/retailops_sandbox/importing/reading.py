"""The requests in a text of any kind that can be imported."""

from __future__ import annotations

from retailops_sandbox import jsontext
from retailops_sandbox.contracts import recognition
from retailops_sandbox.errors import SourceError
from retailops_sandbox.importing import curl, embedded, har
from retailops_sandbox.importing.found import FoundRequest


def read(text: str, *, file: str) -> list[FoundRequest]:
    """The requests in curl commands, a HAR archive, a payload or a log, in order.

    SourceError, with the place, for a text that holds no request or cannot be read.
    """
    if not text.strip():
        raise SourceError("there is nothing to import", mend="give a curl command, HAR or JSON", file=file)
    stripped = text.lstrip("\ufeff")
    if stripped.lstrip()[:1] in ("{", "["):
        try:
            document = jsontext.parse(stripped, file=file)
        except SourceError:
            return _embedded(stripped, file) or _refused(stripped, file)
        if har.is_archive(document):
            return har.read(document, stripped, file=file)
        if recognition.is_payload(document, recognition.contracts()):
            return [FoundRequest(place="line 1", body=stripped.strip().encode())]
        found = _embedded(stripped, file)
        if not found and isinstance(document, dict):
            # It fits no contract, but the user may name the action and edition that it belongs to.
            return [FoundRequest(place="line 1", body=stripped.strip().encode())]
        return found or _nothing(file)
    if curl.looks_like_curl(text):
        return curl.read(text, file=file)
    return _embedded(text, file) or _nothing(file)


def _embedded(text: str, file: str) -> list[FoundRequest]:
    candidates = recognition.contracts()
    made = []
    line, counted = 1, 0
    for found in embedded.objects(text, lambda value: recognition.is_payload(value, candidates)):
        line += text.count("\n", counted, found.at)
        counted = found.at
        made.append(FoundRequest(place=f"line {line}", body=jsontext.compact(found.value)))
    return made


def _refused(text: str, file: str) -> list[FoundRequest]:
    """Raise the SourceError of a text that is meant as JSON; of lines of JSON, that no payload is in them."""
    try:
        jsontext.parse(text.lstrip().partition("\n")[0])
    except SourceError:
        jsontext.parse(text, file=file)
    return _nothing(file)


def _nothing(file: str) -> list[FoundRequest]:
    raise SourceError(
        "there is no payload of a known contract in it",
        mend="give a curl command, a HAR archive, a JSON payload or a log line with one",
        file=file,
    )
