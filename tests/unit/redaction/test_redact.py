"""Redaction: no byte of a secret is left, and nothing else is lost."""

from __future__ import annotations

import html
import re
from base64 import b64decode, b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retailops_sandbox import jsontext, redaction
from retailops_sandbox.model import (
    Exchange,
    Fault,
    Headers,
    HttpRequest,
    HttpResponse,
    Json,
    Mark,
    Number,
    Request,
    Timings,
)
from retailops_sandbox.redaction import RedactedExchange, Secrets
from retailops_sandbox.redaction.encodings import encodings_for
from tests.support.records import some_delivery

TOKEN = 'p/a"ß\\s +w?rd-7'
MARK = "«redacted:TOKEN»"


def kept(
    body: bytes = b"",
    *,
    answer: bytes = b"",
    url: str = "https://host/order_cancel",
    sent: Headers = (),
    received: Headers = (),
    fault: Fault | None = None,
    secrets: Secrets | None = None,
    pointers: tuple[str, ...] = (),
) -> RedactedExchange:
    return redaction.exchange(
        HttpRequest("POST", url, sent, body),
        Exchange(sent, HttpResponse(200, "1.1", received, answer), fault, Timings()),
        secrets or Secrets(),
        pointers,
    )


def again(first: RedactedExchange, secrets: Secrets) -> RedactedExchange:
    """What is kept, redacted once more as a record of the log."""
    record = some_delivery(
        request=first.request, response=first.response, fault=first.fault, struck_out=first.struck_out
    )
    kept = redaction.delivery(record, secrets)
    assert kept.struck_out is not None
    return first._replace(
        request=kept.request, response=kept.response, fault=kept.fault, struck_out=kept.struck_out
    )


def output(result: RedactedExchange) -> bytes:
    """Every byte that would be written, bodies also as they read when decoded."""
    bodies = [part for part in (result.request, result.response) if part]
    raw = b"".join(b64decode(part.body) if part.base64 else part.body.encode() for part in bodies)
    return jsontext.compact([repr(part) for part in result[:3]]) + raw


# --- The ways a secret can be written ----------------------------------------------------------------


def json_escaped(value: str, upper: bool = False) -> str:
    octets = value.encode("utf-16-be").hex()
    units = [octets[at : at + 4] for at in range(0, len(octets), 4)]
    return "".join("\\u" + (unit.upper() if upper else unit) for unit in units)


def short_escaped(value: str) -> str:
    return jsontext.compact(value).decode()[1:-1].replace("/", "\\/")


def base64_at(before: bytes, url_safe: bool = False) -> Callable[[str], str]:
    encode = urlsafe_b64encode if url_safe else b64encode
    return lambda value: encode(before + value.encode() + b":tail").decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "short escapes": short_escaped,
    "unicode escapes": json_escaped,
    "unicode escapes, upper case": lambda value: json_escaped(value, upper=True),
    "json in json": lambda value: short_escaped(short_escaped(value)),
    "percent": lambda value: quote(value, safe=""),
    "percent, lower case": lambda value: re.sub("%..", lambda hit: hit[0].lower(), quote(value, safe="")),
    "percent, all of it": lambda value: "".join(f"%{octet:02x}" for octet in value.encode()),
    "form": quote_plus,
    "percent in json": lambda value: json_escaped(quote(value, safe="")),
    **{f"base64 after {n}": base64_at(b"user:"[:n]) for n in range(4)},
    **{f"url-safe base64 after {n}": base64_at(b"user:"[:n], url_safe=True) for n in range(4)},
    "base64 with escaped slashes": lambda value: base64_at(b"u")(value).replace("/", "\\/"),
    "base64, percent": lambda value: quote(base64_at(b"u")(value), safe=""),
}
encodings = pytest.mark.parametrize("encoding", ENCODINGS)

