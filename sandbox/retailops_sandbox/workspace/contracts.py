"""The contracts of a workspace: the files `contracts/<action>.<edition>.json` over the shipped ones."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS, Contracts, Name, OwnContract
from retailops_sandbox.errors import FileError, SandboxError, UsageError, unreadable
from retailops_sandbox.workspace.files import FileStamp, file_stamp, is_settled, read_text
from retailops_sandbox.workspace.links import leads_out, link_error
from retailops_sandbox.workspace.names import safe_name

SUFFIX = ".json"

_Stamps = dict[str, FileStamp | None]
"""The stamp of each file, by its name; None where the system gives none."""


class _Known(msgspec.Struct, frozen=True):
    """What a folder held when it was read."""

    stamps: _Stamps
    is_settled: bool
    """Whether a change of a file since then would have another stamp."""
    own: dict[str, OwnContract]
    """By the file's name."""
    contracts: Contracts


class ContractFolder:
    """Reads the contracts of a folder, and a file again only where it has changed. Threads may share it."""

    def __init__(self, folder: Path, within: Path) -> None:
        """Links are followed where they stay in `within`."""
        self._folder = folder
        self._within = within
        self._known = _Known({}, True, {}, SHIPPED_CONTRACTS)

    def read(self) -> Contracts:
        """The contracts as they are now; the same object as before where no file has changed."""
        try:
            names = _json_files(self._folder)
        except OSError as error:
            return Contracts(unreadable=[unreadable(self._folder, error)])
        if not names:
            return SHIPPED_CONTRACTS
        if leads_out(self._folder, self._within):
            return Contracts(unreadable=[link_error(self._folder)])
        known = self._known
        stamps: _Stamps = {name: file_stamp(self._folder / name) for name in names}
        if known.is_settled and stamps == known.stamps:
            return known.contracts
        self._known = known = self._read(stamps, known)
        return known.contracts

    def _read(self, stamps: _Stamps, before: _Known) -> _Known:
        own: dict[str, OwnContract] = {}
        problems: list[SandboxError] = []
        for name, stamp in stamps.items():
            old = before.own.get(name)
            if old is not None and before.is_settled and stamp == before.stamps[name]:
                own[name] = old
                continue
            try:
                read = self._own(name)
            except SandboxError as error:
                problems.append(error)
            else:
                own[name] = old if old is not None and old.text == read.text else read
        is_same = own == before.own and not problems and not before.contracts.unreadable
        contracts = (
            before.contracts if is_same else Contracts({each.name: each for each in own.values()}, problems)
        )
        settled = all(stamp is not None and is_settled(stamp) for stamp in stamps.values())
        return _Known(stamps, settled, own, contracts)

    def _own(self, file_name: str) -> OwnContract:
        """The contract of a file; SandboxError where it cannot be read, or its name is none of a contract."""
        path = self._folder / file_name
        action, edition = contract_name(path)
        if leads_out(path, self._within):
            raise link_error(path)
        return OwnContract(action, edition, read_text(path), str(path))


def contract_name(path: Path) -> Name:
    """The action and the edition that a contract's file is named by; FileError where it has another name."""
    action, _, edition = path.name.removesuffix(SUFFIX).partition(".")
    try:
        return safe_name(action), safe_name(edition)
    except UsageError as error:
        what = "its name is none of a contract"
        raise FileError(what, mend=f"name it <action>.<edition>{SUFFIX}", file=str(path)) from error


def _json_files(folder: Path) -> list[str]:
    """The names of the JSON files in a folder, in order; none where there is no folder. Raises OSError."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if name.endswith(SUFFIX))
