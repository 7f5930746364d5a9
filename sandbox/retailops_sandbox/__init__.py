"""The RetailOPS sandbox: composes RetailOPS calls, sends them to a receiver, and judges the answers.

A Python program runs a scenario file as `retailops-sandbox run` does:

    import os

    from retailops_sandbox import load_scenario, run_scenario

    scenario = load_scenario("cancel.scenario.json")
    result = run_scenario(scenario, os.environ["RECEIVER_URL"])
    print(result.verdict)
    for step in result.steps:
        print(step.name, step.verdict, step.reason)
        for judgement in step.judgements:
            for difference in judgement.differences:
                print(difference.kind, difference.actual_pointer, difference.expected, difference.actual)

The names of `__all__` are public, and docs/python.md describes them. All others may change at any time.
"""

__version__ = "0.1.0"

__all__ = [
    "Difference",
    "Errored",
    "Judgement",
    "Number",
    "Plan",
    "ProbeReport",
    "ProbeResult",
    "Result",
    "RetailOPS",
    "SandboxError",
    "ScenarioResult",
    "StepResult",
    "Violation",
    "escaped",
    "load_scenario",
    "probe_receiver",
    "resolve",
    "run_scenario",
]

TYPE_CHECKING = False
"""True for type checkers. Not imported from `typing`, which takes longer than everything else here."""

if TYPE_CHECKING:
    from retailops_sandbox.api import load_scenario, probe_receiver, run_scenario
    from retailops_sandbox.composing import escaped
    from retailops_sandbox.engine import ScenarioResult, StepResult
    from retailops_sandbox.errors import SandboxError
    from retailops_sandbox.jsontext.pointer import resolve
    from retailops_sandbox.model import Difference, Judgement, Number, Violation
    from retailops_sandbox.probe.report import ProbeReport
    from retailops_sandbox.pytest_plugin.answers import Errored, Result
    from retailops_sandbox.pytest_plugin.probing import ProbeResult
    from retailops_sandbox.pytest_plugin.sending import RetailOPS
    from retailops_sandbox.scenarios.scenario import Plan
else:
    _MODULES = {
        **dict.fromkeys(("load_scenario", "probe_receiver", "run_scenario"), "api"),
        **dict.fromkeys(("Difference", "Judgement", "Number", "Violation"), "model"),
        **dict.fromkeys(("ScenarioResult", "StepResult"), "engine"),
        "Plan": "scenarios.scenario",
        "ProbeReport": "probe.report",
        "ProbeResult": "pytest_plugin.probing",
        **dict.fromkeys(("Errored", "Result"), "pytest_plugin.answers"),
        "RetailOPS": "pytest_plugin.sending",
        "SandboxError": "errors",
        "escaped": "composing",
        "resolve": "jsontext.pointer",
    }
    """The module of each public name, imported when the name is used: the command needs few of them."""

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        globals()[name] = value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