# Written so that no encoding of a secret leaves a short rest that looks like it, and none can be a mark.
secret_values = st.text(
    st.characters(codec="utf-8", exclude_characters="«»", exclude_categories=["Cc", "Cs"]),
    min_size=8,
    max_size=20,
).filter(lambda value: value not in "«redacted:TOKEN»" and value not in "first second key")


def present(value: str, data: bytes) -> list[str]:
    """The encodings in which a value is still to be found; of base64 the part that only it determines."""
    found = [
        name for name, encode in ENCODINGS.items() if "64" not in name and encode(value).encode() in data
    ]
    octets = value.encode()
    for before in range(3):
        encoded = b64encode(bytes(before) + octets)
        own = encoded[(before * 8 + 5) // 6 : (before + len(octets)) * 8 // 6]
        if own in data or own.translate(bytes.maketrans(b"+/", b"-_")) in data:
            found.append(f"base64 at {before}")
    return found


@encodings
def test_a_secret_is_found_in_every_encoding_in_text(encoding: str) -> None:
    text = f"before {ENCODINGS[encoding](TOKEN)} after"
    redacted = Secrets({"TOKEN": TOKEN}).plain(text)
    assert MARK in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert not present(TOKEN, redacted.encode())


def in_json(text: str, encoding: str) -> str:
    """The text inside a JSON string; escapes are there already where the encoding is one of JSON's."""
    return (
        text
        if "\\" in ENCODINGS[encoding]("/") or "escapes" in encoding
        else jsontext.compact(text).decode()[1:-1]
    )


@encodings
def test_a_leaf_that_holds_a_secret_gives_way_and_nothing_else_does(encoding: str) -> None:
    secret = in_json(ENCODINGS[encoding](TOKEN), encoding)
    body = f'{{ "n":1.50,\r\n"a\\u0062" : ["x {secret} y", -0, "x\\/y"],"{secret}":null }}'
    request, response, *_ = kept(body.encode(), answer=body.encode(), secrets=Secrets({"TOKEN": TOKEN}))
    assert request.body == f'{{ "n":1.50,\r\n"a\\u0062" : ["{MARK}", -0, "x\\/y"],"{MARK}":null }}'
    assert response is not None
    assert response.body == request.body


@given(secret_values, st.sampled_from(sorted(ENCODINGS)), st.sampled_from(sorted(ENCODINGS)))
def test_no_byte_of_a_secret_is_left_anywhere(value: str, first: str, second: str) -> None:
    assume(not present(value, output(kept())))  # a word of the records themselves
    secrets = Secrets({"TOKEN": value})
    one, two = ENCODINGS[first](value), ENCODINGS[second](value)
    text = f"first {one} second {two}"
    document = jsontext.compact({"first": text, "key " + one: [two, {"key": one + two}]})
    result = kept(
        document,
        answer=b"\xff\xfe" + text.encode() + b"\xff",
        url=f"https://user:{quote(value, safe='')}@host/{quote(value, safe='')}?q={quote_plus(value)}",
        sent=(("X-Key", text), ("Authorization", f"Bearer {value}"), ("Cookie", f"a={two}")),
        received=(("Location", f"//u:{quote(value)}@host/"), (f"X-{one}", two), ("Set-Cookie", one)),
        fault=Fault("closed", text),
        secrets=secrets,
        pointers=("/first",),
    )
    assert present(value, output(result)) == []
    jsontext.parse(result.request.body)
    assert again(result, secrets)[:4] == result[:4]
    # A text that is no JSON, and then the same answer as text.
    plain = kept(text.encode(), answer=b"{" + text.encode(), secrets=secrets)
    assert present(value, output(plain)) == []
    assert again(plain, secrets)[:4] == plain[:4]


PARTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "url": lambda text: {"url": f"https://host/{quote(text, safe='%')}"},
    "sent": lambda text: {"sent": (("X-Shop", text),)},
    "received": lambda text: {"received": (("X-Shop", text),)},
    "received name": lambda text: {"received": ((text, "12"),)},
    "answer": lambda text: {"answer": text.encode()},
    "binary answer": lambda text: {"answer": b"\xff" + text.encode()},
    "fault": lambda text: {"fault": Fault("closed", text)},
}


