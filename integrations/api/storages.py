from __future__ import annotations

from ninja import Router

from catalog.models import Storage
from integrations.api import answers, bodies
from integrations.api.calls import Caller, Payload, call

router = Router(tags=["storages"])


@call(router, "get_list", answers.StorageList)
def get_list(caller: Caller, body: bodies.Empty) -> Payload:
    """Every place of ours where goods lie. `is_default`: where this connection's sales take them from."""
    rows = Storage.objects.order_by("pk").values("id", "name")
    return {"storages": [{**row, "is_default": row["id"] == caller.connection.default_storage_id} for row in rows]}
