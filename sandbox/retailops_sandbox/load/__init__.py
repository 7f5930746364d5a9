"""Scenarios under load: Locust's users run them through the engine.

Locust works with gevent's greenlets, the engine with an event loop. Each process that sends has one event
loop in a thread of its own, to which users hand their scenarios. Only a process of `__main__` imports Locust:
`setup` and `launching`, which commands use, do not.

setup          what is asked for: the command hands it to each process
launching      starts the processes, and ends them
__main__       one process: alone, the master, or a worker
process        Locust's runner from its start to its reports, and the exit code
engine_thread  the event loop in its thread, and how greenlets wait for it
users          Locust's users
statistics     what Locust's statistics are told of the engine's events
reports        Locust's statistics, printed and in files
totals         counts of steps by their verdicts, from which the exit code follows
evidence       the failed deliveries that the log keeps
page           what Locust's own web page is guarded by
"""
