"""Reads the results of earlier runs alone, for later runs to be compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec
import psycopg

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Result, RunInfo
from retailops_sandbox.runlog.postgres import connecting
from retailops_sandbox.scenarios.trend import Past

_AT_ONCE = 20
"""The runs that are read at once."""
_SECOND = len("20240501T120000Z")
"""The characters of a run's id that say in which second it began."""
# In one second the run that began last has the greatest number.
_PAST = f"""
select record, (select array_agg(record order by number) from results where results.run = runs.number)
from runs
where id <= left(%(before)s, {_SECOND}) || '~' and id <> %(before)s
  and exists (select from results where results.run = runs.number)
order by left(id, {_SECOND}) desc, number desc
"""


def past_results(url: str, *, before: str, most: int, notice: Callable[[str], None]) -> Iterator[Past]:
    """The runs that have results and began before the run of this id, the newest first; read when taken.

    After `most` bytes no further run is read. None where the database is away, which `notice` is told.
    """
    try:
        with (
            closing(connecting.asking(url, autocommit=False)) as connection,
            connection.cursor(name="past") as cursor,
        ):
            cursor.itersize = _AT_ONCE
            for info, results in cursor.execute(_PAST, {"before": before}):
                if most <= 0:
                    return
                most -= sum(map(len, results))
                yield Past(_info.decode(info), [_result.decode(each) for each in results])
    except (SandboxError, psycopg.Error, msgspec.DecodeError) as error:
        notice(f"the run is not compared with earlier ones, as these cannot be read: {error}")


_info = msgspec.json.Decoder(RunInfo)
_result = msgspec.json.Decoder(Result)
