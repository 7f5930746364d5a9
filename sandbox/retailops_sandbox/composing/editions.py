"""The editions that a receiver speaks: as it says itself, else as its URL, its paths or its token do."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from retailops_sandbox.contracts import recognition
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.model import DEFAULT_EDITION, Receiver


class SpokenEditions(msgspec.Struct, frozen=True):
    """The editions that a receiver speaks, and how that is known."""

    editions: tuple[str, ...] = ()
    """Empty where they are not known: it may speak all."""
    reason: str = ""
    """How it is known, in words about the receiver."""
    action: str = ""
    """The action that its URL is for; empty where it may be any."""

    @property
    def default(self) -> str:
        """The edition to send where none is named."""
        return DEFAULT_EDITION if self.includes(DEFAULT_EDITION) else self.editions[0]

    @property
    def words(self) -> str:
        """What is known, as a predicate of the receiver; empty where nothing is."""
        return f"speaks {' and '.join(self.editions)}: {self.reason}" if self.editions else ""

    def edition_of(self, action: str, contracts: Contracts) -> str:
        """The edition of an action to send where none is named."""
        known = contracts.editions(action)
        return next((each for each in known if self.includes(each)), known[0] if known else self.default)

    def of_any_action(self) -> SpokenEditions:
        """The same, whatever the URL is for."""
        return msgspec.structs.replace(self, action="")

    def includes(self, edition: str) -> bool:
        """Whether the receiver speaks an edition, as far as is known."""
        return not self.editions or edition in self.editions


def spoken(receiver: Receiver, contracts: Contracts) -> SpokenEditions:
    """The editions that a resolved receiver speaks. The stand-in speaks all, unless it says otherwise."""
    base = receiver.base_url.partition("?")[0].rstrip("/")
    found = recognition.at_end(base, contracts)
    # Paths that it states are appended to the URL, which then is for more than one action.
    action = found.action if found and not receiver.paths else ""
    if receiver.editions:
        at_end = f", and its URL ends in {found.path}" if found and action else ""
        return SpokenEditions(receiver.editions, f"it says so{at_end}", action)
    if receiver.stand_in:
        return SpokenEditions()
    paths = (base, *receiver.paths.values())
    for path in paths:
        for edition, ending in _spelled(path.rstrip("/"), contracts):
            return SpokenEditions((edition,), f"its URL ends in {ending}", action)
    if receiver.token:
        known = contracts.headings
        with_token = dict.fromkeys(each.edition for each in known if each.has_auth)
        if len(with_token) < len({each.edition for each in known}):
            return SpokenEditions(tuple(with_token), "it has a token")
    return SpokenEditions()


def _spelled(path: str, contracts: Contracts) -> Iterator[tuple[str, str]]:
    """The editions that the end of a path names, as _v1 at its end names v1, with that end."""
    if found := recognition.at_end(path, contracts):
        yield found.edition, found.path
    for edition in dict.fromkeys(each.edition for each in contracts.headings):
        if path.rpartition("/")[2].endswith(f"_{edition}"):
            yield edition, f"_{edition}"
