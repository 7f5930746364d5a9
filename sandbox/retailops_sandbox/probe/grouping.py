"""Failures that are alike: which fields and mutations explain most of them with few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from retailops_sandbox.probe.probes import Area

_MOST = 4
"""The most causes that are told of one kind; what is left then is one more."""
_COVERS_ALL = 0.8
"""The part of like failures that an explanation must cover to explain the others, too."""
_PURE = 0.5
"""The part of what was tried there that must have failed for an explanation to hold."""
_EVERYTHING = 0.7
"""The part of all that was tried that must have failed to say that everything does."""
_LEAST_EVERYTHING = 3
"""The fewest fields and the fewest mutations of which everything can be said."""

_AGAIN = "baseline"
"""What is tried with the accepted request that others are made from: where it fails, it was sent again."""
_PLAIN = frozenset({"first", "between", "one-at-a-time", "right"})
"""What is tried with a valid request that is like the accepted one."""
FIXTURE = "fixture"
"""What is tried with a fixture as it is: where it fails is told apart from where broken requests do."""

_ONE_BY_ONE = frozenset({"same-again", "fixture-again", "later", "five-times", _AGAIN})
"""What is tried with an order that was asked about before, and is not being asked about."""
_MAY_COME_AGAIN = frozenset({FIXTURE, "unknown-member", "longer-payload"})
"""What is tried with a request that may be about an order that was asked about before."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "type": (
        *("text", "number", "boolean", "array", "object", "number-as-text"),
        *("empty-array", "empty-object"),
    ),
    "empty": ("empty-text", "empty-array", "empty-object"),
    "size": ("beyond-32-bits", "beyond-64-bits"),
    "large": ("64-kb", "1-mb", "10-mb", "large-fixture"),
    "length": ("256-characters", "4096-characters", "64-kb", "1-mb", "10-mb"),
    "script": ("other-scripts", "astral-characters"),
    "unknown-member": ("unknown-member", "longer-payload"),
    "no-json": ("not-json", "empty-body", "truncated", "form"),
    "encoding": ("byte-order-mark", "utf-16", "latin-1", "utf-16-said"),
    "charset": ("charset", "charset-upper-case", "charset-latin-1", "charset-unknown", "utf-16-said"),
    "content-type": (
        *("no-content-type", "text-plain", "form-type", "multipart", "xml", "vendor-json", "no-type"),
        *("charset", "charset-upper-case", "charset-latin-1", "charset-unknown", "utf-16-said"),
    ),
    "compressed": ("gzip",),
    "not-utf-8": ("utf-16", "latin-1", "utf-16-said", "gzip"),
    "no-body": (
        *("not-json", "empty-body", "truncated", "form", "byte-order-mark"),
        *("utf-16", "utf-16-said", "latin-1", "gzip"),
    ),
    "header": ("doubled-header", "doubled-otherwise", "doubled-accept", "long-header"),
    "method": ("get", "head", "put", "patch", "delete", "options", "post"),
    "at-once": ("ten-at-once", "alternating", "sent-again", "four-at-once", "sixteen-at-once", "afterwards"),
    "again": (
        *("same-again", "five-times", "ten-at-once", "sent-again", "longer-payload", "other-payload"),
        *("fixture-again", "later", "alternating", "afterwards", _AGAIN),
    ),
}
"""Mutations that fail for the same reason, the least one first. A mutation may be in several families."""

SPORADIC = "sporadic"
"""The mark of what is answered at one time and fails at another."""

Part: TypeAlias = Literal["requests", "proof", "orders"]
"""What is varied: requests, the proof of the sender, or how often and how many at once."""
_PARTS: dict[Area, Part] = {
    "contract": "requests",
    "transport": "requests",
    "auth": "proof",
    "repetition": "orders",
    "speed": "orders",
    "answers": "requests",
}


