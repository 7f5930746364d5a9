"""The request that Invoke-WebRequest or Invoke-RestMethod would send. No file is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from retailops_sandbox.errors import did_you_mean
from retailops_sandbox.importing.commands.command import Command, CommandText
from retailops_sandbox.importing.commands.options import options
from retailops_sandbox.importing.commands.parts import JSON, RequestParts
from retailops_sandbox.importing.commands.powershell_values import Session, Value, as_text
from retailops_sandbox.importing.found import FoundRequest, shown

NAMES = {"invoke-webrequest", "invoke-restmethod", "iwr", "irm"}
"""The cmdlets and their aliases."""

_PARAMETERS = options(
    request=(
        *("Uri", "Method", "CustomMethod", "Body", "Headers", "ContentType", "UserAgent", "WebSession"),
        *("SessionVariable", "SV"),
    ),
    secret={
        "Credential": "the credential of -Credential",
        "Token": "the token of -Token",
        "ProxyCredential": "the credential of -ProxyCredential",
    },
    receiver_switches=(
        *("SkipCertificateCheck", "UseDefaultCredentials", "ProxyUseDefaultCredentials", "NoProxy"),
        *("PreserveAuthorizationOnRedirect", "PreserveHttpMethodOnRedirect", "AllowInsecureRedirect"),
    ),
    receiver=(
        *("Certificate", "CertificateThumbprint", "SslProtocol", "TimeoutSec", "ConnectionTimeoutSeconds"),
        *("OperationTimeoutSeconds", "MaximumRedirection", "Proxy", "UnixSocket"),
    ),
    idle_switches=(
        *("UseBasicParsing", "DisableKeepAlive", "PassThru", "Resume", "SkipHeaderValidation", "Verbose"),
        *("SkipHttpErrorCheck", "AllowUnencryptedAuthentication", "FollowRelLink", "Debug"),
    ),
    idle=(
        *("Authentication", "OutFile", "HttpVersion", "MaximumRetryCount", "RetryIntervalSec", "ErrorAction"),
        *("ErrorVariable", "OutVariable", "StatusCodeVariable", "ResponseHeadersVariable"),
        *("MaximumFollowRelLink", "WarningAction", "ProgressAction", "TransferEncoding"),
    ),
    refused={"InFile": "reads the body from a file", "Form": "sends a form and no JSON"},
)
_LOWER = {name.lower(): name for name in _PARAMETERS}


class Argument(NamedTuple):
    """An argument of a command."""

    kind: str
    """`parameter` for a name such as -Uri, `value`, or `splat` for a table of parameters."""
    value: Value
    at: int


def has_parameters(arguments: Sequence[Argument]) -> bool:
    """Whether arguments are those of a web request, as where `curl` is an alias of one."""
    named = (as_text(each.value).lower() for each in arguments if each.kind == "parameter")
    return any(len(name) > 2 and name in _LOWER for name in named)


def request(
    source: CommandText, at: int, name: str, arguments: Sequence[Argument], given: Value
) -> FoundRequest:
    """The request of the cmdlet called `name` at a position; SourceError at what is not understood.

    `given` is what was piped into it, None for nothing.
    """
    sent = RequestParts("GET")
    for each in _given(source, arguments):
        _take(source, sent, each)
    if not sent.data and isinstance(given, str):
        sent.data.append(given)
    if not sent.has_header("Content-Type"):
        sent.headers.append(("Content-Type", JSON))
        sent.notes.append("it says no Content-Type, of which PowerShell makes a form's: it is sent as JSON")
    return sent.request(
        source, Command(at=at, words=(name,), places=(at,)), "PowerShell", body_option="-Body"
    )


class _Parameter(NamedTuple):
    name: str
    value: Value
    at: int


def _given(source: CommandText, arguments: Sequence[Argument]) -> Iterator[_Parameter]:
    """The parameters with their values, also those of a table; a value without a name is the URL."""
    rest = iter(arguments)
    for each in rest:
        if each.kind == "splat" and isinstance(each.value, dict):
            for written, member in each.value.items():
                yield _Parameter(_whole_name(source, written, each.at), member, each.at)
        elif each.kind == "parameter":
            name = _whole_name(source, as_text(each.value), each.at)
            value: Value = True
            if _PARAMETERS[name].has_value:
                following = next(rest, None)
                if following is None or following.kind != "value":
                    raise source.wrong(each.at, f"-{name} has no value", "add it")
                value = following.value
            yield _Parameter(name, value, each.at)
        else:
            yield _Parameter("Uri", each.value, each.at)


def _whole_name(source: CommandText, written: str, at: int) -> str:
    """The name of a parameter, which may be shortened as long as it is the only one that begins so."""
    lower = written.lower()
    if lower in _LOWER:
        return _LOWER[lower]
    begun = [name for known, name in _LOWER.items() if known.startswith(lower)]
    if len(begun) == 1:
        return begun[0]
    written = shown(written)
    near = did_you_mean(f"-{written}", [f"-{name}" for name in _PARAMETERS])
    mend = near or "leave it out if it does not matter for what is sent"
    raise source.wrong(at, f"-{written} is a parameter that is not understood here", mend)


def _take(source: CommandText, sent: RequestParts, given: _Parameter) -> None:
    """Add a parameter to the parts of the request."""
    name, value, at = given
    option = _PARAMETERS[name]
    if option.kind == "refused":
        raise source.wrong(at, f"-{name} {option.why}", "import a request that posts JSON")
    if option.kind == "secret":
        sent.secrets.append((option.why, as_text(value)))
    elif option.kind == "receiver":
        sent.of_receiver.append(f"-{name}")
    elif name == "Uri":
        sent.urls.append(as_text(value))
    elif name in ("Method", "CustomMethod"):
        sent.method = as_text(value).upper()
    elif name == "Body":
        sent.data.append(_body(source, value, at))
    elif name == "Headers":
        sent.headers += _headers(source, value, at)
    elif name == "ContentType":
        sent.headers.append(("Content-Type", as_text(value)))
    elif name == "UserAgent":
        sent.headers.append(("User-Agent", as_text(value)))
    elif name == "WebSession" and isinstance(value, Session):
        sent.headers += [("User-Agent", value.user_agent)] if value.user_agent else []
        sent.secrets += [("the cookies of -WebSession", cookie) for cookie in value.cookies]


def _body(source: CommandText, value: Value, at: int) -> str:
    if isinstance(value, dict | list):
        mend = "put ($body | ConvertTo-Json -Depth 10) there"
        raise source.wrong(at, "the body is a table, of which PowerShell makes a form", mend)
    if isinstance(value, msgspec.Struct):
        raise source.wrong(at, "the body is known only by running it", "put it there")
    return as_text(value)


def _headers(source: CommandText, value: Value, at: int) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        raise source.wrong(at, "the headers are no table", "for example -Headers @{ 'X-Shop' = '12' }")
    return [(name, as_text(each)) for name, each in value.items()]
