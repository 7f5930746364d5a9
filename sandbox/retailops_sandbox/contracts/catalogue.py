"""The contracts that can be chosen from: a workspace's own over those that ship."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, TypeAlias

import msgspec

from retailops_sandbox import resources
from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SandboxError, SourceError, UsageError, did_you_mean
from retailops_sandbox.jsontext import error_in
from retailops_sandbox.model import DEFAULT_ACTION, DEFAULT_EDITION

Name = tuple[str, str]
"""The action and the edition of a contract."""

_BY_WHICH_DELIVERIES_ARE_READ = ("auth", "subject", "events", "codes", "secrets")
"""The fields by which deliveries of the log are read. A contract in the place of another has the same."""


class Heading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a contract without reading its schemas."""

    action: str
    edition: str
    path: str
    has_auth: bool
    """Whether its requests prove their sender."""

    @property
    def name(self) -> Name:
        """The action and the edition."""
        return self.action, self.edition


class _Beginning(msgspec.Struct, frozen=True):
    """The members of a contract's file that a heading is made of."""

    action: str
    edition: str
    path: str
    auth: dict[str, Any] | None = None


class OwnContract:
    """A contract of a workspace's file, proved when it is first used."""

    def __init__(self, action: str, edition: str, text: str, file: str) -> None:
        """`action` and `edition` are those of the file's name; `file` is the path that errors name."""
        self.name: Name = (action, edition)
        self.text = text
        self.file = file

    @cached_property
    def heading(self) -> Heading | None:
        """What it says first; None where that cannot be read, or disagrees with the file's name."""
        try:
            heading = heading_of(self.text)
        except (msgspec.DecodeError, RecursionError):
            return None
        return heading if heading.name == self.name else None

    @cached_property
    def proved(self) -> Contract | SandboxError:
        """The contract, or why the file holds none that can be used."""
        try:
            return self._read()
        except SandboxError as error:
            return error

    def _read(self) -> Contract:
        read = contract.read(self.text, file=self.file)
        for field, said, named in zip(
            ("action", "edition"), (read.action, read.edition), self.name, strict=True
        ):
            if said != named:
                mend = f"name the file {read.action}.{read.edition}.json, or write {named}"
                raise self._error(f"/{field}", f"it says {said}, and the file's name {named}", mend)
        if self.name in _shipped_names():
            below = _shipped(*self.name)
            for field in _BY_WHICH_DELIVERIES_ARE_READ:
                if getattr(read, field) != getattr(below, field):
                    what = f"{field} is not that of the shipped contract, by which deliveries are read"
                    mend = (
                        f"keep {_spelled(getattr(below, field))}, or give the contract an edition of its own"
                    )
                    raise self._error(f"/{field}", what, mend)
        return read

    def _error(self, pointer: str, what: str, mend: str) -> SourceError:
        error = error_in(self.text, pointer, what, file=self.file)
        error.mend = mend
        return error