class Case(NamedTuple):
    """What was tried: what was done to a field, or to a request as a whole, whose field is empty."""

    area: Area
    field: str
    what: str

    @property
    def part(self) -> Part:
        """What is varied."""
        if self.what == _AGAIN:
            return "orders"
        return "requests" if self.what in FAMILIES["unknown-member"] else _PARTS[self.area]


class Explanation(NamedTuple):
    """What failures have in common: mutations, a field or an area; nothing where all of these are empty."""

    cases: frozenset[Case]
    """The failures that it explains."""
    whats: tuple[str, ...] = ()
    """The mutations, where they are of one family."""
    field: str = ""
    """The field, or the section in which the fields are."""
    area: Area | None = None
    is_everything: bool = False
    """Whether nearly all that was tried failed."""
    is_sporadic: bool = False
    """Whether what is answered at one time fails at another."""

    @property
    def part(self) -> Part:
        """What is varied in most of its failures."""
        return Counter(case.part for case in self.cases).most_common(1)[0][0]

    @property
    def mark(self) -> str:
        """What stays the same of it from probe to probe."""
        if self.is_everything:
            return "everything"
        if self.is_sporadic:
            return SPORADIC
        return " ".join(filter(None, (self.area, self.family or "".join(self.whats), self.field)))

    @property
    def family(self) -> str:
        """The family of its mutations, also where only one was tried; empty for one without a family."""
        families = (name for name, whats in FAMILIES.items() if {*self.whats} <= {*whats})
        return next(families, "") if self.whats else ""


def explained(failed: Mapping[Case, str], tried: Collection[Case]) -> list[Explanation]:
    """The explanations of failures, the widest first. Each failure is in one of them.

    `failed` gives what the answers to each have in common: failures of another kind are told apart.
    """
    if _is_everything(failed, tried):
        return [Explanation(frozenset(failed), is_everything=True)]
    if any(case.what in _PLAIN for case in failed):
        return [Explanation(frozenset(failed), is_sporadic=True)]
    whole = frozenset(case for case in failed if case.what == FIXTURE)
    found = _of_parts(failed, failed.keys() - whole, {*tried, *failed})
    return _with_repetitions([Explanation(whole, whats=(FIXTURE,)), *found] if whole else found, failed)


def _with_repetitions(found: Sequence[Explanation], prints: Mapping[Case, str]) -> list[Explanation]:
    """The explanations, with what fails because it comes again among the other repetitions.

    A fixture may be about an order that was asked about before; one more member comes with a second request.
    """
    again = next((each for each in found if any(case.what in _ONE_BY_ONE for case in each.cases)), None)
    if again is None or again.part != "orders":
        return [*found]
    common = _common_print(again, prints)
    alike = [
        each
        for each in found
        if each.whats and {*each.whats} <= _MAY_COME_AGAIN and _common_print(each, prints) == common
    ]
    cases = again.cases.union(*(each.cases for each in alike))
    return [each._replace(cases=cases) if each is again else each for each in found if each not in alike]


def _of_parts(
    failed: Mapping[Case, str], parts: Collection[Case], tried: Collection[Case]
) -> list[Explanation]:
    """The explanations of failures of all but whole fixtures."""
    left = set(parts)
    found: list[Explanation] = []
    while left and len(found) < _MOST:
        best = max(_candidates(left, tried), key=_rank, default=None)
        if best is None:
            break
        left -= best.cases
        more = _relatives(best, left, failed)
        left -= more
        found.append(best._replace(cases=best.cases | more))
    return [*found, *_rest(left)]


def _is_everything(failed: Collection[Case], tried: Collection[Case]) -> bool:
    fields, whats = {each.field for each in failed}, {each.what for each in failed}
    is_wide = len(fields) >= _LEAST_EVERYTHING and len(whats) >= _LEAST_EVERYTHING
    return is_wide and len(failed) >= _EVERYTHING * len({*tried, *failed})


def _candidates(failed: set[Case], tried: Collection[Case]) -> Iterator[Explanation]:
    """The mutations, fields, sections and areas at which most of what was tried failed."""
    yield from _of_whats(failed, tried)
    yield from _of_fields(failed, tried)
    yield from _of_areas(failed, tried)