@given(secret_values, st.sampled_from(sorted(ENCODINGS)), st.sampled_from(sorted(PARTS)), st.booleans())
def test_a_secret_is_found_where_it_is_in_one_part_alone(
    value: str, encoding: str, part: str, has_token: bool
) -> None:
    body = b'{"token":"another-token"}' if has_token else b"{}"
    result = kept(
        body,
        secrets=Secrets({"TOKEN": value}),
        pointers=("/token",),
        **PARTS[part](ENCODINGS[encoding](value)),
    )
    assert present(value, output(result)) == []
    assert (result.fault is None) == (part != "fault")


def test_a_short_secret_is_found_where_it_is_the_whole_value_of_a_sent_header() -> None:
    secrets = Secrets({"PIN": "1234", "TOKEN": "a-long-secret"})
    result = kept(b"{}", sent=(("X-Till", "1234"), ("X-Shop", "12345")), secrets=secrets)
    assert result.request.headers == (("X-Till", "«redacted:PIN»"), ("X-Shop", "12345"))


@given(secret_values, st.sampled_from(sorted(ENCODINGS)))
def test_a_value_and_its_text_are_redacted_alike(value: str, encoding: str) -> None:
    secrets = Secrets({"TOKEN": value})
    document: Json = {"a": [ENCODINGS[encoding](value), Number("1.50"), True], "b": {"x": "clean"}}
    text = jsontext.compact(document).decode()
    assert jsontext.compact(secrets.json(document)).decode() == secrets.text(text) == secrets.document(text)
    twice = secrets.json(secrets.json(document))
    assert jsontext.compact(twice) == jsontext.compact(secrets.json(document))
    assert secrets.text(secrets.text(text)) == secrets.text(text)


def test_what_only_looks_encoded_is_left_alone() -> None:
    text = r"C:\New\Users\Beef \U0041 \u00g0 \ud800 100%zz %C3%28 %e9 %"
    assert Secrets({"TOKEN": "abcdefgh"}).plain(text + " abcdefgh") == f"{text} {MARK}"


def test_two_secrets_in_one_text_keep_their_names() -> None:
    secrets = Secrets({"ONE": "abcdefgh", "TWO": "efghijkl", "LONG": "abcdefgh-and-more"})
    assert secrets.plain("abcdefgh efghijkl") == "«redacted:ONE» «redacted:TWO»"
    assert secrets.plain("abcdefgh-and-more") == "«redacted:LONG»"
    assert secrets.plain("abcdefghijkl!") == "«redacted:ONE»!"


def test_a_number_that_is_a_secret_becomes_a_string() -> None:
    secrets = Secrets({"PIN": "1234567890"})
    assert secrets.text('{"a": 1234567890, "b": 12, "c": 9.12345678901}') == (
        '{"a": "«redacted:PIN»", "b": 12, "c": "«redacted:PIN»"}'
    )
    value = secrets.json([1234567890, Number("1.0"), True])
    assert isinstance(value, list)
    mark, *others = value
    assert isinstance(mark, Mark)
    assert (str(mark), mark.name, mark.type) == ("«redacted:PIN»", "PIN", "integer")
    assert others == [Number("1.0"), True]


def test_different_keys_stay_different() -> None:
    secrets = Secrets({"TOKEN": "abcdefgh"})
    document: Json = {"abcdefgh": 1, "x-abcdefgh": [{"abcdefgh": 2}]}
    redacted = {"«redacted:TOKEN»": 1, "«redacted:TOKEN 2»": [{"«redacted:TOKEN»": 2}]}
    assert jsontext.parse(secrets.text(jsontext.compact(document).decode())) == redacted


