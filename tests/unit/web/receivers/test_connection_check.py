"""When a certificate ends, in words."""

from __future__ import annotations

import pytest

from retailops_sandbox.transport.checking import Certificate
from retailops_sandbox.web.receivers import connection_check

NOW = "2026-03-01T12:00:00.123456Z"


@pytest.mark.parametrize(
    ("expires", "told"),
    [
        ("2027-03-01T12:00:01Z", ("in 365 days", False)),
        ("2026-03-31T12:00:01Z", ("in 30 days", False)),
        ("2026-03-31T12:00:00Z", ("in 29 days", True)),
        ("2026-03-02T12:00:01Z", ("in 1 day", True)),
        ("2026-03-01T12:00:01Z", ("in less than a day", True)),
        ("2026-03-01T11:59:59Z", ("expired less than a day ago", True)),
        ("2026-02-27T12:00:00Z", ("expired 2 days ago", True)),
        ("2023-01-01T00:00:00Z", ("expired 1,155 days ago", True)),
        ("", ("", False)),
    ],
)
def test_the_end_of_a_certificate_in_words(expires: str, told: tuple[str, bool]):
    certificate = Certificate("subject", "issuer", "names", "", expires)
    assert connection_check._expiry(certificate, NOW) == told


def test_without_a_certificate_nothing_ends():
    assert connection_check._expiry(None, NOW) == ("", False)
