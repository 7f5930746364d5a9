"""The delivery log. Other parts of the program reach it by its ports and by `opening` alone.

ports.py      RunWriter, LogReader and LogKeeper: what the log can be asked for
opening.py    opens the log, and the run that a process writes
entries.py    a delivery with its judgements; a result with its run
rows.py       a delivery in a list
runs.py       the record of a new run, and what lists show of a run
query.py      which deliveries to list
changes.py    a delivery that was logged, or judged again
retention.py  which runs are deleted

log.py        the log that is kept as run files
shared.py     the log that is kept in a database, and as run files where that is away

files/        the files of a run
  writer.py     writes a run
  storage.py    the TinyDB database of a run that goes on, which appends to the journal
  journal.py    the journal's lines
  finalize.py   makes the run file of a journal when its run has ended
  tables.py     writes the run file's tables
  runfile.py    reads a run file
  written.py    reads a run file a line at a time, where it is laid out as the sandbox writes it
  folder.py     which runs there are, and the state of their files
  history.py    reads the results of earlier runs alone
  merging.py    makes one run file of those of a run's shards
  replaying.py  reads a run file by its results, each with its deliveries
  checking.py   checks run files from elsewhere
  pins.py       pins runs, so that pruning keeps them
  pruning.py    deletes run files, and what dead processes left
  lock.py       which process owns a run
  atomic.py     files that are replaced whole

sql/          what SQLite and PostgreSQL share
  tables.py     the tables of deliveries, and their rows as values
  selecting.py  the SQL of a query
  texts.py      texts as the columns of PostgreSQL have them

index/        rows and the places of records in SQLite, so that a question reads few files
  index.py        what the index answers
  tables.py       the tables, and their rows as values
  database.py     the file `index.db`, made anew where it is gone or damaged
  updating.py     brings the index up to date with the folder
  filling.py      writes what is new of a run into the tables
  indexed.py      what the index keeps of a run as a whole
  places.py       the places of records in the files of a run, and reading them there
  evidence.py     reads the records that the index finds
  text_search.py  finds the records that hold a text

postgres/     the log in a PostgreSQL database
  schema.py     its tables
  connecting.py connects to the database
  writer.py     writes a run: into a file of this machine first
  uploading.py  brings that file into the database while the run goes on
  adding.py     adds the records of a run
  pushing.py    brings run files into the database later
  history.py    reads the results of earlier runs alone
  spelling.py   records as the text of columns
  signals.py    the lock of a run that goes on, and the channel that wakes watchers
  version.py    which version of the tables it has
  migrating.py  makes the tables, or brings them up to date
  migrations/   the scripts of Alembic that do so
  text_index.py the index by which a text is found
  database.py   connections of those who read and keep the log
  log.py        the log as its ports want it
  stored_runs.py  the runs, and which of them go on
  evidence.py   reads deliveries and judgements
  results.py    reads results
  text_search.py  the condition of a query's text
  copying.py    makes the run file of a run
  keeping.py    deletes runs, and makes rows anew

A run is one file, the TinyDB database `<run id>.json`. While it goes on, that has only the run's own record,
and `<run id>.journal` beside it has the others. A judgement is written into the run of the process that made
it, and names its delivery.
"""
