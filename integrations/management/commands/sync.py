"""manage.py sync [--connection ID] [--reconcile | --dry-run] [--json]"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations import attention, conditions, registry, reviews, tasks
from integrations.connector import ConnectorError
from integrations.models import Connection

#: Rows of a dry run that are named.
NAMED = 100


def _row(each: reviews.Difference) -> dict[str, Any]:
    row = each.row
    return {
        "sku": row.link.sku,
        "product": row.stock.product.name,
        "location": row.mapping.name,
        "theirs": each.theirs,
        "ours": each.ours,
        "difference": None if each.theirs is None else each.ours - each.theirs,
    }


class Command(BaseCommand):
    help = "Do everything that is due in this process, until nothing is. Exit 1 if something needs attention."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", type=int, metavar="ID", help="this one alone")
        parser.add_argument("--reconcile", action="store_true", help="look at every quantity that the shop shows")
        parser.add_argument(
            "--dry-run", action="store_true", help="only say which quantities would change; change nothing"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Connection.objects.order_by("pk")
        if options["connection"] is not None:
            found = found.filter(pk=options["connection"])
            if not found:
                raise CommandError(f"There is no connection {options['connection']}.")
        if options["dry_run"]:
            self._rehearse(list(found), as_json=options["json"])
            return
        is_done = tasks.run_until_done(list(found), reconciling=options["reconcile"])
        problems = self._problems(list(found.all()))
        if not is_done:
            problems.append("Some work is still going on elsewhere. Run it again.")
        if options["json"]:
            self.stdout.write(json.dumps({"done": not problems, "needs_attention": problems}))
        else:
            for problem in problems:
                self.stdout.write(problem)
            self.stdout.write("Needs attention." if problems else "Everything is in step.")
        if problems:
            raise SystemExit(1)

    def _rehearse(self, found: list[Connection], *, as_json: bool) -> None:
        """What a push would change. Of the rows the first are named, all are counted."""
        told = []
        for connection in found:
            if connection.platform not in registry.CONNECTORS:
                continue
            connector = registry.connector_for(connection)
            rows: list[dict[str, Any]] = []
            count = 0
            try:
                for each in reviews.rehearse(connection, connector):
                    count += 1
                    if len(rows) < NAMED:
                        rows.append(_row(each))
            except ConnectorError as error:
                raise CommandError(f"{connection}: {error}") from error
            cost = connector.push_cost(count)
            figures = {"calls": cost.calls, "points": cost.points, "seconds": round(cost.seconds, 1)}
            told.append({"id": connection.pk, "name": connection.name, "would_change": count, **figures, "rows": rows})
        if as_json:
            self.stdout.write(json.dumps({"connections": told}))
            return
        for one in told:
            self._tell(one)

    def _tell(self, one: dict[str, Any]) -> None:
        self.stdout.write(
            f"{one['name']}: {one['would_change']} quantities would change, in {one['calls']} calls for {one['points']}"
            f" points; about {one['seconds']} seconds."
        )
        for row in one["rows"]:
            theirs = "not stocked" if row["theirs"] is None else row["theirs"]
            self.stdout.write(f"  {row['sku']} at {row['location']}: {theirs} → {row['ours']}")
        if more := one["would_change"] - len(one["rows"]):
            self.stdout.write(f"  and {more} more.")

    def _problems(self, found: list[Connection]) -> list[str]:
        problems = [
            f"{each}: {each.paused_because or each.trouble}" for each in found if each.paused_because or each.trouble
        ]
        calling = conditions.calling(found).select_related("connection").order_by("pk")
        changed = [f"{one.connection}: {conditions.sentence(one)}" for one in calling]
        heaps = attention.heaps(attention.counts(timezone.now(), found))
        return problems + changed + [sentence for name, _, sentence in heaps if name != "conditions"]
