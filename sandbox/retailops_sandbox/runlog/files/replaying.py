"""Reads a run file by its results, each with its deliveries.

It holds the places of records, and not the records.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import Result
from retailops_sandbox.regular_files import regular
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.files import runfile
from retailops_sandbox.runlog.files.journal import UNDECODABLE
from retailops_sandbox.runlog.files.written import Span


class _Sent(msgspec.Struct, frozen=True):
    """What places need of a delivery."""

    id: str
    scenario: str = ""


class _Judged(msgspec.Struct, frozen=True):
    """What places need of a judgement."""

    delivery: str


class _Places(NamedTuple):
    """Where the records of a run file lie."""

    deliveries: dict[str, array[int]]
    """The spans of the deliveries of each scenario, one after the other."""
    judgements: dict[str, Span]
    """The span of the first judgement of each delivery: later ones judged it again."""
    results: array[int]
    """The spans of the results."""


def results(path: Path) -> Iterator[tuple[Result, Iterator[Entry]]]:
    """The results of a run file as they lie in it, each with its deliveries as the run judged them.

    Deliveries are read as they are taken. FileError where the file cannot be read.
    """
    found = _places(path)
    try:
        with open(path, "rb", opener=regular) as file:
            for span in _spans(found.results):
                result = runfile.result_decoder.decode(_at(file, span))
                places = found.deliveries.get(result.scenario, array("q"))
                yield result, (_entry(file, each, found) for each in _spans(places))
    except OSError as error:
        raise unreadable(path, error) from error
    except UNDECODABLE as error:
        raise FileError("was changed while it was read", file=str(path)) from error


def _places(path: Path) -> _Places:
    found = _Places({}, {}, array("q"))
    try:
        for stored in runfile.records(path):
            if stored.table == "deliveries":
                sent = _sent.decode(stored.document)
                found.deliveries.setdefault(sent.scenario, array("q")).extend(stored.span)
            elif stored.table == "judgements":
                found.judgements.setdefault(_judged.decode(stored.document).delivery, stored.span)
            elif stored.table == "results":
                found.results.extend(stored.span)
    except UNDECODABLE as error:
        raise FileError(f"damaged: {error}", file=str(path)) from error
    return found


def _spans(places: array[int]) -> Iterator[Span]:
    return zip(places[::2], places[1::2], strict=True)


def _entry(file: BinaryIO, span: Span, found: _Places) -> Entry:
    delivery = runfile.delivery_decoder.decode(_at(file, span))
    judged = found.judgements.get(delivery.id)
    if judged is None:
        return Entry(delivery, ())
    return Entry(delivery, (runfile.judgement_decoder.decode(_at(file, judged)),))


def _at(file: BinaryIO, span: Span) -> bytes:
    file.seek(span[0])
    return file.read(span[1])


_sent = msgspec.json.Decoder(_Sent)
_judged = msgspec.json.Decoder(_Judged)