def test_an_object_with_a_secret_key_is_one_mark_as_a_value() -> None:
    mark = Secrets({"TOKEN": "abcdefgh"}).json({"x-abcdefgh": [1]})
    assert isinstance(mark, Mark)
    assert (str(mark), mark.name, mark.type) == (MARK, "TOKEN", "object")


def test_without_a_hit_the_same_object_comes_back() -> None:
    document: Json = {"a": ["clean"]}
    text = '{"a": "cl\\u0065an"}'
    for secrets in (Secrets(), Secrets({"TOKEN": "abcdefgh"})):
        assert secrets.json(document) is document
        assert secrets.text(text) is text
    assert not Secrets()
    assert not Secrets({"EMPTY": ""})
    assert Secrets({"SHORT": "x"})


# --- Places ------------------------------------------------------------------------------------------


def test_a_short_secret_is_redacted_only_in_its_place() -> None:
    body = b'{"token": "abc", "note": "abc", "count": 7}'
    result = kept(
        body,
        url="https://host/abc",
        sent=(("X-Key", "abc"), ("X-Note", "abc too"), ("Authorization", "Bearer abc")),
        received=(("X-Echo", "abc"),),
        secrets=Secrets({"KEY": "abc"}),
        pointers=("/token", "/missing"),
    )
    assert result.request.body == '{"token": "«redacted:KEY»", "note": "abc", "count": 7}'
    assert result.request.url == "https://host/abc"
    assert result.request.headers == (
        ("X-Key", "«redacted:KEY»"),
        ("X-Note", "abc too"),
        ("Authorization", "Bearer «redacted:KEY»"),
    )
    assert result.response is not None
    assert result.response.headers == (("X-Echo", "abc"),)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('"abc"', '"«redacted:token»"'),
        ("123", '"«redacted:token»"'),
        ("-1.50", '"«redacted:token»"'),
        ('{"a": ["b"]}', '"«redacted:token»"'),
        ("null", "null"),
        ('""', '""'),
    ],
)
def test_whatever_stands_at_a_secret_pointer_gives_way(value: str, shown: str) -> None:
    body = f'{{"a": [ {{"token":{value} , "x": 35.00}} ]}}'
    result = kept(body.encode(), pointers=("/a/0/token",))
    assert result.request.body == f'{{"a": [ {{"token":{shown} , "x": 35.00}} ]}}'


def test_secret_pointers_may_lie_within_each_other() -> None:
    result = kept(b'{"a": {"b": "x"}, "c": "y"}', pointers=("/a/b", "/a", "/c"))
    assert result.request.body == '{"a": "«redacted:a»", "c": "«redacted:c»"}'


def test_an_escaped_key_does_not_hide_its_secret() -> None:
    result = kept(b'{"t\\u006fken": "abc"}', pointers=("/token",))
    assert result.request.body == '{"t\\u006fken": "«redacted:token»"}'


@pytest.mark.parametrize(
    "body",
    [
        '{"token": "%s", "token": "%s"}',
        '\ufeff{"token": "%s"}',
        '{"token" : "%s", "n": NaN',
        '{"token": %s,}',
    ],
)
def test_a_text_that_is_almost_json_hides_its_secrets_too(body: str) -> None:
    text = body.replace("%s", "wrong-token-1")
    result = kept(text.encode(), answer=b"you sent wrong-token-1", pointers=("/token",))
    assert b"wrong-token-1" not in output(result)
    assert again(result, Secrets())[:4] == result[:4]


