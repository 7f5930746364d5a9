"""Receivers as the field has them: the URL of an action, one edition, and answers of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from retailops_sandbox import resources
from tests.support.command import COMMAND, run
from tests.support.magento import PATH, TOKEN, Magento
from tests.support.receivers import receiver

SHIPPED = resources.fixtures_dir() / "scenarios"
REFNUMS = (
    *("496", "499", "512", "513", "514", "516", "517", "000510", "10000000000000000000000000511"),
    *("9007199254740994", "Żółw-511-日本"),
)
BROKEN = "v1-no-order-named.scenario.json"
"""What the module gets wrong: it answers an array to an order without a name."""


@pytest.fixture
def magento() -> Iterator[tuple[Magento, str]]:
    shop = Magento({**dict.fromkeys(REFNUMS, "open"), "510": "shipped", "498": "shipped"})
    with receiver(shop.act) as there:
        yield shop, there.url


def sent_to(output: str) -> list[str]:
    """The URLs that were said before anything else."""
    lines = output.splitlines()
    return [line.removeprefix("sends to ") for line in lines if line.startswith("sends to ")]


@pytest.mark.parametrize("base", ["", PATH, f"{PATH}/", f"{PATH}?store=1"])
def test_a_real_receiver_of_v1_passes_what_ships_for_it(
    tmp_path: Path, magento: tuple[Magento, str], base: str
):
    shop, url = magento
    action = () if base else ("--action", "order_cancel")
    done = run("run", *action, "--receiver", url + base, "--receiver-token", TOKEN, cwd=tmp_path)
    shipped = [json.loads(path.read_text()) for path in SHIPPED.glob("*.scenario.json")]
    cancels = [each for each in shipped if each["action"] == "order_cancel"]
    count = len([each for each in cancels if each["edition"] == "v1"])
    assert f"{count - 1} passed, 1 failed, {len(shipped) - count} left out in" in done.stdout, done.stdout
    assert (
        f"✗ failed    A cancel that names no order is refused with an event  shipped:{BROKEN}" in done.stdout
    )
    assert "must be an object, not an array" in done.stdout
    reason = f"its URL ends in {PATH}" if base else "it has a token"
    first, second = done.stdout.splitlines()[:2]
    others = "draft and other actions" if base else "draft"
    left_out = f"{len(shipped if base else cancels) - count} scenarios of {others}"
    assert first.startswith(
        f"left out: {left_out}, because the receiver speaks v1: {reason}. Name their files"
    )
    assert second == f"sends to {url}{base or PATH}"
    assert set(shop.paths) == {base or PATH}


@pytest.mark.parametrize("base", ["", "/order_cancel", "/order_cancel/", "/order_cancel?k=1"])
def test_send_says_the_url_before_it_sends_and_takes_the_receivers_edition(
    tmp_path: Path, magento: tuple[Magento, str], base: str
):
    shop, url = magento
    done = run("send", "default", "--receiver", url + base, cwd=tmp_path)
    whole = base or "/order_cancel"
    assert done.stdout.splitlines()[0] == f"sends to {url}{whole}"
    done = run("send", "default", "--receiver", f"{url}{PATH}", "--receiver-token", TOKEN, cwd=tmp_path)
    assert f"POST {url}{PATH} -> 200" in done.stdout
    assert shop.paths == [whole, PATH]


def test_a_fixture_of_the_other_edition_is_sent_in_its_own(tmp_path: Path, magento: tuple[Magento, str]):
    _, url = magento
    done = run("send", "split-payment", "--receiver", f"{url}{PATH}", cwd=tmp_path)
    assert sent_to(done.stdout) == [f"{url}/order_cancel"]


def test_what_is_named_is_sent_whatever_the_receiver_speaks(tmp_path: Path, magento: tuple[Magento, str]):
    shop, url = magento
    named = run("run", SHIPPED / "draft-cancel.scenario.json", "--receiver", f"{url}{PATH}", cwd=tmp_path)
    assert sent_to(named.stdout) == [f"{url}/order_cancel"]
    edition = run("run", "--receiver", f"{url}{PATH}", "--edition", "draft", "--tag", "smoke", cwd=tmp_path)
    assert sent_to(edition.stdout) == [f"{url}/order_cancel"]
    assert "left out:" not in named.stdout + edition.stdout
    assert shop.paths == ["/order_cancel"] * 2


def test_a_receiver_that_says_what_it_speaks_is_not_guessed_at(tmp_path: Path, magento: tuple[Magento, str]):
    _, url = magento

    def left_out(**fields: object) -> str:
        row = {"name": "shop", "base_url": url, **fields}
        (tmp_path / "receivers.json").write_text(json.dumps({"receivers": {"1": row}}))
        done = run("run", "--dry-run", "--receiver", "shop", cwd=tmp_path, SHOP=f"{url}{PATH}", TOKEN="t")
        return done.stdout.splitlines()[0] if "left out" in done.stdout else ""

    assert left_out() == ""
    assert "of draft and other actions, because the receiver speaks v1: its URL" in left_out(
        base_url="${env:SHOP}"
    )
    both = left_out(base_url="${env:SHOP}", editions=["draft", "v1"])
    assert (
        f"of other actions, because the receiver speaks draft and v1: it says so, and its URL ends in {PATH}"
        in both
    )
    assert "of v1, because the receiver speaks draft: it says so" in left_out(editions=["draft"])
    assert "of draft, because the receiver speaks v1: it has a token" in left_out(token="${env:TOKEN}")


def test_a_run_of_which_nothing_is_left_is_exit_5(tmp_path: Path, magento: tuple[Magento, str]):
    shop, url = magento
    (tmp_path / "scenarios").mkdir()
    draft = (SHIPPED / "draft-cancel.scenario.json").read_text()
    (tmp_path / "scenarios" / "mine.scenario.json").write_text(draft)
    done = run("run", "--receiver", f"{url}{PATH}", cwd=tmp_path)
    assert done.returncode == 5
    assert "left out: 1 scenario of draft" in done.stdout
    assert "nothing was judged" in done.stderr
    assert shop.paths == []


def test_the_stand_in_speaks_all(tmp_path: Path):
    done = run("run", "--stand-in", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{len(list(SHIPPED.glob('*.scenario.json')))} passed, 0 failed in" in done.stdout
    assert {"order_cancel", "order_cancel_v1"} < {url.rpartition("/")[2] for url in sent_to(done.stdout)}


def test_record_says_where_it_forwards_to_before_anything_passes(
    tmp_path: Path, magento: tuple[Magento, str]
):
    shop, url = magento
    options = ("record", "--forward", f"{url}{PATH}", "-o", "out.scenario.json", "--port", "0")
    with subprocess.Popen([COMMAND, *options], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(2)]
        finally:
            process.terminate()
    assert said[1] == f"forwards to: {url}{PATH}  ({PATH} to {url}{PATH})\n"
    assert shop.paths == []
