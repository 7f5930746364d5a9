"""What `run` and `send` print: one line for each scenario, and what spoiled those that did not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sandbox.engine import DeliveryFinished, Event, ScenarioResult
from sandbox.errors import SandboxError
from sandbox.model import Receiver, Verdict
from sandbox.report import lines

COLOURS: dict[Verdict, str] = {
    "passed": "green",
    "failed": "red",
    "errored": "magenta",
    "recorded": "cyan",
    "skipped": "yellow",
}
_INDENT = "      "


class Console:
    """Listens to a run and prints it. `echo` takes a line, `style` colours a text where colour is wanted."""

    def __init__(
        self, echo: Callable[[str], None], style: Callable[[str, str], str], *, verbose: bool
    ) -> None:
        self._echo = echo
        self._style = style
        self._verbose = verbose
        self._spoiled: dict[int, list[DeliveryFinished]] = {}

    def hear(self, event: Event) -> None:
        """Take one event of the run."""
        if isinstance(event, DeliveryFinished):
            if event.judgement is not None and (
                self._verbose or event.judgement.verdict in ("failed", "errored")
            ):
                self._spoiled.setdefault(id(event.plan), []).append(event)
        elif isinstance(event, ScenarioResult):
            self._scenario(event, self._spoiled.pop(id(event.plan), []))

    def _scenario(self, result: ScenarioResult, spoiled: list[DeliveryFinished]) -> None:
        word = self._style(f"{lines.GLYPHS[result.verdict]} {result.verdict:<8}", COLOURS[result.verdict])
        attempts = max((step.attempts for step in result.steps), default=1)
        after = f" after {attempts} attempts" if attempts > 1 else ""
        place = f"  {result.plan.id}" if result.plan.id and result.plan.scenario.name else ""
        self._echo(f"{word}  {result.plan.name}{place}  {result.seconds * 1000:.0f} ms{after}")
        for step in result.steps:
            if step.verdict in ("failed", "errored", "skipped") or (self._verbose and step.reason):
                place = f"  {result.plan.file}:{result.plan.line(step.number)}" if result.plan.file else ""
                self._echo(f"    {lines.GLYPHS[step.verdict]} step {step.name!r} {step.verdict}{place}")
                for line in lines.step(step):
                    self._echo(_INDENT + line)
        for event in spoiled:
            self._exchange(event)

    def _exchange(self, event: DeliveryFinished) -> None:
        """The request line and the answer of a delivery that did not pass."""
        delivery = event.delivery
        request = f"{delivery.request.method} {delivery.request.url}"
        if delivery.fault is not None:
            answer = f"fault {delivery.fault.kind}: {delivery.fault.message}"
        elif delivery.response is not None:
            answer = str(delivery.response.status)
        else:
            answer = "no answer"
        self._echo(f"{_INDENT}{delivery.id}: {request} -> {answer}  {delivery.timings.total:.0f} ms")
        if delivery.response is not None and delivery.response.body:
            self._echo(f"{_INDENT}answer: {_shortened(delivery.response.body)}")

    def finish(
        self,
        results: Sequence[ScenarioResult],
        unreadable: Sequence[SandboxError],
        receiver: Receiver,
        seconds: float,
    ) -> None:
        """The closing lines: files that could not be read, the counts, and which receiver it was."""
        for error in unreadable:
            self._echo(self._style("! unreadable", COLOURS["errored"]) + f"  {error}")
        counts = Counter(result.verdict for result in results)
        words = [
            f"{counts[verdict]} {verdict}"
            for verdict in COLOURS
            if counts[verdict] or verdict in ("passed", "failed")
        ]
        if unreadable:
            words.append(f"{len(unreadable)} unreadable")
        what = (
            "the stand-in (it proves nothing about a real receiver)" if receiver.stand_in else receiver.name
        )
        self._echo(f"{', '.join(words)} in {seconds:.2f} s, receiver: {what}")


def _shortened(body: str, width: int = 600) -> str:
    text = " ".join(body.split())
    return text if len(text) <= width else f"{text[:width]} … ({len(body)} characters)"
