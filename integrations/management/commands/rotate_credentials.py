"""manage.py rotate_credentials"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from integrations.models import Connection, Endpoint


class Command(BaseCommand):
    help = (
        "Encrypt all stored credentials with the first of CREDENTIALS_KEYS. To rotate: put a new key first, run this, "
        "then drop the old key. Safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            rows = list(Connection.objects.select_for_update().only("credentials", "access").order_by("pk"))
            for row in rows:
                row.save(update_fields=["credentials", "access"])
            told = list(Endpoint.objects.select_for_update().only("secrets").order_by("pk"))
            for endpoint in told:
                endpoint.save(update_fields=["secrets"])
        self.stdout.write(f"Encrypted anew: the credentials of {len(rows)} connections, {len(told)} webhook secrets.")
