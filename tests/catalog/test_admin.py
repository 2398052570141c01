"""Products and storages on their screens."""

import pytest
from django.db import connection
from django.urls import reverse

from catalog.admin import paging
from catalog.models import Product, Sku, Stock, StockMovement, Storage
from tests import make

pytestmark = pytest.mark.django_db


def url(name: str, *args: object) -> str:
    return reverse(f"admin:catalog_{name}", args=args)


def text(response) -> str:
    return response.content.decode()


def product_form(product: Product | None = None, **changes: str) -> dict[str, str]:
    """What the page posts."""
    values = {
        "name": "Mug", "unit": "pcs", "price": "10", "cost": "4", "batch_size": "1", "notes": "",
        "main_sku": "MUG", "other_skus": "",
    }  # fmt: skip
    if product is not None:
        rows = list(product.stock.order_by("storage__name", "pk"))
        values |= {"stock-TOTAL_FORMS": str(len(rows)), "stock-INITIAL_FORMS": str(len(rows))}
        for number, row in enumerate(rows):
            values |= {f"stock-{number}-id": str(row.pk), f"stock-{number}-product": str(product.pk)}
            values |= {f"stock-{number}-minimum": str(row.minimum)}
    return values | changes


def posted(client, product: Product, click: str) -> dict[str, str]:
    """The form behind a button, as it was opened."""
    form = client.get(url(f"product_{click}", product.pk)).context["form"]
    return {
        "reference": str(form["reference"].value()),
        "storage": str(Storage.objects.get(name="Main").pk),
        "note": "",
    }


def test_list_adds_up_all_storages(admin_client, mug, annex):
    make.product("MUG", on_hand="2.5", storage=annex)
    make.order([("MUG", 4)])
    page = text(admin_client.get(url("product_changelist")))
    assert '<td class="field-num_on_hand' in page
    assert [">12.5<" in page, ">4<" in page, ">8.5<" in page] == [True] * 3


def test_search_by_any_sku_does_not_double_the_figures(admin_client, mug):
    Sku.objects.create(product=mug, code="MUG-2", key="mug-2")
    page = text(admin_client.get(url("product_changelist"), {"q": "mug"}))
    assert page.count('data-label="On hand">10<') == 1


@pytest.mark.parametrize("level", ["below", "negative"])
def test_filters_find_what_is_short(admin_client, mug, cup, main, level):
    Stock.objects.filter(product=mug).update(minimum=11)
    if level == "negative":
        make.order([("MUG", 12)])
    page = text(admin_client.get(url("product_changelist"), {"level": level}))
    assert [">Mug<" in page, ">Cup<" in page] == [True, False]


def test_what_is_short_is_found_by_indexes(mug, cup):
    Stock.objects.filter(product=mug).update(minimum=11)
    make.order([("CUP", 12)])
    short = {name: set(rows.values_list("product__name", flat=True)) for name, rows in (
        ("below", Stock.objects.below()), ("negative", Stock.objects.negative()),
    )}  # fmt: skip
    assert short == {"below": {"Mug", "Cup"}, "negative": {"Cup"}}


def test_a_taken_sku_is_named_while_it_is_typed(admin_client, mug, cup):
    def taken(codes: str, product: object = "") -> list[str]:
        return admin_client.get(url("product_skus"), {"codes": codes, "product": product}).json()["taken"]

    assert taken("new\nmug\n") == ["MUG already belongs to Mug."]
    assert taken("mug", mug.pk) == []
    assert taken("x" * 5000) == []
    assert 'data-product="' + str(mug.pk) in text(admin_client.get(url("product_change", mug.pk)))


def test_all_movements_of_a_product_are_a_list(admin_client, mug, cup):
    for number in range(40):
        make.product("MUG", on_hand=number)
    page = text(admin_client.get(url("product_change", mug.pk)))
    assert f'href="{url("stockmovement_changelist")}?product={mug.pk}"' in page
    listed = text(admin_client.get(url("stockmovement_changelist"), {"product": mug.pk}))
    assert (listed.count(">Mug</a>"), ">Cup</a>" in listed) == (41, False)


def test_storage_filter_shows_what_lies_there(admin_client, mug, annex):
    make.product("POT", on_hand=1, storage=annex)
    page = text(admin_client.get(url("product_changelist"), {"storage": annex.pk}))
    assert [">Mug<" in page, ">Pot<" in page] == [False, True]


