"""The hints that fit a status that breaks the contract."""

from __future__ import annotations

import pytest

from retailops_sandbox.answers import content, status
from retailops_sandbox.model import Headers, Request, Response

URL = "http://127.0.0.1:8000/shop/order_cancel_v1"


def hints(
    answered: int,
    body: str = "",
    headers: Headers = (),
    *,
    url: str = URL,
    token: str | None = None,
) -> str:
    request = Request(
        method="POST", url=url, headers=(("Content-Type", "application/json"),), body="{}" * 70_000
    )
    sent = status.Sent(
        request=request, action="order_cancel", path="/order_cancel_v1", proof=token, proof_at="/token"
    )
    response = Response(status=answered, headers=headers, body=body)
    found = status.violation(sent, response, content.of(response), (200,))
    assert found.message == f"answered {answered}; order_cancel must be answered with 200"
    assert found.part == "status"
    return "\n".join(found.hints)


@pytest.mark.parametrize(
    ("answered", "body", "headers", "words"),
    [
        (201, "", (), "wants exactly 200"),
        (204, "", (), "wants exactly 200"),
        (400, "", (), "could not read the request"),
        (400, '{"message":"no client_id"}', (), "the answer says “no client_id”"),
        (401, "", (("WWW-Authenticate", 'Basic realm="shop"'),), 'asks for Basic realm="shop"'),
        (403, "", (), "refuses"),
        (404, "", (), f"the full URL was POST {URL}: /order_cancel_v1, the action's path, is appended"),
        (405, "", (("allow", "GET, HEAD"),), "it takes only GET, HEAD"),
        (405, "", (), "it takes no POST"),
        (410, "", (), "the full URL was"),
        (411, "", (), "Content-Length"),
        (413, "", (), "the payload of 140,000 bytes is more"),
        (
            415,
            "",
            (("Accept-Post", "text/xml"),),
            "sent as application/json, and the receiver takes text/xml",
        ),
        (422, "", (), "does not accept its values"),
        (429, "", (("Retry-After", "30"),), "again after 30"),
        (431, "", (), "headers of the request"),
        (500, "", (), "its own log says why"),
        (501, "", (), "does not know POST"),
        (502, "", (), "is it running?"),
        (504, "", (), "took longer than it waits"),
        (599, "", (), "its own log says why"),
        (304, "", (), "answers no POST"),
        (302, "", (), "it names no Location"),
        (
            307,
            "",
            (("Location", "/elsewhere"),),
            (
                "it redirects to http://127.0.0.1:8000/elsewhere\nRetailOPS' published tool follows a "
                "307 with the same payload. To follow it here: --follow-redirects"
            ),
        ),
        (308, "", (("Location", URL + "/"),), "only the slash differs: the receiver's path ends in a slash"),
        (301, "", (("Location", URL.replace("http:", "https:")),), "only the scheme differs"),
        (
            301,
            "",
            (("Location", URL.replace("127.0.0.1", "www.shop.test")),),
            "only the host differs: the receiver is at www.shop.test:8000",
        ),
        (302, "", (("Location", "/login?next=/"),), "that is a login"),
        (303, "", (("Location", "/done"),), "a client that follows a 303 sends a GET without the payload"),
        (302, "", (("Location", "http://[::1"),), "its Location is no URL: http://[::1"),
        (
            400,
            "<h1>400</h1>The plain HTTP request was sent to HTTPS port",
            (),
            "begin the receiver's URL with https://",
        ),
        (
            404,
            "",
            (("ngrok-error-code", "ERR_NGROK_3200"),),
            "ngrok answers in the receiver's place (ERR_NGROK_3200)",
        ),
        (403, "<title>Attention Required!</title>", (("Server", "cloudflare"),), "Cloudflare"),
    ],
)
def test_the_hint_of_a_status(answered: int, body: str, headers: Headers, words: str):
    assert words in hints(answered, body, headers)


@pytest.mark.parametrize(
    ("answered", "body", "framework", "header"),
    [
        (419, "<title>Page Expired</title>", "Laravel", "X-CSRF-TOKEN"),
        (419, '{"message":"CSRF token mismatch."}', "Laravel", "X-CSRF-TOKEN"),
        (403, "<h1>Forbidden</h1><p>CSRF verification failed. Request aborted.</p>", "Django", "X-CSRFToken"),
        (422, "<title>The change you wanted was rejected (422)</title>", "Rails", "X-CSRF-Token"),
        (422, "ActionController::InvalidAuthenticityToken in X", "Rails", "X-CSRF-Token"),
        (302, "Invalid Form Key. Please refresh the page.", "Magento", "X-Requested-With: XMLHttpRequest"),
        (400, '{"message":"Invalid Form Key. Please refresh the page."}', "Magento", "X-Requested-With"),
        (403, '{"message":"Invalid CSRF Token \'null\' was found"}', "Spring Security", "X-CSRF-TOKEN"),
        (400, "<h1>Bad Request</h1><p>The CSRF token is missing.</p>", "Flask-WTF", "X-CSRFToken"),
        (403, "ForbiddenError: invalid csrf token", "Express with csurf", "CSRF-Token"),
        (403, "Missing or incorrect CSRF cookie type.", "CakePHP", "X-CSRF-Token"),
        (400, "Unable to verify your data submission.", "Yii", "X-CSRF-Token"),
        (403, "The action you requested is not allowed.", "CodeIgniter", "X-CSRF-TOKEN"),
        (
            403,
            '{"code":"rest_cookie_invalid_nonce","message":"Cookie check failed"}',
            "WordPress",
            "X-WP-Nonce",
        ),
        (403, '{"message":"X-CSRF-Token request header is missing"}', "Drupal", "X-CSRF-Token"),
        (400, "The required antiforgery cookie is not present.", "ASP.NET Core", "RequestVerificationToken"),
        (403, "Cross-site request blocked", "A framework", "X-CSRF-Token"),
    ],
)
def test_a_framework_that_protects_forms_says_what_it_wants(answered, body, framework, header):
    told = hints(answered, body)
    assert f"{framework} refuses like this" in told
    assert f"Otherwise it wants the header {header}" in told
    assert "refuses: a login" not in told


def test_a_redirect_of_magento_is_known_by_its_headers():
    moved = (("Location", "http://127.0.0.1/"), ("X-Magento-Cache-Debug", "MISS"))
    assert "Magento refuses like this" in hints(302, headers=moved)
    assert "Magento" not in hints(404, headers=moved)


def test_a_path_that_is_appended_twice_is_said_so():
    assert "stands there twice" in hints(404, url=f"{URL}/order_cancel_v1")
    assert hints(404, url="http://127.0.0.1/own/path").endswith(
        "the full URL was POST http://127.0.0.1/own/path"
    )


def test_a_token():
    assert "no token was sent: give --receiver-token" in hints(401, token="")
    assert "the token «redacted:SHOP» that was sent at /token was refused" in hints(
        401, token="«redacted:SHOP»"
    )
    assert "has no token" in hints(401)


def test_what_the_answer_is_comes_first():
    assert hints(404, "<title>Oh</title>").startswith("the answer is an HTML page, not JSON: “Oh”\n")
    assert "the answer is JSON" not in hints(404, "{}")
