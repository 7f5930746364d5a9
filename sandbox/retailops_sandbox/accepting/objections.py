"""Why an answer cannot be accepted: what is accepted must keep the contract."""

from __future__ import annotations

from retailops_sandbox import recording
from retailops_sandbox.comparing import NOT_JSON
from retailops_sandbox.model import Delivery, Difference, Judgement


def objections(sent: Delivery, judgement: Judgement) -> tuple[str, ...]:
    """Why the answer to a delivery cannot be accepted, and how to expect it on purpose, one in a line.

    A fault is no answer, and an answer that breaks the contract is a mistake of the receiver until somebody
    writes that it is meant. Empty for an answer that can be accepted.
    """
    expected = judgement.expectation
    if sent.fault is not None:
        if expected is not None and expected.fault == sent.fault.kind:
            return ()
        mend = "" if sent.fault.kind == "cancelled" else _on_purpose(f'"fault": "{sent.fault.kind}"')
        return (f"the fault {sent.fault.kind} is no answer{mend}",)
    if sent.response is None:
        return ("there is no answer",)
    status = sent.response.status
    found = []
    if any(each.part == "status" for each in judgement.violations):
        say = f'"status": {status}'
        found.append(f"the contract has no answer with the status {status}{_on_purpose(say)}")
    others = [each for each in judgement.violations if each.part != "status"]
    if others and (expected is None or expected.contract):
        broken = recording.first_violation(others)
        say = '"contract": false'
        found.append(f"the answer breaks the contract ({broken}){_on_purpose(say)}")
    elif any(_is_of_no_json(each) for each in judgement.differences):
        found.append("the answer is not JSON, which no expected body can be: leave body out if it is meant")
    return tuple(found)


def _is_of_no_json(difference: Difference) -> bool:
    """Whether a difference is that of an expected body from an answer that is not JSON, or has no body."""
    of_whole = difference.part == "body" and difference.expected_pointer == ""
    return of_whole and (difference.kind == "missing" or difference.hint == NOT_JSON)


def _on_purpose(say: str) -> str:
    return f": to expect it on purpose, say {say} in expect"
