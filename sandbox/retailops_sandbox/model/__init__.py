"""The types that all layers share: data without behaviour.

jsonvalue   a JSON value
defaults    the action and the edition where none is named
wire        requests and responses as bytes, faults and timings
receiver    the receiver under test
scenario    a scenario file
judging     violations, differences, judgements
record      the records of the log
struckout   what was struck out of a record
"""

from retailops_sandbox.model.defaults import DEFAULT_ACTION, DEFAULT_EDITION
from retailops_sandbox.model.jsonvalue import Json, Number, encoder
from retailops_sandbox.model.judging import (
    Difference,
    DifferenceKind,
    Judgement,
    Part,
    SourceCheck,
    Verdict,
    Violation,
    ViolationPart,
)
from retailops_sandbox.model.receiver import Basic, Bearer, Netrc, Receiver
from retailops_sandbox.model.record import (
    Delivery,
    DeliveryInFlight,
    MergedShard,
    Record,
    Request,
    Response,
    Result,
    ResultStep,
    RunInfo,
    RunKind,
    Shard,
)
from retailops_sandbox.model.scenario import (
    Capture,
    Deliver,
    Expectation,
    ExpectedStatus,
    ObjectCapture,
    Repetition,
    Rule,
    Scenario,
    Step,
)
from retailops_sandbox.model.struckout import Mark, StruckOut
from retailops_sandbox.model.wire import (
    LONGEST_MS,
    Connection,
    Exchange,
    Fault,
    FaultKind,
    Headers,
    HttpRequest,
    HttpResponse,
    Redirect,
    Timings,
    Wire,
    WrongProof,
)

__all__ = [
    "DEFAULT_ACTION",
    "DEFAULT_EDITION",
    "LONGEST_MS",
    "Basic",
    "Bearer",
    "Capture",
    "Connection",
    "Deliver",
    "Delivery",
    "DeliveryInFlight",
    "Difference",
    "DifferenceKind",
    "Exchange",
    "Expectation",
    "ExpectedStatus",
    "Fault",
    "FaultKind",
    "Headers",
    "HttpRequest",
    "HttpResponse",
    "Json",
    "Judgement",
    "Mark",
    "MergedShard",
    "Netrc",
    "Number",
    "ObjectCapture",
    "Part",
    "Receiver",
    "Record",
    "Redirect",
    "Repetition",
    "Request",
    "Response",
    "Result",
    "ResultStep",
    "Rule",
    "RunInfo",
    "RunKind",
    "Scenario",
    "Shard",
    "SourceCheck",
    "Step",
    "StruckOut",
    "Timings",
    "Verdict",
    "Violation",
    "ViolationPart",
    "Wire",
    "WrongProof",
    "encoder",
]
