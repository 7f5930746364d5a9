"""A scenario, its steps and what they expect, as a scenario file holds them.

The descriptions and bounds of the fields also go into the JSON Schema by which editors complete the files.
"""

# No `from __future__ import annotations`: msgspec would compile each string when the first file is read.

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from retailops_sandbox.model.defaults import DEFAULT_ACTION, DEFAULT_EDITION
from retailops_sandbox.model.wire import LONGEST_MS, FaultKind, Wire

Rule: TypeAlias = str | dict[str, Any]
"""A matcher as a file holds it: `"ignore"` or `{"regex": "^ERR"}`. comparing.matchers knows them."""

_Pointer: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": r"^(/([^~/]|~[01])*)*$"})]
"""A JSON Pointer. The pattern is in the JSON Schema alone: reading a file gives a better message."""
_Path: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": r"^(/([^~/]|~[01])*)*$"})]
"""A JSON Pointer in which `*` stands for each item or member."""
_Pause: TypeAlias = Annotated[int, Meta(ge=0, le=LONGEST_MS)]
_Limit: TypeAlias = Annotated[int, Meta(ge=1, le=LONGEST_MS)]

_StatusClass: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": "^[1-5]xx$"})]
"""The first digit of a status and `xx`. As for a pointer, the pattern is in the JSON Schema alone."""
ExpectedStatus: TypeAlias = int | _StatusClass
"""A status, or a class of them such as `4xx`."""


