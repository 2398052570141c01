"""Everything that a shop sells is read once while it is being connected, and becomes products here if that is wanted.

The worker does both, chunk by chunk: whatever is killed at whatever point, a reading goes on after what was kept, and a
product that was made is not made once more. What is matched is asked of the links, so it is true at any moment.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from catalog import products as catalogue
from catalog import skus
from catalog.models import Product, Sku, Stock
from integrations import activity, due, products, published, registry, unmatched
from integrations.activity import Direction
from integrations.connector import AccessDenied, Busy, Connector, Refused, Unavailable
from integrations.models import Connection, Look, Offer, ProductLink
from integrations.remote import RemoteProduct

logger = logging.getLogger(__name__)

READ_CHUNK = 250
#: Seconds of one slice of a reading: well below what the queue gives a task.
SLICE_S = 10.0
#: Products that are made in one transaction.
MAKE_CHUNK = 50
LONGEST_URL = 500


# --- for people ----------------------------------------------------------------------------------------


def begin(connection: Connection, now: datetime) -> None:
    """Have everything that the shop sells read by the worker, anew if it was read before. Safe to repeat: a reading
    that is under way goes on."""
    with transaction.atomic():
        look, is_new = Look.objects.select_for_update().get_or_create(
            connection=connection, defaults={"began_at": now, "due_at": now}
        )
        if is_new or look.finished_at is None or is_making(connection):
            return
        Look.objects.filter(pk=look.pk).update(
            began_at=now, finished_at=None, read=0, position="", **due.done(now, due_at=now)
        )


def begin_once(connection: Connection, now: datetime) -> None:
    """Have it read unless it was read before, or is being read. Safe to repeat."""
    Look.objects.get_or_create(connection=connection, defaults={"began_at": now, "due_at": now})


def make(connection: Connection, offers: QuerySet[Offer], now: datetime, actor: str = "") -> int:
    """Have products made here of these, by the worker; returns how many. Safe to repeat.

    Those that are matched already, have no SKU or share it with another product of the shop are left out.
    """
    with transaction.atomic():
        look = Look.objects.select_for_update().filter(connection=connection).first()
        if look is None or look.finished_at is None:
            raise ValidationError("The shop's products are still being read. Wait until that is over.")
        was_making = is_making(connection)
        fresh = unknown_here(connection).filter(pk__in=offers.values("pk"), is_wanted=False)
        number = Offer.objects.filter(pk__in=list(fresh.values_list("pk", flat=True))).update(is_wanted=True)
        if number:
            sums = {"wanted": look.wanted + number} if was_making else {"wanted": number, "made": 0, "skipped": 0}
            Look.objects.filter(pk=look.pk).update(due_at=now, lease_token="", **sums)
            counted = "1 product" if number == 1 else f"{number:,} products"
            activity.by_hand(connection, f"{counted} to be made of what {connection} sells.", actor=actor, now=now)
    return number


def cancel(connection: Connection) -> int:
    """Make no more of them; returns how many are left out. Those that were made stay. Safe to repeat."""
    return connection.offers.filter(is_wanted=True).update(is_wanted=False)


@transaction.atomic
def link(offer: Offer, product_id: int, now: datetime, actor: str = "") -> Product:
    """This thing of the shop is that product of ours; its SKU becomes an alternative one, where it can tell.

    Raises
    ------
    ValidationError: it is linked already, and to what; the SKU is another product's; the product was deleted.
    """
    connection = offer.connection
    try:
        product = catalogue.lock(product_id)
    except Product.DoesNotExist:
        raise ValidationError("That product was deleted.") from None
    linked = connection.product_links.filter(external_id=offer.external_id, product__deleted_at=None)
    if known := linked.select_related("product").first():
        raise ValidationError(f"{offer} is linked to {known.product} already.")
    how = ProductLink.Matched.HAND
    if offer.key and not offer.is_twin:
        draft = catalogue.draft_of(product)
        skus.set_codes(product, draft.sku, [*draft.alternative_skus, offer.sku])
        how = ProductLink.Matched.ALTERNATIVE
    connection.product_links.filter(external_id=offer.external_id).delete()
    ProductLink.objects.create(
        connection=connection, product=product, external_id=offer.external_id, item_id=offer.item_id, sku=offer.sku,
        title=offer.title, unpublishable=_remote(offer).unpublishable, matched=how,
    )  # fmt: skip
    published.ensure(Stock.objects.filter(product=product), now)
    unmatched.on_linked(connection, [offer.external_id], now)
    what = f"{offer} of {connection} is {product} from now on."
    activity.note(
        connection, what, direction=Direction.HERE, why=f"Decided by {actor}." if actor else "", now=now,
        product=product,
    )  # fmt: skip
    return product


# --- what is matched -----------------------------------------------------------------------------------


def is_reading(connection: Connection) -> bool:
    return Look.objects.filter(connection=connection, finished_at=None).exists()


def is_making(connection: Connection) -> bool:
    return connection.offers.filter(is_wanted=True).exists()


def _linked() -> Exists:
    return Exists(
        ProductLink.objects.filter(
            connection=OuterRef("connection"), external_id=OuterRef("external_id"), product__deleted_at=None
        )
    )


def unlinked(connection: Connection) -> QuerySet[Offer]:
    return connection.offers.filter(~_linked()).order_by("title", "pk")


def unknown_here(connection: Connection) -> QuerySet[Offer]:
    """What the shop sells by a SKU of its own that no product here has."""
    return unlinked(connection).exclude(key="").filter(is_twin=False)


def duplicates(connection: Connection) -> QuerySet[Offer]:
    return unlinked(connection).exclude(key="").filter(is_twin=True).order_by("key", "pk")


def blank(connection: Connection) -> QuerySet[Offer]:
    return unlinked(connection).filter(key="")


def unknown_there(connection: Connection) -> QuerySet[Product]:
    """Products of ours that are none of the shop's."""
    links = ProductLink.objects.filter(connection=connection, product=OuterRef("pk"))
    return Product.objects.current().filter(~Exists(links)).order_by("name", "pk")


