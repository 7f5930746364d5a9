"""Frameworks that protect forms: how their refusals look, and what they want instead.

A receiver of RetailOPS is called by a program, without a form and without a session. Such a protection does
not fit it, so the first advice is always to exempt its URL.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec


class Protection(msgspec.Struct, frozen=True):
    """The protection of one framework."""

    framework: str
    statuses: frozenset[int]
    words: re.Pattern[str]
    """What its answer says, in any case."""
    header: str
    """The header by which a client without a form could satisfy it."""
    mend: str
    """How to exempt a URL from it."""


def _protection(framework: str, statuses: Collection[int], words: str, header: str, mend: str) -> Protection:
    return Protection(framework, frozenset(statuses), re.compile(words, re.IGNORECASE), header, mend)


_ANY = frozenset([302, 303, 400, 401, 403, 419, 422])

PROTECTIONS = (
    _protection(
        "Laravel",
        {419},
        "",
        "X-CSRF-TOKEN",
        "put its route into routes/api.php, or except it in validateCsrfTokens",
    ),
    _protection(
        "Django",
        {403},
        "CSRF verification failed|CSRF cookie not set|CSRF token (?:missing|incorrect)",
        "X-CSRFToken",
        "decorate its view with csrf_exempt",
    ),
    _protection(
        "Rails",
        {422},
        "InvalidAuthenticityToken|The change you wanted was rejected|Can't verify CSRF",
        "X-CSRF-Token",
        "say skip_forgery_protection in its controller, or let that inherit from ActionController::API",
    ),
    _protection(
        "Magento",
        {301, 302, 303, 307, 400, 403},
        "Invalid Form Key|X-Magento-",
        "X-Requested-With: XMLHttpRequest",
        "let its controller implement CsrfAwareActionInterface, and validateForCsrf return true",
    ),
    _protection(
        "Spring Security",
        {403},
        "Invalid CSRF Token '|Expected CSRF token not found|Could not verify the provided CSRF token",
        "X-CSRF-TOKEN",
        "except its path by csrf.ignoringRequestMatchers",
    ),
    _protection(
        "ASP.NET Core",
        {400},
        "antiforgery",
        "RequestVerificationToken",
        "mark its action with [IgnoreAntiforgeryToken]",
    ),
    _protection(
        "Flask-WTF",
        {400},
        "The CSRF (?:token is missing|token is invalid|session token is missing|tokens do not match)",
        "X-CSRFToken",
        "exempt its view by csrf.exempt",
    ),
    _protection(
        "Express with csurf",
        {403},
        "invalid csrf token|EBADCSRFTOKEN",
        "CSRF-Token",
        "mount its route before the middleware",
    ),
    _protection(
        "CakePHP",
        {403},
        "Missing or incorrect CSRF cookie type|Missing CSRF token|CSRF token (?:from|mismatch)",
        "X-CSRF-Token",
        "skip the check for its route by skipCheckCallback",
    ),
    _protection(
        "Yii",
        {400},
        "Unable to verify your data submission",
        "X-CSRF-Token",
        "set enableCsrfValidation to false in its controller",
    ),
    _protection(
        "CodeIgniter",
        {403},
        "The action you requested is not allowed",
        "X-CSRF-TOKEN",
        "except its URI in the filter csrf",
    ),
    _protection(
        "WordPress",
        {401, 403},
        "rest_cookie_invalid_nonce|Cookie check failed|The link you followed has expired",
        "X-WP-Nonce",
        "give its REST route a permission_callback of its own",
    ),
    _protection(
        "Drupal",
        {403},
        "X-CSRF-Token request header is (?:missing|invalid)",
        "X-CSRF-Token",
        "leave _csrf_request_header_token out of its route",
    ),
    _protection(
        "A framework",
        _ANY,
        r"\b[CX]SRF\b|cross-site request|form key|anti-?forgery",
        "X-CSRF-Token",
        "exempt its URL from that",
    ),
)
"""The first that fits a status and the words of its answer."""


def protection(status: int, words: str) -> Protection | None:
    """The protection that may have refused a request; None where nothing says so."""
    return next((each for each in PROTECTIONS if status in each.statuses and each.words.search(words)), None)