def test_list_takes_the_same_statements_for_any_number_of_products(admin_client, mug, statements):
    def look() -> None:
        assert admin_client.get(url("product_changelist")).status_code == 200

    before = statements(look)
    for number in range(12):
        make.product(f"P{number}", on_hand=number)
    assert statements(look) == before


def test_a_new_product_gets_its_skus(admin_client):
    admin_client.post(url("product_add"), product_form(main_sku="MUG-1", other_skus="mug-2\n\n 4006381333931 "))
    codes = Sku.objects.order_by("pk").values_list("code", "is_primary")
    assert list(codes) == [("MUG-1", True), ("mug-2", False), ("4006381333931", False)]


@pytest.mark.parametrize("field", ["main_sku", "other_skus"])
def test_a_taken_sku_is_an_error_that_names_the_other_product(admin_client, mug, field):
    response = admin_client.post(url("product_add"), product_form(name="Pot", main_sku="POT") | {field: "mug"})
    assert response.context["adminform"].form.errors[field] == ["The SKU MUG already belongs to Mug."]
    assert not Product.objects.filter(name="Pot").exists()


def test_saving_leaves_skus_and_quantities_as_they_are(admin_client, mug):
    response = admin_client.post(url("product_change", mug.pk), product_form(mug, name="Big mug", other_skus="M2"))
    assert response.status_code == 302
    assert make.level(mug) == (10, 0)
    assert set(mug.skus.values_list("code", "is_primary")) == {("MUG", True), ("M2", False)}


def test_minimum_is_saved_without_touching_what_moved_meanwhile(admin_client, mug):
    form = product_form(mug, **{"stock-0-minimum": "5"})
    make.order([("MUG", 3)])
    admin_client.post(url("product_change", mug.pk), form)
    row = Stock.objects.get(product=mug)
    assert (row.minimum, row.on_hand, row.reserved) == (5, 10, 3)


def test_count_makes_on_hand_what_was_counted(admin_client, mug):
    form = posted(admin_client, mug, "count") | {"quantity": "7.5", "note": "Shelf 3"}
    response = admin_client.post(url("product_count", mug.pk), form, follow=True)
    assert "Mug counted in Main: 7.5." in text(response)
    movement = StockMovement.objects.latest("pk")
    assert (movement.on_hand_after, movement.actor, movement.note) == (make.units("7.5"), "admin", "Shelf 3")


def test_a_second_click_on_receive_changes_nothing(admin_client, mug):
    form = posted(admin_client, mug, "receive") | {"quantity": "5"}
    for _ in range(2):
        admin_client.post(url("product_receive", mug.pk), form)
    assert make.level(mug) == (15, 0)


def test_another_quantity_under_the_same_form_is_an_error_and_can_be_sent_again(admin_client, mug):
    form = posted(admin_client, mug, "receive")
    admin_client.post(url("product_receive", mug.pk), form | {"quantity": "5"})
    again = admin_client.post(url("product_receive", mug.pk), form | {"quantity": "6"})
    assert "used before, for another quantity" in text(again)
    renewed = form | {"quantity": "6", "reference": again.context["form"]["reference"].value()}
    admin_client.post(url("product_receive", mug.pk), renewed)
    assert make.level(mug) == (21, 0)


def test_move_refuses_more_than_is_there(admin_client, mug, annex):
    form = posted(admin_client, mug, "move") | {"quantity": "11", "to": str(annex.pk)}
    assert "Only 10 are there." in text(admin_client.post(url("product_move", mug.pk), form))
    admin_client.post(url("product_move", mug.pk), form | {"quantity": "4"})
    assert (make.level(mug), make.level(mug, annex)) == ((6, 0), (4, 0))


@pytest.mark.parametrize("quantity", ["", "0", "-1", "1.2345", "NaN", "1e400", "100000000000000"])
def test_receive_refuses_what_is_no_quantity(admin_client, mug, quantity):
    form = posted(admin_client, mug, "receive") | {"quantity": quantity}
    assert admin_client.post(url("product_receive", mug.pk), form).status_code == 200
    assert make.level(mug) == (10, 0)


