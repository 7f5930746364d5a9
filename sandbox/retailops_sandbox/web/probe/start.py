"""The bar that starts a probe: what would be sent where, and the options."""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping, Sequence

import msgspec
from starlette.requests import Request

from retailops_sandbox.engine import Options
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.probe.orders import OrderIds
from retailops_sandbox.probe.probes import Area
from retailops_sandbox.probe.probing import MAX_SECONDS, ProbeOutline
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.reporting.probes.words import AREA_NAMES
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.probing import ProbeSetup, outline, quick_check
from retailops_sandbox.web.probe.form import SENT_AREAS, ProbeForm, probe_options
from retailops_sandbox.web.probe.result import AreaCard, planned_areas
from retailops_sandbox.web.shell.choices import chosen_action, chosen_name
from retailops_sandbox.web.shell.context import Action, AppContext, Target
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.pages import problems
from retailops_sandbox.web.shell.run_target import FRESH, for_run
from retailops_sandbox.web.shell.send_form import Refused
from retailops_sandbox.web.shell.sends import permit
from retailops_sandbox.workspace.workspace import SHIPPED


class StartBar(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent, and the form that starts it."""

    form: ProbeForm
    form_id: str
    target: Target
    actions: Sequence[Action]
    fixtures: Sequence[str]
    areas: Sequence[tuple[Area, str]]
    """The areas for which requests are sent, with their names."""
    short: ProbeOutline | None
    """What the short probe would send; None where that cannot be told."""
    whole: ProbeOutline | None
    cards: Sequence[AreaCard]
    """The areas of the short probe."""
    problems: Mapping[str, str]
    """By field."""
    max_seconds: float = MAX_SECONDS

    @property
    def kinds(self) -> str:
        """How many requests of which kinds the short probe would send."""
        return _kinds(self.short)

    @property
    def all_kinds(self) -> str:
        """How many requests of which kinds the whole probe would send."""
        return _kinds(self.whole)

    @property
    def is_ready(self) -> bool:
        """Whether a probe can be started."""
        return self.short is not None and not self.target.problem


class Starts:
    """Makes the bar of a page, and the probe that its form asks for."""

    def __init__(self, context: AppContext) -> None:
        self._context = context

    def form(
        self, request: Request, receivers: KnownReceivers, probed: ProbeReport | None = None
    ) -> ProbeForm:
        """The form in a page's address.

        The receiver and the action are those of the report that the page shows, if that receiver is
        known, else those that this browser chose.
        """
        form = ProbeForm.of(request.query_params)
        name = chosen_name(request, receivers)
        if probed is not None and receivers.find(probed.receiver) is not None:
            contract = form.contract or f"{probed.action} {probed.edition}"
            return msgspec.structs.replace(form, receiver=probed.receiver, contract=contract)
        contract = form.contract or " ".join(self._chosen_contract(request, receivers, name))
        return msgspec.structs.replace(form, receiver=name, contract=contract)

    def _chosen_contract(self, request: Request, receivers: KnownReceivers, name: str) -> tuple[str, str]:
        """The action that this browser chose last, in an edition that the receiver speaks."""
        known = {each.name: each for each in self._context.actions()}
        last, last_edition = chosen_action(request)
        receiver = receivers.find(name)
        action = known[last] if last in known else next(iter(known.values()))
        if receiver is None:
            return action.name, action.editions[0]
        speaks = self._context.speaks(receiver)
        if speaks.action in known:
            # A receiver whose URL ends in the path of an action is asked nothing else.
            action = known[speaks.action]
        return action.name, action.edition_for(speaks, last_edition if action.name == last else "")

    def target(self, receivers: KnownReceivers, form: ProbeForm) -> Target:
        """Where a probe would go. Its stand-in is started with it, without orders of earlier ones."""
        receiver = receivers.find(form.receiver)
        if receiver is None:
            return Target.gone(form.receiver, receivers)
        if receiver.stand_in:
            return Target(receiver, (FRESH,))
        return self._context.target(receiver, *form.agreed)

    def bar(
        self,
        receivers: KnownReceivers,
        form: ProbeForm,
        before: ProbeReport | None,
        wrong: Mapping[str, str] | None = None,
    ) -> StartBar:
        """The bar of a page. Blocks.

        `before` is the probe whose seed is taken again, so that both compare.
        """
        target = self.target(receivers, form)
        found = problems(wrong)
        if target.problem:
            found.setdefault("receiver", target.problem)
        short = whole = None
        proposed = form
        if not target.problem:
            proposed = _with_seed(form, before)
            try:
                short = outline(self._setup(receivers, target, proposed, short=True))
                proposed = msgspec.structs.replace(
                    proposed, said_seed=str(short.seed), said_orders=short.orders
                )
                whole = outline(self._setup(receivers, target, proposed, short=False))
            except Refused as refused:
                found = problems({**refused.problems, **found})
            except SandboxError as error:
                found.setdefault("send", str(error))
        return StartBar(
            form=proposed,
            form_id=secrets.token_hex(16),
            target=target,
            actions=self._context.actions(),
            fixtures=self._fixtures(form),
            areas=[(each, AREA_NAMES[each]) for each in SENT_AREAS],
            short=short,
            whole=whole,
            cards=planned_areas(short) if short is not None else (),
            problems=found,
        )

    def setup(
        self, receivers: KnownReceivers, form: ProbeForm, *, short: bool, resumed: ProbeReport | None = None
    ) -> ProbeSetup:
        """The probe that a form asks for; Refused or another SandboxError where it may not start. Blocks."""
        target = self.target(receivers, form)
        permit(target, shown=form.shown, confirmed=form.confirmed, again="press the button")
        made = self._setup(receivers, target, form, short=short)
        if resumed is None:
            return made
        probe = msgspec.structs.replace(
            made.probe,
            areas=resumed.areas_wanted or made.probe.areas,
            seed=resumed.seed,
            orders=resumed.orders,
            max_requests=resumed.max_requests,
            resumed=resumed,
        )
        return msgspec.structs.replace(made, probe=probe)

    def _setup(
        self, receivers: KnownReceivers, target: Target, form: ProbeForm, *, short: bool
    ) -> ProbeSetup:
        context = self._context
        contract = context.contracts.load(*form.agreed)
        setup = ProbeSetup(
            workspace=context.workspace,
            contract=contract,
            options=Options(receiver=for_run(target.receiver), confirmed=target.receiver.protected),
            probe=probe_options(context, form, contract),
            environment=context.environment,
            policy=context.policy(receivers),
        )
        return quick_check(setup, self._shipped()) if short else setup

    def _shipped(self) -> list[Plan]:
        """The scenarios that ship."""
        return [each for each in self._context.scenario_index.read().plans if each.id.startswith(SHIPPED)]

    def _fixtures(self, form: ProbeForm) -> list[str]:
        if self._context.contracts.find(*form.agreed) is None:
            return []
        try:
            return [each.name for each in self._context.workspace.fixtures(*form.agreed)]
        except SandboxError:
            # The bar says it as what is wrong with the probe.
            return []


def _kinds(outline: ProbeOutline | None) -> str:
    """The number of requests of each area, in words."""
    areas = outline.areas if outline is not None else {}
    return ", ".join(f"{areas[each]:,} {AREA_NAMES[each].lower()}" for each in SENT_AREAS if areas.get(each))


def _with_seed(form: ProbeForm, before: ProbeReport | None) -> ProbeForm:
    """The form with the seed of an earlier probe, and with fresh orders, where it has none of its own.

    From a seed alone would come the orders of that probe, which the receiver knows by now.
    """
    if form.said_orders:
        return form
    fresh = str(OrderIds.drawn(random.Random()))
    seed = "" if before is None else str(before.seed)
    return msgspec.structs.replace(form, said_seed=form.said_seed or seed, said_orders=fresh)
