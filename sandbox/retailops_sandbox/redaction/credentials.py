"""Credentials by where they are written: headers and query parameters by their names, userinfo in URLs."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

from retailops_sandbox.model import Headers
from retailops_sandbox.redaction.encodings import percent_decoded

_HEADERS = {
    "authorization": "Authorization",
    "proxy-authorization": "Proxy-Authorization",
    "cookie": "Cookie",
    "set-cookie": "Set-Cookie",
}
# Patterns that few runs need are texts: `re` compiles and keeps them when they are first used.
_NAME = (
    "(?i)api[-_]?key|access[-_]?key|private[-_]?key|auth(?!or(?!i[sz]))|token|secret|passw|passphrase|passcode|"
    "signature|hmac|cookie|credential|session|jwt|[-_]pwd|[-_]sid$|[-_]pin$|[-_]otp$|"
    "(?<!idempotency)(?<!cache)(?<!surrogate)(?<!partition)(?<!routing)[-_]key$"
)
_NO_SECRETS = frozenset({"www-authenticate", "proxy-authenticate", "access-control-allow-credentials"})
"""The headers that are named like a credential and hold none."""
_SCHEME = "(?is)((?:Basic|Bearer|Digest|Negotiate|NTLM|Token|ApiKey|Hawk|AWS4-HMAC-SHA256) +)?(.*)"
USERINFO = r"(?<=//)[^/?#\s]+(?=@)"
"""The pattern of user and password in a URL."""
QUERY = r"[?&;]([^=&#\s?;]+)=([^&#\s;]+)"
"""The pattern of a parameter in the query of a URL: its name and its value."""


SEPARATOR = "\x1f"
"""What stands between texts that are searched as one."""


def is_credential(name: str) -> bool:
    """Whether a header or query parameter of this name holds a secret, judged by the name alone."""
    return re.search(_NAME, name) is not None and name.lower() not in _NO_SECRETS


Proofs: TypeAlias = tuple[tuple[str, str], ...]
"""The headers by which contracts prove a sender: each name in lower case, and the text before the secret."""


@lru_cache(maxsize=512)
def secret_header(name: str, proofs: Proofs = ()) -> str:
    """The name of the secret that is the value of a header of this name; empty where that is no secret.

    No such name is one of a variable, so that nobody who sends a header chooses a variable.
    """
    known = credential_header(name)
    if not known and (is_credential(name) or any(name.lower() == proof for proof, _ in proofs)):
        known = f"header {name}"
    return known


def credential_header(name: str) -> str:
    """The name of a header whose value is always a credential, as its mark spells it; empty for any other."""
    return _HEADERS.get(name.lower(), "")


def joined(headers: Headers) -> str:
    """The names and values of headers as one text."""
    # No line feed, which base64 may be broken by, and no null, which UTF-16 has: both are to be undone.
    return SEPARATOR.join([part for header in headers for part in header])


@lru_cache(maxsize=64)
def is_harmless(headers: Headers, proofs: Proofs = ()) -> bool:
    """Whether no header is a credential, or may hold a URL with one."""
    if any(secret_header(name, proofs) for name, _ in headers):
        return False
    return not any("@" in value or "?" in value for _, value in headers)


def disclosed(url: str, headers: Headers, proofs: Proofs = ()) -> Iterator[tuple[str, str]]:
    """The secrets, with their names, that a URL and headers give away by their place."""
    for name, value in headers:
        credentials = secret_header(name, proofs)
        if credentials:
            for secret in _secrets_of_header(credentials, *split_value(name, value, proofs)):
                yield credentials, secret
    for value in (url, *(value for _, value in headers)):
        for name, secret in _query(value):
            yield name, percent_decoded(secret)
        for userinfo in re.findall(USERINFO, value) if "@" in value else ():
            _, colon, password = userinfo.partition(":")
            yield "URL", percent_decoded(password if colon else userinfo)


def _query(text: str) -> Iterator[tuple[str, str]]:
    """The credentials in the query of a URL, with the names of these secrets."""
    for found in re.finditer(QUERY, text) if "?" in text else ():
        if is_credential(found[1]):
            yield query_name(found[1]), found[2]


def query_name(parameter: str) -> str:
    """The name of the secret that is the value of a query parameter."""
    return f"URL {parameter}"


def split_scheme(value: str) -> tuple[str, str]:
    """The authentication scheme that a header's value begins with, and the rest."""
    match = re.fullmatch(_SCHEME, value)
    return (match[1] or "", match[2]) if match else ("", value)


def split_value(name: str, value: str, proofs: Proofs = ()) -> tuple[str, str]:
    """What a header's value begins with beside its secret, such as a scheme, and the rest."""
    for proof, before in proofs:
        if proof == name.lower() and before and value.startswith(before):
            return before, value[len(before) :]
    return split_scheme(value)


def _secrets_of_header(name: str, scheme: str, credentials: str) -> Iterator[str]:
    if name in ("Cookie", "Set-Cookie"):
        value = scheme + credentials
        pairs = value.split(";") if name == "Cookie" else [value.partition(";")[0]]
        for pair in pairs:
            yield pair.partition("=")[2].strip().strip('"')
        return
    yield credentials
    if scheme.strip().lower() == "basic":
        try:
            decoded = b64decode(credentials.encode(), validate=True).decode()
        except (Base64Error, UnicodeDecodeError):
            return
        yield decoded.partition(":")[2]