def test_page_tells_why_stock_moved_and_links_the_sale(admin_client, mug):
    sale = make.order([("MUG", 2)], number="S-7")
    page = text(admin_client.get(url("product_change", mug.pk)))
    assert f'href="{reverse("admin:sales_order_change", args=[sale.pk])}">Sale S-7</a>' in page


def test_a_deleted_product_leaves_the_list_and_keeps_its_page(admin_client, mug):
    make.order([("MUG", 1)])
    admin_client.post(url("product_delete", mug.pk), {"post": "yes"})
    assert not Product.objects.current().exists()
    assert ">Mug<" not in text(admin_client.get(url("product_changelist")))
    assert ">Mug<" in text(admin_client.get(url("product_changelist"), {"deleted": "1"}))
    assert "Its sales keep it." in text(admin_client.get(url("product_change", mug.pk)))


def test_the_first_storage_is_the_default(admin_client):
    admin_client.post(url("storage_add"), {"name": "Cellar", "notes": ""})
    assert Storage.objects.get().is_default


def test_ticking_default_unticks_the_other(admin_client):
    old = Storage.objects.create(name="Old", is_default=True)
    admin_client.post(url("storage_add"), {"name": "New", "is_default": "on", "notes": ""})
    old.refresh_from_db()
    assert (old.is_default, Storage.objects.get(name="New").is_default) == (False, True)


def test_the_default_cannot_only_be_taken_away(admin_client):
    old = Storage.objects.create(name="Old", is_default=True)
    response = admin_client.post(url("storage_change", old.pk), {"name": "Old", "notes": ""})
    assert "Make another one the default instead." in text(response)
    old.refresh_from_db()
    assert old.is_default


def test_storage_page_shows_its_stock_and_a_used_storage_stays(admin_client, mug, main):
    page = text(admin_client.get(url("storage_change", main.pk)))
    assert ">Mug</a>" in page
    assert "cannot be deleted" in text(admin_client.get(url("storage_delete", main.pk)))


def test_storage_list_takes_the_same_statements_for_any_number(admin_client, mug, statements):
    def look() -> None:
        assert admin_client.get(url("storage_changelist")).status_code == 200

    before = statements(look)
    for number in range(8):
        make.product("MUG", on_hand=1, storage=make.storage(f"Storage {number}"))
    assert statements(look) == before


def test_search_finds_a_part_of_a_name_and_of_a_sku_together(admin_client, mug, cup):
    Sku.objects.create(product=mug, code="BLUE-77", key="blue-77")
    Product.objects.filter(pk=mug.pk).update(name="Coffee mug")
    for words, found in (("offee", True), ("UE-7", True), ("mug ue-77", True), ("mug cup", False), ("zzz", False)):
        page = text(admin_client.get(url("product_changelist"), {"q": words}))
        assert ("Coffee mug" in page) == found, words


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="an index of PostgreSQL's")
@pytest.mark.parametrize(("model", "field"), [(Product, "name"), (Sku, "code")])
def test_parts_of_names_and_skus_have_an_index(mug, model, field):
    rows = model.objects.filter(**{f"{field}__icontains": "mug"})
    with connection.cursor() as cursor:
        for way in ("seqscan", "indexscan", "indexonlyscan"):  # of a few rows, any of them may be as good
            cursor.execute(f"SET LOCAL enable_{way} = off")
    assert "_letters" in rows.explain()


def test_many_rows_are_sorted_only_by_what_has_an_index(admin_client, mug, cup, monkeypatch):
    monkeypatch.setattr(paging, "MOST", 1)
    by_reserved = admin_client.get(url("product_changelist"), {"o": "3"})
    assert "are not sorted by Reserved: filter or search the list first." in text(by_reserved)
    by_name = admin_client.get(url("product_changelist"), {"o": "-0"})
    assert "are not sorted" not in text(by_name)
    assert [str(row) for row in by_name.context["cl"].result_list] == sorted([mug.name, cup.name], reverse=True)


def test_few_rows_of_many_are_sorted_by_any_column(admin_client, mug, cup, monkeypatch):
    monkeypatch.setattr(paging, "MOST", 1)
    page = admin_client.get(url("product_changelist"), {"o": "3", "q": "mug"})
    assert "are not sorted" not in text(page)