def test_several_places_of_a_text_that_is_almost_json_are_hidden_in_any_order() -> None:
    result = kept(b'{"a": "one", "b": "two",}', pointers=("/b", "/a"))
    assert result.request.body == '{"a": "«redacted:a»", "b": "«redacted:b»",}'


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Basic dXNlcjpwYXNz", "Basic «redacted:Authorization»"),
        ("authorization", "bearer  abc", "bearer  «redacted:Authorization»"),
        ("Authorization", "opaque words", "«redacted:Authorization»"),
        ("Proxy-Authorization", "Digest a=b, c=d", "Digest «redacted:Proxy-Authorization»"),
        ("Cookie", "a=b; c=d", "«redacted:Cookie»"),
        ("SET-COOKIE", "a=b; Path=/", "«redacted:Set-Cookie»"),
        ("Authorization", "", ""),
    ],
)
def test_headers_that_carry_credentials_never_show_them(name: str, value: str, shown: str) -> None:
    headers = (("A", "1"), (name, value), ("B", "2"))
    result = kept(sent=headers, received=headers)
    assert result.request.headers == (("A", "1"), (name, shown), ("B", "2"))
    assert result.response is not None
    assert result.response.headers == result.request.headers
    assert again(result, Secrets())[:4] == result[:4]


def test_credentials_carry_the_name_of_their_secret() -> None:
    secrets = Secrets({"PASSWORD": "correct horse"})
    basic = b64encode(b"user:correct horse").decode()
    headers = kept(sent=(("Authorization", f"Basic {basic}"),), secrets=secrets).request.headers
    assert headers == (("Authorization", "Basic «redacted:PASSWORD»"),)


def test_userinfo_carries_the_name_of_its_secret() -> None:
    secrets = Secrets({"PASSWORD": "correct horse", "PIN": "1234"})
    for password, name in (("correct%20horse", "PASSWORD"), ("correct+horse", "PASSWORD"), ("1234", "URL")):
        result = kept(url=f"https://user:{password}@host/", secrets=secrets)
        assert result.request.url == f"https://«redacted:{name}»@host/"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@host/p?q#f", "https://«redacted:URL»@host/p?q#f"),
        ("https://token@host", "https://«redacted:URL»@host"),
        ("https://u:p@w@host/", "https://«redacted:URL»@host/"),
        ("//u:p@host/", "//«redacted:URL»@host/"),
        ("https://host/a@b", "https://host/a@b"),
        ("/login?to=me@host", "/login?to=me@host"),
    ],
)
def test_userinfo_is_hidden_in_urls_location_and_faults(url: str, shown: str) -> None:
    result = kept(url=url, received=(("Location", url),), fault=Fault("refused", f"cannot reach {url}"))
    assert result.request.url == shown
    assert result.response is not None
    assert result.response.headers == (("Location", shown),)
    assert result.fault == Fault("refused", f"cannot reach {shown}")
    assert again(result, Secrets())[:4] == result[:4]


@pytest.mark.parametrize(
    "exchange",
    [
        {"received": (("Set-Cookie", 'sid="learned-secret"; Path=/'),)},
        {"sent": (("Cookie", "a=b; sid=learned-secret"),)},
        {"sent": (("Authorization", "Bearer learned-secret"),)},
        {"sent": (("Authorization", "Basic " + b64encode(b"user:learned-secret").decode()),)},
        {"url": "https://user:learned%2Dsecret@host/"},
        {"url": "https://learned-secret@host/"},
        {"body": b'{"token": "learned-secret"}', "pointers": ("/token",)},
        {"body": b'{"token": {"deep": ["learned-secret"]}}', "pointers": ("/token",)},
    ],
)
def test_a_secret_learned_from_the_exchange_is_hidden_where_it_is_echoed(exchange: dict[str, object]) -> None:
    answer = b'{"echo": "got learned-secret", "n": 1.0}'
    result = kept(answer=answer, **exchange)  # type: ignore[arg-type]
    assert b"learned-secret" not in output(result)
    assert result.response is not None
    assert re.fullmatch(r'\{"echo": "«redacted:[\w-]+»", "n": 1\.0\}', result.response.body)


def test_a_short_value_is_learned_for_nothing_but_its_place() -> None:
    result = kept(b'{"a": "yes"}', sent=(("X-Note", "yes"),), received=(("Set-Cookie", "consent=yes"),))
    assert result.request.headers == (("X-Note", "yes"),)
    assert result.request.body == '{"a": "yes"}'


