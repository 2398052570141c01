"""How many there are, as far as somebody wants to know: a page must not cost more with a million rows."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import IntegerField, QuerySet, Subquery

#: Nobody counts further; what is more is shown as "10,000+".
MOST = 10_000


class Number(Subquery):
    """An annotation: how many rows, at most `most` and one more. The rows may name the outer one by OuterRef."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any], most: int = MOST) -> None:
        super().__init__(rows.order_by().values("pk")[: most + 1])


def numbers(*wanted: QuerySet[Any], most: int = MOST) -> list[int]:
    """How many rows each has, at most `most` and one more. One statement for all of them."""
    parts, parameters = [], []
    for rows in wanted:
        try:
            sql, given = rows.order_by().values("pk")[: most + 1].query.get_compiler(rows.db).as_sql()
        except EmptyResultSet:
            sql, given = "SELECT 1 WHERE 1 = 0", ()
        parts.append(f"(SELECT COUNT(*) FROM ({sql}) counted)")  # noqa: S608 - Django wrote it
        parameters += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        return [int(number) for number in cursor.fetchone()]