class Contracts:
    """The contracts of a workspace at some moment; without files of a workspace, those that ship."""

    def __init__(
        self, own: Mapping[Name, OwnContract] | None = None, unreadable: Sequence[SandboxError] = ()
    ) -> None:
        """`unreadable` is why some of the workspace's files are none of `own`."""
        self._own = own or {}
        self._unreadable = tuple(unreadable)

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """The action and edition of each that can be used.

        The default action comes first, the others by name; of each, the default edition comes first.
        """
        broken = {name for name, each in self._own.items() if isinstance(each.proved, SandboxError)}
        return tuple(sorted((_shipped_names() | self._own.keys()) - broken, key=_default_first))

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """What each says first, in the order of `names`; the files of a workspace are not proved for it."""
        found = dict(_shipped_headings())
        for name, each in self._own.items():
            found.pop(name, None)
            if each.heading is not None:
                found[name] = each.heading
        return tuple(found[name] for name in sorted(found, key=_default_first))

    @property
    def unreadable(self) -> tuple[SandboxError, ...]:
        """Why some of the workspace's files are not looked into."""
        return self._unreadable

    @cached_property
    def problems(self) -> tuple[SandboxError, ...]:
        """Why files of the workspace hold no contract that can be used."""
        proved = (each.proved for each in self._own.values())
        return (*self._unreadable, *(each for each in proved if isinstance(each, SandboxError)))

    @property
    def default(self) -> Name:
        """The action and edition where none is named."""
        return self.names[0]

    def editions(self, action: str) -> tuple[str, ...]:
        """The editions of an action, the default one first; none for an unknown action."""
        return tuple(edition for each, edition in self.names if each == action)

    @property
    def own(self) -> list[OwnContract]:
        """Those of the workspace's files, whether they can be used or not."""
        return list(self._own.values())

    def text(self, action: str, edition: str) -> str:
        """The text of a contract's file; UsageError where there is none."""
        if (own := self._own.get((action, edition))) is not None:
            return own.text
        if not self.is_shipped(action, edition):
            raise self._unknown(action, edition)
        return resources.contract_text(f"{action}.{edition}").decode()

    def is_shipped(self, action: str, edition: str) -> bool:
        """Whether a contract of this name ships."""
        return (action, edition) in _shipped_names()

    def is_own(self, action: str, edition: str) -> bool:
        """Whether a contract is of the workspace's files."""
        return (action, edition) in self._own

    def load(self, action: str, edition: str) -> Contract:
        """The contract of an action in an edition.

        UsageError where there is none; the SandboxError of a workspace's file that holds none.
        """
        own = self._own.get((action, edition))
        if own is not None:
            if isinstance(own.proved, SandboxError):
                # Raised each time it is asked for, it would gather the places of all of them.
                raise own.proved.with_traceback(None)
            return own.proved
        if not self.is_shipped(action, edition):
            raise self._unknown(action, edition)
        return _shipped(action, edition)

    def find(self, action: str, edition: str) -> Contract | None:
        """The contract by which a delivery of the log is read; None where there is none.

        In the place of a file that cannot be used stands the shipped contract of its name: it reads alike.
        """
        own = self._own.get((action, edition))
        if own is not None and not isinstance(own.proved, SandboxError):
            return own.proved
        return _shipped(action, edition) if self.is_shipped(action, edition) else None

    def readable(self) -> list[Contract]:
        """All contracts by which deliveries of the log are read, as `find` gives them."""
        found = (self.find(*name) for name in sorted(_shipped_names() | self._own.keys()))
        return [each for each in found if each is not None]

    def of(self, action: str = "", edition: str = "") -> list[Contract]:
        """All contracts of this action and edition, where these are given; the default edition first."""
        names = (
            name
            for name in self.names
            if (not action or name[0] == action) and (not edition or name[1] == edition)
        )
        return [self.load(*name) for name in sorted(names, key=lambda name: name[1] != DEFAULT_EDITION)]

    def _unknown(self, action: str, edition: str) -> UsageError:
        for error in self._unreadable:
            if error.file.endswith(f"/{action}.{edition}.json"):
                raise error.with_traceback(None)
        for (each, _), own in self._own.items():
            # Where an action has no other contract, the broken one is meant.
            if each == action and not self.editions(action) and isinstance(own.proved, SandboxError):
                raise own.proved.with_traceback(None)
        editions = self.editions(action)
        if editions:
            mend = f"{action} has {' and '.join(editions)}: say the edition {editions[0]}"
        else:
            actions = list(dict.fromkeys(each for each, _ in self.names))
            mend = did_you_mean(action, actions) or f"there are {', '.join(actions)}"
        return UsageError(f"there is no contract {action}.{edition}", mend=mend)


def heading_of(text: str | bytes) -> Heading:
    """The heading of a contract's text; msgspec.DecodeError where it has none."""
    read = _beginning.decode(text)
    return Heading(read.action, read.edition, read.path, has_auth=read.auth is not None)


ContractSource: TypeAlias = Callable[[], Contracts]
"""Gives the contracts as they are now."""


def _default_first(name: Name) -> tuple[bool, str, bool, str]:
    action, edition = name
    return action != DEFAULT_ACTION, action, edition != DEFAULT_EDITION, edition


def _spelled(value: object) -> str:
    return msgspec.json.encode(value).decode()


@cache
def _shipped_names() -> frozenset[Name]:
    return frozenset(_shipped_headings())


@cache
def _shipped_headings() -> Mapping[Name, Heading]:
    # One small file, which a test holds to the contracts: a start reads those alone that it uses.
    return {each.name: each for each in _headings.decode(resources.contract_headings())}


@cache
def _shipped(action: str, edition: str) -> Contract:
    # Not proved as by `contract.read`: a test proves all shipped contracts, which saves time at each start.
    return contract.decoded(resources.contract_text(f"{action}.{edition}"))


_beginning = msgspec.json.Decoder(_Beginning)
_headings = msgspec.json.Decoder(tuple[Heading, ...])

SHIPPED_CONTRACTS = Contracts()
"""The contracts that ship, without those of any workspace."""