def _of_whats(failed: set[Case], tried: Collection[Case]) -> Iterator[Explanation]:
    per_what, failed_whats = _whats(tried), _whats(failed)
    pure = {key for key, count in failed_whats.items() if count >= _PURE * per_what[key]}
    sets: list[tuple[Part, tuple[str, ...]]] = [(part, (what,)) for part, what in pure]
    sets += [
        (part, whats)
        for part in {part for part, _ in pure}
        for family in FAMILIES.values()
        if len(whats := tuple(what for what in family if (part, what) in pure)) > 1
    ]
    for part, whats in sets:
        cases = frozenset(each for each in failed if each.part == part and each.what in whats)
        fields = {each.field for each in cases}
        yield Explanation(cases, whats=whats, field=fields.pop() if len(fields) == 1 else "")


def _of_fields(failed: set[Case], tried: Collection[Case]) -> Iterator[Explanation]:
    per_field, failed_fields = _fields(tried), _fields(failed)
    for field, count in failed_fields.items():
        if not field or count < 2:
            continue
        cases = frozenset(each for each in failed if each.field == field)
        whats = {each.what for each in cases}
        family = next((of for of in FAMILIES.values() if whats <= {*of}), ())
        if family:
            yield Explanation(cases, whats=tuple(each for each in family if each in whats), field=field)
        elif count >= _PURE * per_field[field]:
            yield Explanation(cases, field=field)
            # What a section lacks, each of its members lacks.
            within = frozenset(each for each in failed if is_within(each.field, field))
            if len(within) > len(cases):
                yield Explanation(within, field=field)


def _of_areas(failed: set[Case], tried: Collection[Case]) -> Iterator[Explanation]:
    """The areas but the contract's in which most of what was tried failed, in more than one way."""
    per_area, failed_areas = Counter(each.area for each in tried), Counter(each.area for each in failed)
    for area, count in failed_areas.items():
        cases = frozenset(each for each in failed if each.area == area)
        if area != "contract" and count >= _PURE * per_area[area] and len({each.what for each in cases}) > 2:
            yield Explanation(cases, area=area)


def _rank(found: Explanation) -> tuple[int, int, bool, str]:
    """An explanation that covers more comes first; of those that cover as much, one by fewer mutations."""
    return len(found.cases), -len(found.whats) or -99, bool(found.field), found.mark


def _relatives(found: Explanation, left: set[Case], prints: Mapping[Case, str]) -> set[Case]:
    """What is left that goes with an explanation: a field has what its section has."""
    common = _common_print(found, prints)
    alike = {
        case
        for case in left
        if case.part == found.part and case.area != "transport" and prints[case] == common
    }
    if len(found.cases) >= _COVERS_ALL * (len(found.cases) + len(alike)):
        return alike
    return {
        case for case in alike if not case.field or (found.field and _are_related(case.field, found.field))
    }


def _common_print(found: Explanation, prints: Mapping[Case, str]) -> str:
    return Counter(prints[case] for case in found.cases).most_common(1)[0][0]


def _rest(left: set[Case]) -> list[Explanation]:
    """The explanation of failures that neither most of a field nor most of a mutation explains."""
    if not left:
        return []
    whats, fields = {each.what for each in left}, {each.field for each in left}
    return [
        Explanation(
            frozenset(left),
            whats=tuple(whats) if len(whats) == 1 else (),
            field=fields.pop() if len(fields) == 1 else "",
        )
    ]


def is_within(field: str, section: str) -> bool:
    """Whether a field is a section or one of its parts."""
    return field == section or field.startswith(f"{section}/")


def _are_related(one: str, other: str) -> bool:
    return is_within(one, other) or is_within(other, one)


def _whats(cases: Collection[Case]) -> Counter[tuple[Part, str]]:
    return Counter((each.part, each.what) for each in cases)


def _fields(cases: Collection[Case]) -> Counter[str]:
    return Counter(each.field for each in cases)