def test_a_value_learned_in_one_exchange_is_not_known_in_the_next() -> None:
    secrets = Secrets({"TOKEN": TOKEN})
    kept(received=(("Set-Cookie", "sid=learned-secret"),), secrets=secrets)
    assert kept(b"learned-secret", secrets=secrets).request.body == "learned-secret"


# --- What is kept --------------------------------------------------------------------------------------


def test_a_body_that_is_not_utf8_is_kept_in_base64_without_its_secrets() -> None:
    request, *_ = kept(b"\xff\x00abcdefgh\xfe", secrets=Secrets({"TOKEN": "abcdefgh"}))
    assert request.base64
    assert b64decode(request.body) == b"\xff\x00" + MARK.encode() + b"\xfe"


def test_nothing_is_altered_without_secrets() -> None:
    headers = (("Host", "h"), ("X", "1"), ("X", "2"), ("Content-Type", "application/json"))
    body = '\ufeff{"a" : 35.00, "é": "\\u00e9"}\r\n'.encode()
    request, response, fault, *_ = kept(body, answer=body, sent=headers, received=headers)
    assert response is not None
    assert request.headers == response.headers == headers
    assert request.body.encode() == response.body.encode() == body
    assert (request.method, request.base64, response.status, response.http_version, fault) == (
        "POST",
        False,
        200,
        "1.1",
        None,
    )


def test_where_nothing_went_out_the_built_headers_are_kept() -> None:
    request = HttpRequest("POST", "http://h/", (("X", "built"),), b"")
    exchange = Exchange((), None, Fault("dns", "no such host"), Timings())
    assert redaction.exchange(request, exchange, Secrets())[:3] == (
        Request(method="POST", url="http://h/", headers=(("X", "built"),)),
        None,
        Fault("dns", "no such host"),
    )


@pytest.mark.parametrize("name", ["abcdefgh", "x-abcdefgh", 'a"b', "a\\b", "«»", "a\nb"])
def test_a_name_neither_gives_a_secret_away_nor_breaks_the_document(name: str) -> None:
    secrets = Secrets({name: "abcdefgh"})
    redacted = secrets.text('{"a": "abcdefgh"}')
    assert "abcdefgh" not in redacted
    jsontext.parse(redacted)
    assert secrets.text(redacted) == redacted


def test_a_secret_that_is_part_of_the_mark_leaves_marks_whole() -> None:
    secrets = Secrets({"WORD": "redacted", "TOKEN": "abcdefgh"})
    assert secrets.plain("abcdefgh") == MARK
    assert secrets.plain(MARK) == MARK


# --- More places and spellings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("X-Api-Key", "X-Passwd", "X-Session-Id", "X-Webhook-Key", "X-Hub-Signature", "X-Auth-Token"),
        *(
            "X-Authorization",
            "Authorisation",
            "X-CSRF-Token",
            "Api-Password",
            "X-Shop-Key",
            "X-User-Pwd",
            "Authentication",
            "X-JWT-Assertion",
        ),
    ],
)
def test_a_header_named_like_a_credential_is_struck_out_on_both_sides(name: str) -> None:
    result = kept(
        b'{"echo": "the-value-of-it"}',
        sent=((name, "the-value-of-it"), ("X-Other", "a")),
        received=((name.lower(), "short"),),
    )
    assert result.request.headers == ((name, f"«redacted:header {name}»"), ("X-Other", "a"))
    assert result.response is not None
    assert result.response.headers == ((name.lower(), f"«redacted:header {name.lower()}»"),)
    assert result.request.body == f'{{"echo": "«redacted:header {name}»"}}'