def matched(connection: Connection) -> dict[str, int]:
    """How the links came about → how many there are. One statement."""
    rows = connection.product_links.filter(product__deleted_at=None).exclude(unpublishable=products.GONE)
    counts = rows.order_by().values_list("matched").annotate(Count("pk"))
    return dict.fromkeys(ProductLink.Matched.values, 0) | dict(counts)


# --- for the worker ------------------------------------------------------------------------------------


def due_for(now: datetime) -> QuerySet[Connection]:
    """Connections of which something is to be read or made now: those that are being set up, too."""
    states = (Connection.State.SETUP, Connection.State.ACTIVE)
    waiting = Look.objects.filter(connection=OuterRef("pk"), due_at__lte=now)
    return Connection.objects.filter(Exists(waiting), state__in=states, platform__in=registry.CONNECTORS).order_by("pk")


def advance_due(connection: Connection, connector: Connector, slice_s: float = SLICE_S) -> int:
    """Read for a while, or make one chunk, if it is time to; returns how many did. Safe to run twice at once."""
    now = timezone.now()
    row = Look.objects.filter(connection=connection)
    token, taken = due.claim(row, now)
    if not taken:
        return 0
    held = due.held(row, token)
    look = row.get()
    try:
        if look.finished_at is None:
            _read(connection, connector, look, held, time.monotonic() + slice_s)
        else:
            _make(connection, held)
    except Busy as error:
        held.update(**due.put_back(timezone.now() + error.wait))
    except Unavailable as error:
        at = now + max(due.backoff(look.attempts), error.retry_after or due.backoff(1))
        held.update(**due.later(now, at, str(error)))
    except (AccessDenied, Refused) as error:
        held.update(**due.later(now, now + due.backoff(look.attempts), str(error)))
    except Exception as error:
        # Somebody must change code; the others go on.
        logger.exception("Products of connection %s", connection.pk)
        problem = f"Something unexpected went wrong here ({type(error).__name__})."
        held.update(**due.later(now, now + due.backoff(look.attempts), problem))
    return 1


