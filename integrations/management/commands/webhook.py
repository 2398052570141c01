"""manage.py webhook add|list|remove|replay"""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations import endpoints, replay
from integrations.models import Connection, Endpoint, Event, Message

ACTOR = "manage.py webhook"


class Command(BaseCommand):
    help = "Tell programs of what happens here: their addresses, and what they were told."

    def add_arguments(self, parser: CommandParser) -> None:
        todo = parser.add_subparsers(dest="todo", required=True)
        add = todo.add_parser("add", help="tell this address; prints its secret, once")
        add.add_argument("--connection", type=int, required=True, metavar="ID")
        add.add_argument("--url", required=True)
        add.add_argument("--events", default="", metavar="A,B", help=f"all when left out: {', '.join(Event.values)}")
        show = todo.add_parser("list", help="the addresses, and how each is doing")
        remove = todo.add_parser("remove", help="tell this address no more")
        remove.add_argument("--endpoint", type=int, required=True, metavar="ID")
        again = todo.add_parser("replay", help="tell again")
        which = again.add_mutually_exclusive_group(required=True)
        which.add_argument("--activity", type=int, metavar="ID", help="what this line of the activities is of")
        which.add_argument("--message", metavar="MSG_ID", help="this one")
        which.add_argument("--endpoint", type=int, metavar="ID", help="everything that was given up for it")
        for each in (add, show, remove, again):
            each.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text, answer = getattr(self, f"_{options['todo']}")(options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(json.dumps(answer) if options["json"] else text)

    def _add(self, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        connection = Connection.objects.filter(pk=options["connection"]).first()
        if connection is None:
            raise CommandError(f"There is no connection {options['connection']}.")
        events = [event.strip() for event in options["events"].split(",") if event.strip()]
        endpoint, secret = endpoints.add(connection, options["url"], events, now=timezone.now(), actor=ACTOR)
        text = f"{endpoint} is told of {', '.join(endpoint.events)}.\nIts secret, shown only now: {secret}"
        return text, {**_shown(endpoint), "secret": secret}

    def _list(self, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        found = [_shown(each) for each in Endpoint.objects.defer("secrets").order_by("pk")]
        lines = [
            f"{each['id']}  {each['url']}  {'on' if each['is_active'] else 'off'}  {', '.join(each['events'])}"
            f"  waiting: {each['waiting']}  {each['problem']}".rstrip()
            for each in found
        ]
        return "\n".join(lines) or "No address is told of anything.", {"endpoints": found}

    def _remove(self, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        endpoint = Endpoint.objects.filter(pk=options["endpoint"]).defer("secrets").first()
        if endpoint is None:
            raise CommandError(f"There is no address {options['endpoint']}.")
        endpoints.remove(endpoint, now=timezone.now(), actor=ACTOR)
        return f"{endpoint} is told nothing any more.", {"removed": options["endpoint"]}

    def _replay(self, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if options["activity"] is not None:
            told = Message.objects.filter(activity=options["activity"])
        elif options["message"]:
            told = Message.objects.filter(message_id=options["message"])
        else:
            told = Message.objects.filter(endpoint=options["endpoint"], due_at=None).exclude(problem="")
        number = replay.messages(told, timezone.now(), ACTOR)
        return f"To be told again: {number}.", {"replayed": number}


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.pk,
        "connection": endpoint.connection_id,
        "url": endpoint.url,
        "events": endpoint.events,
        "is_active": endpoint.is_active,
        "waiting": endpoint.messages.filter(due_at__isnull=False).count(),
        "problem": endpoint.problem,
    }
