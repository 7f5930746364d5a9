"""One process of a load test: Locust's runner from its start to its reports, and the exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from locust.argument_parser import get_parser
from locust.env import Environment
from locust.event import Events
from locust.log import setup_logging
from locust.rpc import Message
from locust.runners import STATE_MISSING, STATE_RUNNING, STATE_SPAWNING, MasterRunner, Runner, WorkerRunner

from retailops_sandbox.engine import DeliveryFinished, ScenarioResult
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.load import page, setup
from retailops_sandbox.load.agreement import agreement
from retailops_sandbox.load.engine_thread import EngineThread
from retailops_sandbox.load.evidence import Evidence, FailedDelivery
from retailops_sandbox.load.found import Found
from retailops_sandbox.load.holding import Counting
from retailops_sandbox.load.joining import Master, Worker
from retailops_sandbox.load.order_numbers import OrderRange
from retailops_sandbox.load.order_sharing import HandingOut, Taking
from retailops_sandbox.load.pacing import Pacing
from retailops_sandbox.load.rates import Rates
from retailops_sandbox.load.reports import Reports
from retailops_sandbox.load.screen import Screen
from retailops_sandbox.load.sending import Sending
from retailops_sandbox.load.setup import LoadSetup
from retailops_sandbox.load.statistics import Statistics
from retailops_sandbox.load.tally import Tally
from retailops_sandbox.load.totals import Totals
from retailops_sandbox.load.users import scenario_users
from retailops_sandbox.load.workers import WorkerWatch, present
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.runlog.opening import open_run
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.ports import SystemClock, build_sources
from retailops_sandbox.session.streams import write_error
from retailops_sandbox.workspace.workspace import Workspace

# The messages between master and workers, beside Locust's own.
_FAILED = "retailops failed delivery"
_END = "retailops end"
_ENDED = "retailops ended"
_TOTALS = "retailops totals"
"""The member of Locust's report of a worker."""
_STDIN = 0
_LOOK = 0.05
"""Seconds between two looks at the workers."""


def main() -> int:
    """Do the part of the test that standard input names, and return the exit code."""
    with os.fdopen(_STDIN, "rb", buffering=0, closefd=False) as stdin:
        asked = setup.read(stdin)
    try:
        return LoadProcess(asked).run()
    except SandboxError as error:
        _complain(f"error: {error}")
        return setup.UNABLE


