"""How many rows a table has, without counting them.

On PostgreSQL a trigger writes a line of +1 or -1 for each row that comes, goes or changes its part. Lines are only
added, so that nobody waits for anybody else's transaction; whoever reads sums what is committed, as a count would, and
makes one line of many. On SQLite rows are counted.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import QuerySet

from catalog import sql

#: So many lines are summed as quickly as few; with more, they become one for each part.
LINES = 500

_SUM = "SELECT sum(change) FILTER (WHERE %s IN (part, '*')), count(*) FROM row_tally WHERE of_table = %s"
_GATHER = """
    WITH gone AS (DELETE FROM row_tally RETURNING of_table, part, change)
    INSERT INTO row_tally SELECT of_table, part, sum(change) FROM gone GROUP BY of_table, part
"""


def count(rows: QuerySet[Any], part: Any = "*") -> int:
    """How many there are. `rows`: all that the trigger of their table counts, or those of one part of them."""
    if connection.vendor != "postgresql":
        return rows.count()
    ((found, lines),) = sql.rows(_SUM, [str(part), rows.model._meta.db_table])
    if lines > LINES:
        gather()
    return int(found or 0)


def gather() -> None:
    """One line of many. Safe to repeat, and while others read and write: each line is taken by one."""
    if connection.vendor == "postgresql":
        sql.run(_GATHER)


# ruff: noqa: S608 - only names of tables and columns of ours, from migrations


class Keep(migrations.RunPython):
    """The operation of a migration that counts a table from now on.

    `current`: SQL that says of a `{row}` whether it counts; `part`: which part of the table it belongs to, as text;
    `watched`: the columns that these two look at.
    """

    def __init__(self, table: str, *, current: str = "true", part: str = "''", watched: str = "") -> None:
        self.table, self.current, self.part, self.watched = table, current, part, watched
        super().__init__(self._install, self._remove)

    def _install(self, apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        old, new = ({"row": name} for name in ("OLD", "NEW"))
        table, current, part = self.table, self.current, self.part
        schema_editor.execute(f"""
            CREATE FUNCTION {table}_tally() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'TRUNCATE' THEN
                    DELETE FROM row_tally WHERE of_table = '{table}';
                    RETURN NULL;
                END IF;
                IF TG_OP <> 'INSERT' AND {current.format(**old)} THEN
                    INSERT INTO row_tally VALUES ('{table}', {part.format(**old)}, -1);
                END IF;
                IF TG_OP <> 'DELETE' AND {current.format(**new)} THEN
                    INSERT INTO row_tally VALUES ('{table}', {part.format(**new)}, 1);
                END IF;
                RETURN NULL;
            END $$
        """)  # fmt: skip
        run = f"EXECUTE FUNCTION {table}_tally()"
        schema_editor.execute(f"CREATE TRIGGER {table}_tally AFTER INSERT OR DELETE ON {table} FOR EACH ROW {run}")
        schema_editor.execute(f"CREATE TRIGGER {table}_tally_none AFTER TRUNCATE ON {table} {run}")
        if self.watched:
            looked_at = f"({current}, {part})"
            schema_editor.execute(
                f"CREATE TRIGGER {table}_tally_change AFTER UPDATE OF {self.watched} ON {table} FOR EACH ROW"
                f" WHEN ({looked_at.format(**old)} IS DISTINCT FROM {looked_at.format(**new)}) {run}"
            )
        schema_editor.execute(
            f"INSERT INTO row_tally SELECT '{table}', {part.format(row='each')}, count(*) FROM {table} AS each"
            f" WHERE {current.format(row='each')} GROUP BY 2"
        )

    def _remove(self, apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION {self.table}_tally() CASCADE")
            schema_editor.execute(f"DELETE FROM row_tally WHERE of_table = '{self.table}'")
