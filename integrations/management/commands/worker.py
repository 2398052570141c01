"""manage.py worker"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from integrations.supervisor import Supervisor


class Command(BaseCommand):
    help = "Run the worker: the queue's cluster, kept alive and awake. Ends on SIGTERM or Ctrl+C."

    def handle(self, *args: Any, **options: Any) -> None:
        Supervisor().run()
