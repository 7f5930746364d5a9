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
pacing         how users keep a rate together
sending        what a user does: a scenario about orders of its own
named_orders   which orders a scenario names
renumbering    scenarios about other orders than those that their files name
certain_orders  which shipped scenarios fail with other orders than theirs
order_numbers  shares of a range of order ids
order_need     whether the range is large enough
order_sharing  how a master hands them out to workers
rates          the rates that a test holds, one after the other
agreement      what a master and its workers have in common
joining        Locust's master and worker, which agree, and notice when the other one is gone
workers        which workers a master has, and what is said of those that are lost
holding        how all workers hold a rate, and count what comes of it
tally          what one worker counts
counts         what was counted, and whether something happens more often than before
wrong_answers  what is wrong with an answer, in words
constant       whether a constant rate was held
series         which rate is measured next, and where answers change
verdict        what a series of rates showed, in one line
statistics     what Locust's statistics are told of the engine's events
screen         what is printed while a test goes on
reports        Locust's statistics, printed and in files
found          what was found, for the reports
totals         counts of steps by their verdicts, from which the exit code follows
evidence       the failed deliveries that the log keeps
page           what Locust's own web page is guarded by
"""
