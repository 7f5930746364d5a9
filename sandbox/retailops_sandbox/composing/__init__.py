"""Composing: a fixture with changes and placeholders becomes a payload, then the exact request. Pure.

placeholders   `${name}`, and the values that it can name
payload        a step's changes applied to its fixture
headers        which names and values can be sent
receiver       a receiver with its placeholders filled, and its URL
editions       the editions that a receiver speaks
request        the exact request
wire           how a step spells its request, as far as it is made before it is signed
"""

from retailops_sandbox.composing.payload import Payload, Template, compose, raw_bytes
from retailops_sandbox.composing.placeholders import (
    BUILT_IN,
    MissingCapture,
    Names,
    UnknownPlaceholder,
    environment_variables,
    escaped,
    fill,
    fill_text,
    has_placeholder,
    references,
    variable_value,
)
from retailops_sandbox.composing.receiver import (
    base_url,
    check,
    connection,
    joined,
    resolve,
    url,
    varies,
)
from retailops_sandbox.composing.request import Head, build, build_raw, head

__all__ = [
    "BUILT_IN",
    "Head",
    "MissingCapture",
    "Names",
    "Payload",
    "Template",
    "UnknownPlaceholder",
    "base_url",
    "build",
    "build_raw",
    "check",
    "compose",
    "connection",
    "environment_variables",
    "escaped",
    "fill",
    "fill_text",
    "has_placeholder",
    "head",
    "joined",
    "raw_bytes",
    "references",
    "resolve",
    "url",
    "variable_value",
    "varies",
]