class Expectation(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """The expected response. What is absent is not compared; status then means the contract's ok_statuses."""

    status: Annotated[
        ExpectedStatus | list[ExpectedStatus] | None,
        Meta(
            description='The status, a class of them such as "4xx", or a list of both. '
            "The contract's ok_statuses where absent."
        ),
    ] = None
    max_ms: Annotated[float | None, Meta(description="The longest total time.")] = None
    headers: Annotated[dict[str, Rule], Meta(description="Header to value or matcher.")] = {}
    body: Annotated[Any, Meta(description="The expected body: a real answer. Not compared where absent.")] = (
        UNSET
    )
    rules: Annotated[
        dict[_Pointer, Rule],
        Meta(
            description="Path to matcher. A path is a JSON Pointer in which * is one level; "
            "a more exact one wins."
        ),
    ] = {}
    contract: Annotated[
        bool, Meta(description="false: violations of the response's schema are listed, but do not fail.")
    ] = True
    fault: Annotated[FaultKind | None, Meta(description="The fault that must happen.")] = None


class Deliver(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """How a step's bytes are delivered."""

    times: Annotated[
        int, Meta(description="How many times the same bytes are delivered.", ge=1, le=100_000)
    ] = 1
    parallel: Annotated[
        int, Meta(description="How many deliveries are in flight at once.", ge=1, le=1_000)
    ] = 1
    delay_ms: Annotated[_Pause, Meta(description="The pause before each delivery.")] = 0
    timeout_ms: Annotated[
        _Limit | None,
        Meta(description="How long a delivery may take, instead of the receiver's own limit."),
    ] = None
    headers: Annotated[
        dict[str, str | None],
        Meta(
            description="Headers to send beside the receiver's, or instead of those of the same name. "
            "null leaves one out."
        ),
    ] = {}
    content_type: Annotated[
        str | None, Meta(description="The Content-Type, where it is not application/json.")
    ] = None
    drop_after_ms: Annotated[
        _Pause | None,
        Meta(description="Hang up on the first delivery after this long, then deliver again."),
    ] = None
    wire: Annotated[
        Wire | None,
        Meta(description="How the request is spelled on the wire, where it is not the usual way."),
    ] = None


class ObjectCapture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A capture that makes an object of each place of an answer."""

    path: Annotated[_Path, Meta(description="A pointer, in which * is each item: a list of objects then.")]
    members: Annotated[
        dict[str, _Path],
        Meta(description="Member to pointer, from the place on: what an object is made of.", min_length=1),
    ]


Capture: TypeAlias = _Path | ObjectCapture
"""Where in an answer a captured value is."""


class Repetition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long a step is done again."""

    captured: Annotated[
        str,
        Meta(
            description="A name that the step captures: it is done again while the value is there and "
            'is not null, "" or [].'
        ),
    ]
    at_most: Annotated[
        int,
        Meta(description="How often the step is done at most; it fails where that ends it.", ge=1, le=1_000),
    ]


class Step(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One item of a scenario: compose once, deliver, judge each delivery against one expectation."""

    name: Annotated[str, Meta(description="Unique in the file; step 1 and so on where absent.")] = ""
    action: Annotated[
        str | None, Meta(description="What RetailOPS calls for; the file's action where absent.")
    ] = None
    edition: Annotated[
        str | None, Meta(description="The version of the contract; the file's edition where absent.")
    ] = None
    fixture: Annotated[
        str | None,
        Meta(description="The name of the payload to send: one of the workspace's, or a shipped one."),
    ] = None
    payload: Annotated[Any, Meta(description="The payload itself, instead of a fixture.")] = UNSET
    raw: Annotated[
        str | None,
        Meta(description="Bytes to send as they are, instead of either: text, or base64:..."),
    ] = None
    remove: Annotated[
        list[_Pointer], Meta(description="Pointers to what is taken away, before anything is set.")
    ] = []
    set: Annotated[
        dict[_Pointer, Any],
        Meta(description="Pointer to value. Objects that are missing are made; /- appends to an array."),
    ] = {}
    deliver: Annotated[Deliver, Meta(description="How often and how it is delivered.")] = Deliver()
    expect: Annotated[
        Expectation | list[Expectation] | UnsetType | None,
        Meta(
            description="What the answer must be, or a list with one for each delivery. "
            "Where absent, the fixture's own expectation; null expects nothing, the answer is recorded."
        ),
    ] = UNSET
    capture: Annotated[
        dict[str, Capture],
        Meta(
            description="Name to pointer: takes values from the answer, for later steps. "
            "With * in the pointer, a list of them."
        ),
    ] = {}
    repeat_while: Annotated[
        Repetition | None, Meta(description="Do the step again while a captured value is not empty.")
    ] = None
    together: Annotated[
        bool,
        Meta(description="Send at the same time as the step before: several of them are one group."),
    ] = False
    off_contract: Annotated[bool, Meta(description="Send although the payload breaks the contract.")] = False


class Scenario(
    msgspec.Struct, frozen=True, dict=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """An ordered plan in a file."""

    schema: Annotated[
        str,
        Meta(description="Where an editor finds this format, for completion. Not read otherwise."),
    ] = field(default="", name="$schema")
    format: Annotated[Literal[1], Meta(description="The version of this format.")] = 1
    name: Annotated[
        str, Meta(description="What must stay true, in a sentence. The file's path where absent.")
    ] = ""
    description: Annotated[str, Meta(description="More, for whoever reads a report.")] = ""
    tags: Annotated[list[str], Meta(description="Words to choose by: run --tag smoke.")] = []
    action: Annotated[str, Meta(description="What RetailOPS calls for.")] = DEFAULT_ACTION
    edition: Annotated[str, Meta(description="The version of the contract.")] = DEFAULT_EDITION
    variables: Annotated[
        dict[str, Any], Meta(description="Values for placeholders, by name: ${order_id}.")
    ] = {}
    steps: Annotated[
        list[Step],
        Meta(description="What is sent, in this order.", extra_json_schema={"minItems": 1}),
    ]

    def contract_of(self, step: Step) -> tuple[str, str]:
        """The action and edition of a step: its own, else those of the scenario."""
        return step.action or self.action, step.edition or self.edition

    @cached_property
    def contracts(self) -> list[tuple[str, str]]:
        """The actions and editions of the steps, each once, in the order of the steps."""
        return list(dict.fromkeys(map(self.contract_of, self.steps)))

    @cached_property
    def groups(self) -> list[range]:
        """The numbers of the steps that are sent at the same time, from 0: mostly one by itself."""
        first = [number for number, step in enumerate(self.steps) if not step.together or not number]
        return [range(*ends) for ends in pairwise((*first, len(self.steps)))]