@pytest.mark.parametrize(
    "name", ["WWW-Authenticate", "Idempotency-Key", "X-Author", "X-Cache-Key", "ETag", "X-Keyboard", "Monkey"]
)
def test_a_header_that_only_looks_like_a_credential_is_kept(name: str) -> None:
    assert kept(sent=((name, "some-long-value"),)).request.headers == ((name, "some-long-value"),)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h/p?api_key=abc&x=1", "http://h/p?api_key=«redacted:URL api_key»&x=1"),
        ("http://h/p?x=1&token=a%20b#f", "http://h/p?x=1&token=«redacted:URL token»#f"),
        ("http://h/p?sig=1&X-Signature=abc", "http://h/p?sig=1&X-Signature=«redacted:URL X-Signature»"),
        ("http://h/api_key=abc", "http://h/api_key=abc"),
        ("http://h/p?author=abc", "http://h/p?author=abc"),
    ],
)
def test_a_query_parameter_named_like_a_credential_is_struck_out(url: str, shown: str) -> None:
    result = kept(url=url, received=(("Location", url),), fault=Fault("closed", f"from {url}"))
    assert result.request.url == shown
    assert result.response is not None
    assert result.response.headers == (("Location", shown),)
    assert result.fault == Fault("closed", f"from {shown}")


UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)
LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "html": html.escape,
    "html by numbers": lambda value: "".join(f"&#{ord(each)};" for each in value),
    "html by hex numbers": lambda value: "".join(f"&#x{ord(each):X};" for each in value),
    "hex": lambda value: value.encode().hex(),
    "hex in capitals": lambda value: value.encode().hex().upper(),
    "mime": lambda value: encodebytes(b"x" * 50 + value.encode() + b"y" * 50).decode(),
    "mime with returns": lambda value: encodebytes(b"x" * 51 + value.encode()).decode().replace("\n", "\r\n"),
    "capitals": lambda value: value.translate(UPPER),
    "small letters": lambda value: value.translate(LOWER),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("value", ["s3cret<&>'\"Value", "only-Words-of-it", "Ünïcode-Words-<x>"])
def test_other_spellings_of_a_secret_are_found(spelling: str, value: str) -> None:
    spelled = SPELLINGS[spelling](value)
    secrets = Secrets({"KEY": value})
    text = secrets.plain(f"before {spelled} after")
    assert "«redacted:KEY»" in text
    assert spelled not in text
    document = jsontext.compact({"a": f"before {spelled} after", "b": 1}).decode()
    assert secrets.document(document) == '{"a":"«redacted:KEY»","b":1}'


# --- Bounds ---------------------------------------------------------------------------------------------


def test_a_text_full_of_secrets_is_struck_out_as_a_whole() -> None:
    secrets = Secrets({"TOKEN": "abcdefgh"})
    few = jsontext.compact({"a": ["abcdefgh"] * 10_000}).decode()
    many = jsontext.compact({"a": ["abcdefgh"] * 10_001}).decode()
    assert secrets.document(few).count(MARK) == 10_000
    result = kept(b"{}", answer=many.encode(), secrets=secrets)
    assert result.response is not None
    assert result.response.body == f'"{MARK}"'
    assert [(each.part, each.pointer) for each in result.struck_out] == [("/response/body", "")]


ESCAPES = ["\\u0041", '\\"', "\\\\", "%41", "%C3%A9", 'a\\n"b', "%4", "\\x\\u0041"]


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_run_of_escapes_is_undone_as_one_by_one(escape: str) -> None:
    text = f'{escape * 5}x{escape}"{escape * 2}%{escape}\\'
    for encoding in encodings_for(["a"])[:2]:
        assert encoding.undone(text) == re.sub(encoding.pattern, encoding.decode, text)


@given(st.text(st.sampled_from('\\\\u00e9d83dDE00%C3a"bn/x'), max_size=40))
def test_any_text_is_decoded_in_runs_as_one_by_one(text: str) -> None:
    for encoding in encodings_for(["a"])[:2]:
        assert encoding.undone(text) == re.sub(encoding.pattern, encoding.decode, text)
