"""Imports bound their work, and refuse what goes beyond in one line; any text is read or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.importing import as_steps, read
from retailops_sandbox.importing.found import MOST_REQUESTS

SENT = "irm http://a/order_cancel -Method Post -Body "
PAYLOAD = '{"version": 1, "action": "order_cancel", "data": {}}'
TOO_MANY = f"there are more than {MOST_REQUESTS:,} requests"


REFUSED = {
    "commands": ("curl http://a/order_cancel -d 1\n" * (MOST_REQUESTS + 2), TOO_MANY),
    "statements": (f"{SENT}'1'\n" * (MOST_REQUESTS + 1), TOO_MANY),
    "payloads": (
        'x {"version": 1, "action": "order_cancel", "data": {}} y\n' * (MOST_REQUESTS + 1),
        TOO_MANY,
    ),
    "texts that double": (
        "$a = 'xxxxxxxxxx'\n" + '$a = "$a$a"\n' * 40 + f"{SENT}$a",
        "makes a value that is too large",
    ),
    "sums that double": (
        "$a = 'xxxxxxxxxx'\n" + "$a = $a + $a\n" * 40 + f"{SENT}$a",
        "makes a value that is too large",
    ),
    "here-strings that double": (
        "$a = 'xxxxxxxxxx'\n" + '$a = @"\n$a$a\n"@\n' * 40 + f"{SENT}$a",
        "makes a value that is too large",
    ),
    "tables that double": (
        "$a = 1\n" + "$a = @{ x = $a; y = $a }\n" * 40 + f"{SENT}($a | ConvertTo-Json -Depth 99)",
        "makes a value that is too large",
    ),
    "a table in itself": (
        f"$a = @{{ x = 1 }}\n$a.y = $a\n{SENT}($a | ConvertTo-Json)",
        "makes a value that is too large",
    ),
    "parentheses": (f"irm {'(' * 10_000}", "nested deeper than 50 levels"),
    "numbers": (f"$a = {'9' * 5_000}\n{SENT}$a", "more than 1,000 digits"),
    "names of HTTPie": (f"http http://a/order_cancel a{'[x]' * 10_000}=1", "nested deeper than 200 levels"),
    "positions of HTTPie": ("http http://a/order_cancel a[999999999999]=1", "more than 10,000 items"),
    "items of HTTPie": (f"http http://a/order_cancel {'a=b ' * 10_001}", "more than 10,000 items"),
}


def complaint(text: str) -> str:
    """What is said of a text; nothing where it is read. Any other exception is a bug."""
    try:
        as_steps(read(text, SHIPPED_CONTRACTS, file="f"), SHIPPED_CONTRACTS, file="f")
    except SandboxError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", REFUSED)
def test_what_goes_beyond_a_bound_is_refused(kind: str):
    text, said = REFUSED[kind]
    assert said in complaint(text)


PIECES = [
    '{"',
    '{\\"',
    "'{\"a",
    "\\\n",
    '""a',
    "&amp;",
    "\n",
    "[",
    "curl ",
    "<<E\n",
    "<#",
    "catch {",
    "${",
    "=> ",
]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("before", ["", "curl http://a -d '", "irm x\n", 'curl ^"', "http http://a ", "{"])
def test_repeated_pieces_are_read_or_refused(before: str, piece: str):
    # Work that grows with the square of a text would take minutes.
    said = complaint(before + piece * 20_000)
    assert said
    assert "\n" not in said


COMMON = [*"'\"\\\n a{};|>#", '"a":1', "http://a/order_cancel ", "$x"]
LANGUAGES = {
    "posix": ["curl ", "-d ", "\\\n", "\\ \n", "<<E\n", "E\n", "-H ", "\\'", "`", "$(", "(", "&"],
    "cmd": ["curl ", '^"', "^", "^\n", '""', '\\"', "%A%", "&", "-d ", "C:\\x>"],
    "powershell": [
        *("irm ", "curl.exe ", "-Uri ", "-Body ", "-Method Post ", "ConvertTo-Json ", "New-Object ", ".Add("),
        *(
            "@{",
            "@(",
            "(",
            ")",
            "$x = ",
            "@'\n",
            "\n'@",
            '@"\n',
            '\n"@',
            "`",
            "`\n",
            "[",
            "].",
            "::",
            ",",
            "+",
        ),
        *("=", "$(", "@x ", "<#", "#>", "$env:A", "try {", "catch {", "1", ".5", "&"),
    ],
    "httpie": ["http ", "POST ", "a=b ", "a:=1 ", "--raw ", "<<< ", "-a ", "==", *"[]=:@9"],
    "archive": ['{"log":', '{"entries":', '"request":', '"postData":', '"text":', "null", *"[],1"],
}


@pytest.mark.parametrize("language", LANGUAGES)
@given(data=st.data())
def test_any_text_is_read_or_refused_in_one_line(language: str, data: st.DataObject):
    pieces = LANGUAGES[language]
    text = pieces[0] + "".join(data.draw(st.lists(st.sampled_from([*COMMON, *pieces]), max_size=25)))
    assert "\n" not in complaint(text)
