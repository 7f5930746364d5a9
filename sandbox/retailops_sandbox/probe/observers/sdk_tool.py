"""What RetailOPS' published tool would say: it has a schema of its own, and wants exact statuses."""

from __future__ import annotations

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import shortened
from retailops_sandbox.probe.observers.reading import Reading

_OF_TOOL = "SDK"
_SHOWN = 160
"""The most characters of a reason that are quoted."""


class SdkTool:
    """Judges the answers to valid requests, and to wrong tokens, as the tool does."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._source = next((name for name in contract.variants if _OF_TOOL in name), "")
        self._valid = self._failed = 0
        self._reason = ""

    def observe(self, reading: Reading) -> None:
        """Judge an answer, where the tool would have asked for it."""
        judgement = reading.answered.judgement
        if not self._source or judgement is None or reading.answered.probe.area == "transport":
            return
        trial, auth = reading.trial, self._contract.auth
        if trial.demand == "accept":
            reason = self._objection(reading)
        elif trial.demand == "refuse" and auth is not None and not judgement.payload_violations:
            wrong = f"a wrong token was answered {reading.status}, not {auth.status}"
            reason = wrong if reading.status != auth.status else ""
        else:
            return
        self._valid += 1
        self._failed += bool(reason)
        self._reason = self._reason or reason

    def _objection(self, reading: Reading) -> str:
        """Why the tool would not take an answer to a valid request; empty where it would."""
        if reading.status not in self._contract.ok_statuses:
            wanted = " or ".join(map(str, self._contract.ok_statuses))
            return f"a valid request was answered {reading.status}, not {wanted}"
        judgement = reading.answered.judgement
        assert judgement is not None
        said = next((each.violations for each in judgement.sources if each.source == self._source), None)
        broken = judgement.violations if said is None else said
        found = [each for each in broken if each.part in ("body", "answer")]
        return shortened(f"{found[0].pointer} {found[0].message}".strip(), _SHOWN) if found else ""

    @property
    def words(self) -> str:
        """What the tool would say, in words; empty where nothing was asked as it does."""
        if not self._valid:
            return ""
        if not self._failed:
            return f"It would pass all {self._valid:,} answers that were asked for as it does."
        return f"It would fail {self._failed:,} of {self._valid:,} answers, such as: {self._reason}"