class LoadProcess:
    """One process: alone, the master, or a worker."""

    def __init__(self, asked: LoadSetup) -> None:
        self._setup = asked
        self._ended = Event()
        """Nothing more is to be sent: the time is over, or somebody ended it."""
        self._takes_messages = Event()
        self._interrupted = False
        self._has_begun = False
        """Whether a master has the workers that it waits for."""
        self._unable: SandboxError | None = None
        """Why this process cannot go on."""
        self._ended_workers: set[str] = set()
        self._unwritten: list[SandboxError] = []
        self._totals = Totals()
        """What the workers told; on a worker, what it told."""
        workspace = Workspace(asked.workspace, asked.database)
        environ = dict(os.environ)
        policy = SecretPolicy(environ, receivers=workspace.receivers().receivers, named=asked.secret_env)
        self._host = policy.secrets(asked.receiver).url(asked.receiver.base_url)
        self._events = Events()
        self._statistics = Statistics(self._events.request.fire, self._send_failed)
        self._evidence = self._opened_log(workspace) if asked.reports else None
        _raise_file_limit()
        self._pacing = Pacing()
        self._tally = Tally(time.perf_counter)
        self._taking: Taking | None = None
        self._handing_out: HandingOut | None = None
        sources = build_sources(workspace, environ, policy)
        self._agreement = agreement(asked, self._host, sources)
        self._sending = Sending(asked.plans, sources, self._tally)
        self._engine = EngineThread(asked, environ, policy, self._on_event) if asked.sends else None
        self._environment = Environment(
            user_classes=[scenario_users(asked.plans, self._run_scenario, self._pacing, self._host)],
            events=self._events,
            host=self._host,
            locustfile="retailops-sandbox",
            parsed_options=self._options(),
        )
        self._screen = Screen(self._environment, asked)
        measures = asked.reports and asked.pace
        screen = self._screen
        self._rates = (
            Rates(self._environment, asked, self._end, screen.say, screen.show) if measures else None
        )

    def run(self) -> int:
        """Run to the end, write the reports and return the exit code."""
        _watch_parent(self._interrupt, self._worker_ended)
        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, self._interrupt)
        self._listen()
        runner = self._runner()
        if runner is None:
            self._say_nothing_was_sent()
            return self._exit_code()
        setup_logging("WARNING")
        self._take_messages(runner)
        if isinstance(runner, WorkerRunner):
            self._work(runner)
        else:
            self._report(runner)
        if self._engine is not None:
            self._engine.close()
        if self._unable is not None:
            raise self._unable
        return self._exit_code()

    def _exit_code(self) -> int:
        self._totals.add(self._statistics.totals)
        code = self._totals.exit_code(interrupted=self._interrupted, unwritten=bool(self._unwritten))
        return self._rates.exit_code(code) if self._rates is not None else code

    # --- what it is made of ---

    def _opened_log(self, workspace: Workspace) -> Evidence:
        clock = SystemClock()
        # It keeps no results of scenarios, of which each is run many times.
        info = new_run("load", clock.now(), self._setup.receiver)
        log = open_run(workspace.log_place, info, lambda: workspace.contracts, _complain)
        return Evidence(log, clock)

    def _sending_engine(self) -> EngineThread:
        assert self._engine is not None, "a master has no users"
        return self._engine

    def _options(self) -> Any:
        """Locust's options, as far as it asks for them: its page shows some."""
        options = get_parser(default_config_files=[]).parse_args([])
        options.num_users = self._setup.users
        options.spawn_rate = self._setup.spawn_rate or float(self._setup.users)
        options.run_time = None if self._setup.web_port is None else self._setup.seconds
        # The users of a worker that died are started by the others.
        options.enable_rebalancing = True
        # Locust hands options that it does not know on to the workers.
        options.retailops_pace = self._setup.pace
        options.retailops_collide = self._setup.collide
        options.retailops_keeps_orders = self._setup.orders is None
        return options

    def _runner(self) -> Runner | None:
        """Locust's runner; None where this process was interrupted before a worker found its master."""
        # What Locust says of a port that is taken is said by the error.
        logging.getLogger("locust").addHandler(logging.NullHandler())
        host, port = self._setup.master_host, self._setup.master_port
        if self._setup.role == "alone":
            return self._environment.create_local_runner()
        if self._setup.role == "worker":
            return self._joined_worker(host, port)
        try:
            self._environment.runner = Master(
                self._environment, host, port, self._agreement, self._worker_refused
            )
        except SystemExit:
            raise UsageError(
                f"the port {port} of {host} is taken", mend="give another one by --master-port"
            ) from None
        return self._environment.runner

    def _joined_worker(self, host: str, port: int) -> Worker | None:
        """The worker of a master, once that has taken it; None where this process was interrupted before."""
        if not self._setup.together:
            self._screen.say(f"waits for the master at {host}:{port}")
        joining = gevent.spawn(Worker, self._environment, host, port, self._agreement, self._lose_master)
        gevent.wait([joining, self._ended], count=1)
        if not joining.ready():
            return None
        worker: Worker = joining.get()
        if worker.refusal:
            raise UsageError(f"the master at {host}:{port} refused this worker: {worker.refusal}")
        if not worker.connected:
            raise UsageError(f"no master answers at {host}:{port}", mend="start it with load --master")
        if not self._setup.together:
            self._screen.say(f"sends to {self._host} what the master says")
        self._environment.runner = worker
        return worker

    def _listen(self) -> None:
        """Listen to Locust. A worker's first report is sent as soon as there is a runner."""
        events = self._events
        events.test_start.add_listener(self._begin)
        events.test_stopping.add_listener(self._stop_sending)
        events.report_to_master.add_listener(self._add_totals)
        events.worker_report.add_listener(self._take_totals)
        if self._setup.reports and self._setup.web_port is None:
            # A worker goes on to the next test, until its master ends it.
            events.test_stop.add_listener(lambda environment: self._ended.set())

    def _take_messages(self, runner: Runner) -> None:
        if self._setup.reports:
            runner.register_message(_FAILED, self._failed)
            runner.register_message(_ENDED, lambda environment, msg: self._ended_workers.add(msg.node_id))
            if self._setup.orders is not None:
                self._handing_out = HandingOut(runner, OrderRange(self._setup.orders), self._end)
            if self._rates is not None:
                self._rates.attach(runner)
        if self._engine is not None:
            self._taking = Taking(runner)
            Counting(runner, self._tally, self._engine.delay, self._sending.begin_no_more)
        if not self._setup.reports:
            runner.register_message(_END, self._end_worker, concurrent=True)
        self._takes_messages.set()

    # --- what happens ---

    def _interrupt(self) -> None:
        """Somebody ends the test: cancel what is in flight."""
        runner = self._environment.runner
        going = runner is not None and runner.state in (STATE_RUNNING, STATE_SPAWNING)
        if not self._ended.is_set():
            self._interrupted = going or self._setup.web_port is None
        self._ended.set()
        if self._engine is not None:
            self._engine.cancel()
        elif isinstance(runner, MasterRunner):
            runner.send_message(_END, {"cancel": True})

    def _begin(self, environment: Environment) -> None:
        self._totals = Totals()
        self._statistics.reset()
        # A worker that comes while a test goes on is told to begin before there is its runner.
        self._takes_messages.wait()
        worker = max(getattr(environment.runner, "worker_index", 0), 0)
        options = environment.parsed_options
        assert options is not None
        if self._engine is not None and self._taking is not None:
            self._engine.begin(worker)
            self._sending.begin()
            self._sending.keeps_orders = options.retailops_keeps_orders
            if not self._sending.keeps_orders:
                self._taking.begin(collide=options.retailops_collide)
            self._pacing.begin(options.retailops_pace, worker, pairs=options.retailops_collide)
        if self._rates is not None:
            self._rates.begin()
        elif self._setup.reports and self._setup.web_port is None:
            gevent.spawn_later(self._setup.seconds, self._ended.set)

    def _on_event(self, event: DeliveryFinished | ScenarioResult) -> None:
        self._statistics.on_event(event)
        self._tally.on_event(event)

    def _run_scenario(self, plan: Plan) -> None:
        """Run a scenario for a user."""
        assert self._taking is not None
        self._sending.run(plan, self._taking.take, self._sending_engine().run)

    def _end(self) -> None:
        """End the test: all is measured, or there are no more orders."""
        if self._setup.web_port is None:
            self._ended.set()
        elif self._environment.runner is not None:
            gevent.spawn(self._environment.runner.stop)

    def _stop_sending(self, environment: Environment) -> None:
        if self._engine is not None:
            self._engine.end()

    def _send_failed(self, failed: FailedDelivery) -> None:
        if self._environment.runner is not None:
            self._environment.runner.send_message(_FAILED, {"record": failed.to_message()})

    def _failed(self, environment: Environment, msg: Message) -> None:
        if self._evidence is not None:
            self._evidence.keep(FailedDelivery.from_message(msg.data["record"]))

    # --- a worker and its master ---

    def _work(self, worker: WorkerRunner) -> None:
        """Send what the master says, until that or somebody else ends it."""
        gevent.wait([gevent.spawn(worker.greenlet.join), self._ended], count=1)
        if self._unable is not None:
            self._sending_engine().cancel()
            self._sending_engine().end()
        elif self._ended.is_set():
            self._tell_all(worker)
            self._events.quitting.fire(environment=self._environment, reverse=True)
            worker.quit()

    def _lose_master(self) -> None:
        where = f"{self._setup.master_host}:{self._setup.master_port}"
        self._give_up(UsageError(f"the master at {where} is gone, and this worker sends no more"))

    def _worker_refused(self, why: str) -> None:
        """Tell of a worker that was refused; before the test begins nobody may be left to wait for."""
        said = f"a worker was refused: {why}"
        if self._has_begun:
            _complain(f"warning: {said}")
        else:
            self._give_up(UsageError(said))

    def _worker_ended(self) -> None:
        """A worker that this command has started ended: it may never have come to its master."""
        if not self._has_begun:
            self._give_up(UsageError("a worker ended before the test began"))

    def _give_up(self, why: SandboxError) -> None:
        if not self._ended.is_set():
            self._unable = why
            self._ended.set()

    def _end_worker(self, environment: Environment, msg: Message) -> None:
        """End this worker's sending, and tell its master once all is told."""
        runner = environment.runner
        assert isinstance(runner, WorkerRunner)
        if msg.data["cancel"]:
            self._sending_engine().cancel()
        self._tell_all(runner)
        runner.send_message(_ENDED)

    def _tell_all(self, worker: WorkerRunner) -> None:
        """End the sending, and tell the master what it was not told yet."""
        self._sending_engine().end()
        report: dict[str, Any] = {}
        self._events.report_to_master.fire(client_id=worker.client_id, data=report)
        worker.send_message("stats", report)

    def _add_totals(self, client_id: str, data: dict[str, Any]) -> None:
        data[_TOTALS] = self._statistics.totals.to_message()
        self._totals.add(self._statistics.totals)
        self._statistics.totals = Totals()

    def _take_totals(self, client_id: str, data: dict[str, Any]) -> None:
        self._totals.add(Totals.from_message(data[_TOTALS]))

    def _end_workers(self, master: MasterRunner) -> None:
        """End the sending of all workers, and wait until those that live told all."""
        master.send_message(_END, {"cancel": self._interrupted})
        while any(
            worker.id not in self._ended_workers and worker.state != STATE_MISSING
            for worker in master.clients.all
        ):
            gevent.sleep(_LOOK)

    # --- the test as a whole ---

    def _report(self, runner: Runner) -> None:
        """Run the test, and write its reports; neither where it ended before it began."""
        if not self._has_workers(runner):
            runner.quit()
            self._say_nothing_was_sent()
            return
        self._has_begun = True
        if self._evidence is not None:
            self._evidence.begin()
        reports = Reports(self._environment, self._setup)
        reports.begin()
        if self._setup.web_port is None:
            self._start(runner)
        else:
            self._serve(self._setup.web_port)
        self._wait_for_end(runner)
        if isinstance(runner, MasterRunner):
            self._end_workers(runner)
        runner.quit()
        if self._evidence is not None:
            self._evidence.finish(stopped=self._interrupted)
            if self._evidence.unwritten is not None:
                self._unwritten.append(self._evidence.unwritten)
        self._screen.end()
        self._unwritten += reports.finish(self._found())
        self._say_what_was_found()
        for error in self._unwritten:
            _complain(f"error: {error}")

    def _wait_for_end(self, runner: Runner) -> None:
        """Wait until nothing more is to be sent. Locust ends a test that has no worker left."""
        if isinstance(runner, MasterRunner):
            watch = WorkerWatch(runner, lambda said: _complain(f"warning: {said}"))
            self._ended.wait()
            watch.end()
            if not self._interrupted and not present(runner):
                self._unwritten.append(UsageError("the test ended early, as no worker was left"))
        else:
            self._ended.wait()
        if self._rates is not None:
            self._rates.end()

    def _has_workers(self, runner: Runner) -> bool:
        """Wait for the workers of a master, unless its page shows them; whether they came."""
        wanted = self._setup.workers
        if isinstance(runner, MasterRunner) and self._setup.web_port is None:
            if not self._setup.together:
                where = f"{self._setup.master_host}:{self._setup.master_port}"
                self._screen.say(f"waits for {wanted} worker{'s' * (wanted > 1)} at {where}")
            while len(runner.clients.ready) < wanted and not self._ended.is_set():
                gevent.sleep(_LOOK)
        return not self._ended.is_set()

    def _start(self, runner: Runner) -> None:
        self._screen.say(f"sends to {self._host} {self._asked}")
        self._screen.begin()
        if self._rates is not None:
            runner.start_shape()
        else:
            runner.start(self._setup.users, self._setup.spawn_rate)

    def _say_nothing_was_sent(self) -> None:
        if self._interrupted and not (self._setup.together and self._setup.role == "worker"):
            self._screen.say("interrupted before anything was sent")

    def _say_what_was_found(self) -> None:
        if self._interrupted:
            self._screen.say("interrupted: what was in flight was cancelled and counts as nothing")
        if self._handing_out is not None:
            for line in self._handing_out.said:
                self._screen.say(line)
        if self._rates is not None:
            self._screen.say(self._rates.line)

    @property
    def _asked(self) -> str:
        users = self._setup.users
        alone = f"as {users:,} user{'s' * (users > 1)}"
        return self._rates.asked if self._rates is not None else alone

    def _found(self) -> Found:
        """What was found, for the reports."""
        return Found(
            receiver=self._host,
            asked=self._asked,
            verdict=self._rates.line if self._rates is not None else "",
            orders=self._handing_out.used if self._handing_out is not None else None,
            steps=self._rates.steps if self._rates is not None else (),
        )

    def _serve(self, port: int) -> None:
        web = self._environment.create_web_ui(self._setup.web_host, port, delayed_start=True)
        assert web.app is not None
        page.guard(web.app, self._host)
        web.start()
        self._screen.say(f"Locust's page is at http://{self._setup.web_host}:{port} (Ctrl-C ends it)")


def _complain(text: str) -> None:
    write_error(in_line(text))


def _raise_file_limit() -> None:
    """Allow as many open connections as the system lets this process have: each user has one."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _watch_parent(ended: Callable[[], None], worker_ended: Callable[[], None]) -> None:
    """Call a function when the command has died, which closes its end of the pipe, or tells of a worker."""
    watcher = gevent.get_hub().loop.io(_STDIN, 1)

    def look() -> None:
        told = os.read(_STDIN, 1)
        if not told:
            watcher.stop()
        gevent.spawn(worker_ended if told == setup.WORKER_ENDED else ended)

    watcher.start(look)
