"""The tables of a log in PostgreSQL: made, brought up to date, and refused."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from retailops_sandbox.errors import UsageError
from retailops_sandbox.runlog.postgres import migrating, version
from retailops_sandbox.runlog.postgres.connecting import connect
from retailops_sandbox.runlog.postgres.migrating import Migrated, migrate
from retailops_sandbox.runlog.postgres.schema import metadata
from tests.support import postgres
from tests.support.postgres_server import installed_programs


def test_migrations_make_the_tables_that_the_sandbox_uses(database_without_tables: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(database_without_tables))
    with engine.begin() as connection:
        metadata.create_all(connection)
    engine.dispose()
    wanted = _schema(database_without_tables)
    with psycopg.connect(database_without_tables) as emptied:
        emptied.execute("drop owned by current_user")
    migrate(database_without_tables)
    assert _schema(database_without_tables) == wanted
    with psycopg.connect(database_without_tables) as made:
        assert made.execute("select count(*) from state where identity > ''").fetchone() == (1,)


def _schema(url: str) -> set[str]:
    """The statements that make what is in a database, but for Alembic's table."""
    dumped = subprocess.run(
        [
            installed_programs() / "pg_dump",
            "--schema-only",
            "--restrict-key=x",
            f"--exclude-table={version.VERSION_TABLE}",
            url,
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    statements = re.sub(r"^(?:--|\\).*$", "", dumped, flags=re.MULTILINE).split(";\n")
    return {" ".join(statement.split()) for statement in statements}


def test_the_latest_version_is_that_of_the_scripts() -> None:
    scripts = ScriptDirectory(str(migrating.SCRIPTS))
    assert [each.revision for each in scripts.walk_revisions()] == [
        version.LATEST,
        *reversed(version.EARLIER),
    ]


def test_making_tables_again_changes_nothing(database_without_tables: str) -> None:
    url = database_without_tables
    assert migrate(url) == Migrated("", version.LATEST, has_text_index=False, mended=0)
    with psycopg.connect(url) as connection:
        connection.execute("insert into runs (id, record) values ('a', '{}')")
        identity = connection.execute("select identity from state").fetchone()
    assert migrate(url) == Migrated(version.LATEST, version.LATEST, has_text_index=False, mended=0)
    with psycopg.connect(url) as connection:
        assert connection.execute("select id from runs").fetchall() == [("a",)]
        assert connection.execute("select identity from state").fetchone() == identity


@pytest.mark.parametrize("earlier", version.EARLIER)
def test_tables_of_an_older_version_are_refused_until_they_are_brought_up_to_date(
    database: str, earlier: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"update {version.VERSION_TABLE} set version_num = '{earlier}'")
        with pytest.raises(UsageError, match=f"of an older version: {earlier}, .*log init --log postgresql:"):
            version.check_tables(connection, database)
        assert migrate(database).before == earlier
        version.check_tables(connection, database)


def test_tables_of_a_newer_version_are_left_as_they_are(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"update {version.VERSION_TABLE} set version_num = '9999'")
        for refused in (migrate, lambda url: version.check_tables(connection, url)):
            with pytest.raises(UsageError, match=r"of a newer version: 9999, .*pip install -U"):
                refused(database)
        assert connection.execute(f"select * from {version.VERSION_TABLE}").fetchall() == [("9999",)]


def test_tables_of_somebody_else_are_left_as_they_are(database_without_tables: str) -> None:
    with psycopg.connect(database_without_tables, autocommit=True) as connection:
        connection.execute("create table runs (number int)")
        with pytest.raises(UsageError, match=r'relation "runs" already exists .*of its own.*log_version'):
            migrate(database_without_tables)
        assert version.version_of(connection, database_without_tables) == ""


def test_rows_of_another_server_become_the_server_s_own(database: str) -> None:
    later = "(pg_current_xact_id()::text::bigint + 1000000)::text::xid8"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("insert into runs (id, record) values ('a', '{}')")
        for id, added in (("a.1", "pg_current_xact_id()"), ("a.2", later)):
            connection.execute(
                "insert into deliveries (run, added, changed, record, id)"
                f" select number, {added}, {added}, '{{}}', '{id}' from runs"
            )
        identity = connection.execute("select identity from state").fetchone()
        assert migrate(database).mended == 1
        ahead = "select count(*) from deliveries where greatest(added, changed) > pg_current_xact_id()"
        assert connection.execute(ahead).fetchone() == (0,)
        assert connection.execute("select identity from state").fetchone() != identity


def test_a_user_who_may_not_write_the_log_is_refused_before_a_run(
    database: str, reader: Callable[[str], str]
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("grant select on all tables in schema public to public")
    version.check_database(database)
    with pytest.raises(
        UsageError, match=r"its user may read the log, and not write it \(grant it select, insert,"
    ):
        version.check_database(reader(database))


@pytest.fixture
def reader() -> Iterator[Callable[[str], str]]:
    """Spells the URL of a database with a user who owns nothing."""
    name = f"reader_{os.getpid()}"
    postgres.admin().execute(f"create role {name} login password '{postgres.server().password}'")
    yield lambda url: url.replace(f"//{postgres.OWNER}:", f"//{name}:")
    postgres.admin().execute(f"drop role {name}")
