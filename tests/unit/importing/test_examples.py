"""Requests as other tools write them, each a file in examples/: what is read of it, or what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.importing import FoundRequest, as_steps, read
from retailops_sandbox.importing.found import REFERENCE

EXAMPLES = Path(__file__).parent / "examples"
WHOLE = {"version": 1, "note": 'it\'s "here" é', "total": 35, "lines": []}
PLAIN = {"version": 1, "note": "plain", "lines": []}
HERE = {"version": 1, "note": 'it\'s "here"', "lines": []}


def text_of(name: str) -> str:
    return (EXAMPLES / name).read_bytes().decode()


def found(name: str) -> list[FoundRequest]:
    return read(text_of(name), SHIPPED_CONTRACTS, file=name)


def payload(request: FoundRequest) -> Any:
    """The payload, in which `$NAME` stands for a reference."""
    return jsontext.parse(REFERENCE.sub(r"$\1", request.body.decode()))


SAID = "where a shell keeps them"
ONE: dict[str, tuple[Any, str]] = {
    "page-continuations-in-quotes.sh": (PLAIN, SAID),
    "page-continuations-in-double-quotes-crlf.sh": (PLAIN, ""),
    "page-empty-lines-between.sh": (PLAIN, "line 3 begins with an option"),
    "page-lost-backslashes.sh": (PLAIN, "line 2 begins with an option"),
    "page-blanks-behind-backslashes.sh": (PLAIN, "blanks follow the backslash that ends line 1"),
    "page-second-prompt.sh": (PLAIN, ""),
    "page-typographic-quotes.sh": (PLAIN, "typographic"),
    "page-hard-spaces.sh": (PLAIN, "spaces of a page"),
    "page-html.txt": (PLAIN, "as in HTML"),
    "page-body-alone.txt": (PLAIN, SAID),
    "escaped-single-quote-in-double.sh": ({**PLAIN, "note": "it's"}, "which JSON does not escape"),
    "firefox-windows.txt": (WHOLE, "its quotes are doubled, as Windows escapes them"),
    "chrome-windows.txt": (WHOLE, ""),
    "chrome-windows-lines.txt": ({**PLAIN, "note": "100% plain"}, ""),
    "cmd-prompt.txt": ({**PLAIN, "note": "a b"}, ""),
    "powershell-curl-exe.ps1": (PLAIN, "its quotes are escaped"),
    "powershell-here-string.ps1": (WHOLE, ""),
    "powershell-expanding-here-string.ps1": (
        {
            "version": 1,
            "note": "plain",
            "shop": "$SHOP",
            "path": "C:`temp",
            "cost": "$5 1 plain",
        },
        "",
    ),
    "powershell-splatting.ps1": (WHOLE, "left out: -TimeoutSec, -SkipCertificateCheck"),
    "powershell-nested-tables.ps1": (
        {
            "version": 1,
            "data": {
                "order": {
                    "id": "4897",
                    "lines": [
                        {"sku": "A", "quantity": jsontext.parse("1.50")},
                        {"sku": "B", "quantity": None},
                    ],
                    "rush": True,
                }
            },
        },
        "ConvertTo-Json cuts what is deeper than 2 levels",
    ),
    "powershell-empty-lines-between.ps1": (PLAIN, "line 4 begins with a parameter"),
    "powershell-chrome.ps1": (WHOLE, ""),
    "powershell-alias.ps1": (PLAIN, ""),
    "httpie-fields.sh": (WHOLE, ""),
    "httpie-raw.sh": (PLAIN, "left out: --verify"),
    "httpie-stdin.sh": (PLAIN, ""),
    "httpie-here-string.sh": (PLAIN, ""),
    "httpie-nested.sh": (
        {
            "data": {
                "order": {"id": "4897", "lines": [{"sku": "A"}, {"sku": "B"}]},
                "codes": ["x", 2],
                "a[b": "c",
            },
            "time:zone": "utc",
            "version": 1,
        },
        "",
    ),
    "php-print_r-with-json.txt": (HERE, "it stands in what PHP's print_r printed"),
    "php-var_export-with-json.txt": (HERE, "it stands in what PHP's var_export printed"),
    "python-repr-with-json.txt": (HERE, "it stands in what Python's repr printed"),
    "python-bytes-with-json.txt": ({**HERE, "note": 'it\'s "here" é'}, "it stands in other text"),
    "ruby-inspect-with-json.txt": (HERE, "it stands in what Ruby's inspect printed"),
    "log-line.txt": (HERE, "it stands in other text"),
    "chrome.har": (WHOLE, ""),
    "firefox.har": (WHOLE, ""),
    "safari-compressed-answer.har": (WHOLE, ""),
    "proxy-encoding-base64.har": (WHOLE, ""),
    "proxy-base64-lines.har": (WHOLE, ""),
    "proxy-base64-unsaid.har": (WHOLE, "its body is base64, without saying so"),
    "proxy-says-base64-of-text.har": (WHOLE, ""),
    "proxy-gzip-body.har": (WHOLE, "its body was compressed (gzip)"),
    "toolkit-content-member.har": (WHOLE, ""),
    "form-without-values.har": (WHOLE, "its JSON was taken for a form"),
    "form-with-empty-values.har": (WHOLE, "its JSON was taken for a form"),
    "form-cut-at-signs.har": ({**PLAIN, "note": "a=b&c=d+e 100%"}, "its JSON was taken for a form"),
    "form-percent-encoded.har": (WHOLE, "its JSON was taken for a form"),
    "text-beside-params.har": (WHOLE, ""),
    "kassette-json-member.har": (WHOLE, ""),
    "mobile-headers-object.har": (WHOLE, ""),
    "mobile-null-members.har": (WHOLE, "there was no whole answer"),
    "one-entry.har": (WHOLE, ""),
}
"""By file: the payload, and what a note says; empty for no note."""

REFUSED = {
    "escaped-single-quote-unclosed.sh": (
        "escaped-single-quote-unclosed.sh:2:37: a backslash escapes nothing inside single quotes, "
        r"so the text ends here (write '\'' for a single quote inside them)"
    ),
    "escaped-single-quote-closed.sh": (
        "escaped-single-quote-closed.sh:2:32: a backslash escapes nothing inside single quotes, "
        r"so the text ends here (write '\'' for a single quote inside them)"
    ),
    "php-print_r.txt": "no JSON but what PHP's print_r prints, and no JSON is in it (print it by json_",
    "php-var_dump.txt": "no JSON but what PHP's var_dump prints",
    "php-var_export.txt": "no JSON but what PHP's var_export prints",
    "python-repr.txt": "no JSON but what Python's repr prints, and no JSON is in it (print it by json.",
    "ruby-inspect.txt": "no JSON but what Ruby's inspect prints, and no JSON is in it (print it by .to_",
    "ruby-inspect-3.4.txt": "no JSON but what Ruby's inspect prints",
    "body-left-out.har": "does not have them (discarded:too-large)",
    "multipart.har": "its body is a form with files",
}
"""By file: what is said."""

SEVERAL = {
    "several-pages.har": ["step 1", "step 2", "step 3"],
    "several-archives.har": ["step 1", "step 2"],
    "playwright-attached.har": [WHOLE["note"]],
}
"""By file: the notes of the payloads of its steps."""


def test_each_example_is_tried():
    assert {path.name for path in EXAMPLES.iterdir()} == {*ONE, *REFUSED, *SEVERAL}


@pytest.mark.parametrize("name", ONE)
def test_the_payload_of_an_example(name: str):
    expected, note = ONE[name]
    (request,) = found(name)
    assert payload(request) == expected
    said = [each for each in request.notes if "no Content-Type" not in each]
    assert any(note in each for each in said) if note else not said
    if request.url:
        assert "order_cancel" in request.url
        (step,), left_out = as_steps([request], SHIPPED_CONTRACTS, file=name)
        assert (step.contract.edition, left_out) == ("draft", [])


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_said_of_an_example(name: str):
    with pytest.raises(SandboxError) as caught:
        as_steps(found(name), SHIPPED_CONTRACTS, file=name)
    assert REFUSED[name] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SEVERAL)
def test_the_steps_of_an_example(name: str):
    made, _ = as_steps(found(name), SHIPPED_CONTRACTS, file=name)
    assert [each.step.payload["note"] for each in made] == SEVERAL[name]


def test_a_body_that_is_beside_the_archive_is_named():
    _, left_out = as_steps(found("playwright-attached.har"), SHIPPED_CONTRACTS, file="f")
    assert left_out == [
        "entry 1: its body is in the file '0a1b2c.json' beside the archive, which is not read"
    ]
