"""What keeps a send or a run from going out."""

from __future__ import annotations

import pytest

from retailops_sandbox.model import Receiver
from retailops_sandbox.web.shell.context import Target
from retailops_sandbox.web.shell.send_form import Refused
from retailops_sandbox.web.shell.sends import permit

SHOP = Receiver("shop", "http://shop.test")
LIVE = Receiver("live", "http://live.test", protected=True)
ONE, TWO = "http://shop.test/one", "http://shop.test/two"


@pytest.mark.parametrize(
    ("target", "shown", "confirmed"),
    [
        (Target(SHOP, (ONE,)), ONE, ""),
        (Target(SHOP, (ONE,)), f"{TWO}\n{ONE}", ""),
        (Target(SHOP, (ONE, TWO)), Target(SHOP, (ONE, TWO)).shown, ""),
        (Target(LIVE, (ONE,)), ONE, "live"),
    ],
)
def test_what_the_page_showed_may_go_out(target: Target, shown: str, confirmed: str):
    permit(target, shown=shown, confirmed=confirmed)


@pytest.mark.parametrize(
    ("target", "shown", "confirmed", "field", "words"),
    [
        (Target(SHOP, problem="no such host"), "", "", "receiver", "Nothing was sent: no such host"),
        (Target(LIVE, (ONE,)), ONE, "", "confirmed", "live is protected, and nothing was sent"),
        (Target(LIVE, (ONE,)), ONE, "shop", "confirmed", "select the box"),
        (Target(SHOP, (ONE, TWO)), ONE, "", "send", f"the URL is {TWO} now, and the page showed {ONE}"),
        (
            Target(SHOP, (ONE,)),
            "",
            "",
            "send",
            "the page showed none. If this is the right one, run once more",
        ),
    ],
)
def test_what_may_not_go_out_is_refused_at_its_field(
    target: Target, shown: str, confirmed: str, field: str, words: str
):
    with pytest.raises(Refused) as refused:
        permit(target, shown=shown, confirmed=confirmed, again="run")
    assert words in refused.value.problems[field]
