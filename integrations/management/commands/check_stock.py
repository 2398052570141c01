"""manage.py check_stock [--json]"""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalog import stock
from integrations import changes
from sales import orders


class Command(BaseCommand):
    help = "Prove that the ledger is what is on hand, and that open lines are what is reserved. Exit 1 if not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        found = [str(each) for each in chain(stock.check(), orders.check(), changes.check())]
        if options["json"]:
            self.stdout.write(json.dumps({"clean": not found, "differences": found}))
        else:
            for line in found:
                self.stdout.write(line)
            self.stdout.write(
                f"{len(found)} differences." if found else "Clean: the ledger, the shelves and the sales agree."
            )
        if found:
            raise SystemExit(1)