def _read(connection: Connection, connector: Connector, look: Look, held: QuerySet[Look], stop_at: float) -> None:
    newest = Sku.objects.aggregate(newest=Max("pk"))["newest"] or 0
    source = connector.products(look.position)
    while chunk := list(islice(source, READ_CHUNK)):
        look.position, look.read = chunk[-1].external_id, look.read + len(chunk)
        _keep(connection, chunk, look.began_at)
        kept = {"position": look.position, "read": look.read}
        if time.monotonic() > stop_at:
            held.update(**kept, **due.put_back(timezone.now()))
            return
        if not held.update(**kept, due_at=timezone.now() + due.LEASE):
            return  # somebody else has begun it anew
    connection.offers.filter(read_at__lt=look.began_at).delete()
    _mark_twins(connection)
    now = timezone.now()
    offered = [_remote(offer) for offer in connection.offers.order_by("pk").iterator()]
    products.link_offered(connection, connector, offered, now)
    Connection.objects.filter(pk=connection.pk).update(linked_sku=newest)
    held.update(finished_at=now, read=len(offered), position="", **due.done(now))


def _keep(connection: Connection, chunk: Sequence[RemoteProduct], at: datetime) -> None:
    names = ("item_id", "sku", "key", "title", "price", "is_tracked", "is_bundle", "url", "is_twin", "read_at")
    Offer.objects.bulk_create(
        [_offer(connection, each, at) for each in {each.external_id: each for each in chunk}.values()],
        update_conflicts=True,
        unique_fields=["connection", "external_id"],
        update_fields=names,
    )


def _offer(connection: Connection, each: RemoteProduct, at: datetime) -> Offer:
    return Offer(
        connection=connection, external_id=each.external_id, item_id=each.item_id, sku=each.sku.strip()[:255],
        key=skus.normalise(each.sku)[:255], title=each.title[:255], price=each.price, is_tracked=each.is_tracked,
        is_bundle=each.is_bundle, url=each.url[:LONGEST_URL], read_at=at,
    )  # fmt: skip


def _mark_twins(connection: Connection) -> None:
    keys = connection.offers.exclude(key="").order_by().values("key").annotate(count=Count("pk")).filter(count__gt=1)
    connection.offers.filter(key__in=list(keys.values_list("key", flat=True))).update(is_twin=True)


def _make(connection: Connection, held: QuerySet[Look]) -> None:
    now = timezone.now()
    chunk = list(connection.offers.filter(is_wanted=True).order_by("pk")[:MAKE_CHUNK])
    if not chunk:
        held.update(**due.done(now))
        return
    with transaction.atomic():
        made = sum(_made(offer) for offer in _still_unknown(connection, chunk))
        products.link(connection, [_remote(offer) for offer in chunk], now)
        Offer.objects.filter(pk__in=[offer.pk for offer in chunk]).update(is_wanted=False)
        look = held.select_for_update().first()
        if look is None:
            transaction.set_rollback(True)  # somebody else goes on
            return
        look.made, look.skipped = look.made + made, look.skipped + len(chunk) - made
        look.save(update_fields=["made", "skipped"])
        held.update(**due.put_back(now))


def _still_unknown(connection: Connection, chunk: Sequence[Offer]) -> list[Offer]:
    here = skus.find(offer.sku for offer in chunk)
    free = unknown_here(connection).filter(pk__in=_ids(chunk), is_wanted=True).order_by("pk")
    return [offer for offer in free if offer.key not in here]


def _made(offer: Offer) -> bool:
    try:
        products.make(_remote(offer))
    except ValidationError:  # somebody else has just made one with this SKU
        return False
    return True


def _ids(rows: Iterable[Offer]) -> Collection[int]:
    return [row.pk for row in rows]


def _remote(offer: Offer) -> RemoteProduct:
    return RemoteProduct(
        external_id=offer.external_id, item_id=offer.item_id, sku=offer.sku, title=offer.title, price=offer.price,
        is_tracked=offer.is_tracked, is_bundle=offer.is_bundle, url=offer.url,
    )  # fmt: skip


def search(rows: QuerySet[Offer], text: str) -> QuerySet[Offer]:
    """Those whose title or SKU has this in it."""
    found = Q(title__icontains=text) | Q(sku__icontains=text)
    return rows.filter(found) if text else rows
