"""A contract that proves the sender by a signature: sent, exported and sent again, and nowhere kept."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from tests.support import command
from tests.support.compose_client import ComposeClient
from tests.support.contracts import write_contract
from tests.support.logged import newest_deliveries
from tests.support.pages import words
from tests.support.receivers import Receiver, answering, receiver, response
from tests.support.serving import serving

SECRET = "a-secret-of-this-shop"
AUTH = {
    "header": "X-Shop-Proof",
    "signature": {"algorithm": "sha256", "encoding": "hex", "prefix": "v0="},
    "status": 401,
}
RECIPE = "X-Shop-Proof: v0= and the HMAC-SHA256 of the body in hex, by the receiver's secret"
HELD = response(b'{"results":[{"code":"HELD"}]}', "Content-Type: application/json")
STEPS: list[dict[str, Any]] = [
    {"name": "right", "payload": {"hold": {"refnum": "H-1"}}, "expect": {"status": 200}},
    {
        "name": "unsigned",
        "payload": {"hold": {"refnum": "H-1"}},
        "deliver": {"headers": {"X-Shop-Proof": None}},
        "expect": {"status": 200},
    },
    {"name": "raw", "raw": "no json", "off_contract": True, "expect": {"status": 200}},
]


def workspace(folder: Path, url: str) -> None:
    """A workspace with that contract, a receiver that has the secret, and a scenario."""
    write_contract(folder, auth=AUTH, secrets=None)
    document = {"action": "order_hold", "edition": "v1", "steps": STEPS}
    (folder / "hold.scenario.json").write_text(json.dumps(document))
    known = {"name": "shop", "base_url": url, "token": "${env:SHOP_SECRET}"}
    (folder / "receivers.json").write_text(json.dumps({"receivers": {"1": known}}))


def proofs(shop: Receiver) -> list[tuple[str, str]]:
    """Of each request the proof that came, and the one that is right for its bytes."""
    found = []
    for request in shop.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(line.partition(": ")[::2] for line in head.decode().split("\r\n")[1:])
        right = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        found.append((headers.get("X-Shop-Proof", ""), f"v0={right}"))
    return found


def test_what_is_sent_is_signed_and_no_report_has_the_signature(tmp_path: Path):
    reports = ["--junit-xml", "r.xml", "--report-html", "r.html", "--report-json", "r.json"]
    with receiver(answering(HELD)) as shop:
        workspace(tmp_path, shop.url)
        named = ("hold.scenario.json", "--receiver", "shop")
        dry = command.run("run", *named, "--dry-run", cwd=tmp_path, SHOP_SECRET=SECRET)
        done = command.run("run", *named, *reports, "-v", cwd=tmp_path, SHOP_SECRET=SECRET)
        assert done.returncode == 0, done.stdout
        (first, unsigned, raw) = proofs(shop)
        script = command.run("export", "latest", "--format", "curl", cwd=tmp_path, SHOP_SECRET=SECRET)
        har = command.run("export", "latest", "--format", "har", cwd=tmp_path, SHOP_SECRET=SECRET)
        sh = command.run("-ec", script.stdout, cwd=tmp_path, command=("sh",), SHOP_SECRET=SECRET)
        assert sh.returncode == 0, script.stdout + sh.stderr
        assert proofs(shop)[3:] == [first, unsigned, raw]
    (tmp_path / "script.sh").write_text(script.stdout)
    back = command.run("import", "script.sh", "-o", "back.scenario.json", cwd=tmp_path)
    assert "left out: X-Shop-Proof; credentials belong to the receiver" in back.stdout, back.stderr
    assert "signature" not in (tmp_path / "back.scenario.json").read_text()
    for sent, right in (first, raw):
        assert sent == right
    assert unsigned[0] == ""
    assert dry.stdout.count(RECIPE) == 2
    assert har.stdout.count(RECIPE.partition(": ")[2]) == 2
    kept = [
        done.stdout,
        script.stdout,
        har.stdout,
        *((tmp_path / name).read_text() for name in reports[1::2]),
    ]
    digests = [right.removeprefix("v0=") for _, right in (first, raw)]
    for text in kept:
        assert not any(secret in text for secret in (SECRET, *digests))


def test_a_delivery_that_is_sent_again_is_signed_anew(tmp_path: Path):
    with receiver(answering(HELD)) as shop:
        workspace(tmp_path, shop.url)
        done = command.run(
            "run", "hold.scenario.json", "--receiver", "shop", cwd=tmp_path, SHOP_SECRET="another-secret"
        )
        assert done.returncode == 0, done.stdout
        with serving(tmp_path, SHOP_SECRET=SECRET) as served:
            client = ComposeClient(served)
            with client.http:
                form = client.form("/?action=order_hold&edition=v1") | {"receiver": "shop", "do": "view:sent"}
                page = client.http.post("/compose", data=form).text
                assert RECIPE in words(page)
                assert "X-Shop-Proof: v0=«redacted:signature»" in words(page)
                for sent in reversed(newest_deliveries(client.log, 10)):
                    path = f"/deliveries/{sent.delivery.id}"
                    client.landed(client.again(path).headers["location"])
                    assert ("openssl dgst" in words(client.http.get(path).text)) != (
                        sent.delivery.step == "unsigned"
                    )
                unsigned = next(
                    each.delivery.id
                    for each in newest_deliveries(client.log, 10)
                    if each.delivery.step == "unsigned"
                )
                edited = words(client.http.get(f"/?from={unsigned}").text)
                assert "Its step left headers out, which are sent from here: X-Shop-Proof." in edited
        before, again = proofs(shop)[:3], proofs(shop)[3:]
    assert [came == right for came, right in before] == [False, False, False]
    assert [came == right for came, right in again] == [True, False, True]
    assert again[1][0] == ""
