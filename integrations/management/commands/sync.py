"""manage.py sync [--connection ID] [--reconcile] [--json]"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations import attention, tasks
from integrations.models import Connection


class Command(BaseCommand):
    help = "Do everything that is due in this process, until nothing is. Exit 1 if something needs attention."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", type=int, metavar="ID", help="this one alone")
        parser.add_argument("--reconcile", action="store_true", help="look at every quantity that the shop shows")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Connection.objects.order_by("pk")
        if options["connection"] is not None:
            found = found.filter(pk=options["connection"])
            if not found:
                raise CommandError(f"There is no connection {options['connection']}.")
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

    def _problems(self, found: list[Connection]) -> list[str]:
        counts = attention.counts(found)
        problems = [
            f"{each}: {each.paused_because or each.trouble}" for each in found if each.paused_because or each.trouble
        ]
        if counts.orders_waiting:
            problems.append(f"Orders that wait: {counts.orders_waiting}.")
        if counts.quantities_refused:
            problems.append(f"Quantities that are not in the shop: {counts.quantities_refused}.")
        return problems
