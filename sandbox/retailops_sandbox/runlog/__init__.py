"""The delivery log: one run, one TinyDB database file.

writer.py     RunWriter: a run as its own process writes it
log.py        Log: every run as anyone reads it
foreign.py    run files that lie elsewhere, and are only looked at
reader.py     one run, from its run file, its journal, or both
folded.py     a run file, by the summary beside it
live.py       a journal, as it grows
summary.py    a delivery in one line
query.py      which deliveries are asked for
changes.py    what came since somebody last looked
search.py     looking into files without taking them apart
history.py    the results of earlier runs, for comparing
retention.py  which runs go, and what is swept up
pins.py       runs that stay, whatever retention says
fold.py       what becomes of a journal when its run has ended
journal.py    the journal's lines
runfile.py    the run file's tables
lock.py       who a run belongs to
files.py      files that are replaced whole, and errors in one line

A run's records are in `<run id>.journal` until they are folded into `<run id>.json`. A judgement goes into
the run of the process that made it, and is found by the delivery it names.
"""
