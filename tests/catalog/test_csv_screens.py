"""CSV files on the merchant's screens."""

import csv
import io
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from catalog import skus, stock
from catalog.models import CsvImport, Product, Storage
from people.models import Change
from tests.csv_work import read, take_in, work

pytestmark = pytest.mark.django_db


def url(name: str, *args: object) -> str:
    return reverse(f"admin:catalog_csvimport_{name}", args=args)


def text(response) -> str:
    return response.content.decode()


def send(client, content: str | bytes, kind: str = "products", **more):
    raw = content.encode() if isinstance(content, str) else content
    data = {"file": SimpleUploadedFile("spring.csv", raw), "reference": str(uuid.uuid4())} | more
    return client.post(url("upload", kind), data, follow=True)


@pytest.fixture
def as_group(client):
    def log_in(name: str):
        user = User.objects.create_user(name, is_staff=True)
        user.groups.add(Group.objects.get(name=name))
        client.force_login(user)
        return client

    return log_in


def test_a_file_is_uploaded_seen_and_imported(admin_client, mug):
    assert "being read" in text(send(admin_client, "SKU;Name;Price;Colour\nMUG;Mug;12,5;red\nPOT;Tea pot;20;blue\n"))
    row = work(CsvImport.objects.get())
    page = text(admin_client.get(url("change", row.pk)))
    for words in (
        "New rows: 1. Rows that change something: 1.",
        "Price 10 → 12.5",
        "Tea pot",
        "“Colour”",
        "UTF-8, semicolon",
    ):
        assert words in page
    assert Product.objects.count() == 1
    for _ in range(2):  # a double click
        admin_client.post(url("start", row.pk))
    assert "Done." in text(admin_client.get(url("change", work(row).pk)))
    assert Product.objects.get(pk=mug.pk).price == 12.5


def test_the_same_form_sent_twice_uploads_once(admin_client, mug):
    reference = str(uuid.uuid4())
    for _ in range(2):
        send(admin_client, "SKU,Name\nPOT,Pot\n", reference=reference)
    assert CsvImport.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04 xlsx", "save it as CSV UTF-8"),
        ("<script>alert(1)</script>,b\n1,2", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_a_file_that_cannot_be_is_refused_on_the_form(admin_client, content, sentence):
    assert sentence in text(send(admin_client, content))
    assert not CsvImport.objects.exists()


def test_a_file_that_is_too_large_is_refused_with_the_limit(admin_client, settings):
    settings.CSV_UPLOAD_BYTES = 1024 * 1024
    assert "The file is larger than 1 MB." in text(send(admin_client, b"SKU,Name\n" + b"A,B\n" * 400_000))
    assert not CsvImport.objects.exists()


def test_errors_are_shown_and_downloaded_and_the_good_rows_can_be_imported(admin_client, mug):
    row = read("products", 'SKU,Name,Price\nPOT,Pot,1\n=JAR,"<b>Jar</b>",ten\n')
    page = text(admin_client.get(url("change", row.pk)))
    assert "Price “ten” is not a number." not in page
    assert "“ten” is not a number." in page
    assert ">Import<" not in page
    lines = b"".join(admin_client.get(url("errors", row.pk)).streaming_content).decode().splitlines()
    assert lines == [
        "\ufeffLine,Column,What is wrong,SKU,Name,Price",
        "3,Price,“ten” is not a number.,'=JAR,<b>Jar</b>,ten",
    ]
    admin_client.post(url("start_good", row.pk))
    work(row)
    assert set(Product.objects.values_list("name", flat=True)) == {"Mug", "Pot"}


def test_an_import_is_stopped_and_goes_on_and_is_canceled(admin_client, mug):
    row = read("products", "SKU,Name\nPOT,Pot\n")
    admin_client.post(url("start", row.pk))
    for name, state in (("stop", "stopped"), ("go_on", "importing"), ("cancel", "canceled")):
        admin_client.post(url(name, row.pk))
        assert CsvImport.objects.get().state == state
    assert "Nothing was changed." in text(admin_client.get(url("change", row.pk)))


def test_an_export_is_written_down(admin_client, mug):
    response = admin_client.get(url("export", "products"))
    assert b"MUG" in b"".join(response.streaming_content)
    assert response["Content-Disposition"].startswith('attachment; filename="products-')
    assert Change.objects.get().object_repr == "Products as CSV"


def table(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def rows(response) -> list[list[str]]:
    return table(b"".join(response.streaming_content))[1:]


def test_a_list_is_exported_as_it_is_filtered_and_searched(admin_client, mug, cup, main):
    stock.set_minimum(mug.pk, main.pk, Decimal(50))
    skus.set_codes(cup, "CUP", ["CUP-1", "CUP-2"])
    page = text(admin_client.get(reverse("admin:catalog_product_changelist"), {"level": "below"}))
    address = reverse("admin:catalog_product_export", args=["stock"])
    assert f'href="{address}?level=below"' in page
    assert [row[1] for row in rows(admin_client.get(f"{address}?level=below"))] == ["MUG"]
    codes = reverse("admin:catalog_product_export", args=["alternative_skus"])
    assert [row[2] for row in rows(admin_client.get(f"{codes}?q=cup"))] == ["CUP-1", "CUP-2"]
    assert rows(admin_client.get(f"{codes}?q=mug")) == []
    assert Change.objects.latest("pk").change_message == "Exported what a list showed: 1"


def test_a_list_on_many_pages_is_exported_whole(admin_client, main):
    Product.objects.bulk_create(Product(name=f"Pot {number}") for number in range(1_200))
    address = reverse("admin:catalog_product_export", args=["products"])
    assert len(rows(admin_client.get(f"{address}?q=pot&p=3"))) == 1_200
    assert admin_client.get(f"{address}?nonsense=1").status_code == 404


def test_a_list_is_exported_by_whoever_may_and_as_what_it_is(as_group, mug):
    viewer = as_group("Viewer")
    assert len(rows(viewer.get(reverse("admin:catalog_product_export", args=["products"])))) == 1
    assert viewer.get(reverse("admin:catalog_product_export", args=["customers"])).status_code == 404
    viewer.force_login(User.objects.create_user("nobody", is_staff=True))
    assert viewer.get(reverse("admin:catalog_product_export", args=["products"])).status_code == 403


def test_every_sample_can_be_imported(admin_client, main):
    Storage.objects.filter(pk=main.pk).update(is_default=True)
    for kind in ("products", "alternative_skus", "stock", "customers", "sales"):
        address = url("sample", kind)
        assert address in text(admin_client.get(url("upload", kind)))
        file = b"".join(admin_client.get(address).streaming_content)
        row = take_in(kind, file)
        assert (row.state, row.refused, row.new) == ("done", 0, len(table(file)) - 1), kind


def test_whoever_may_not_change_products_exports_and_imports_none(as_group, mug):
    viewer = as_group("Viewer")
    page = text(viewer.get(url("changelist")))
    assert ("Export" in page, "Import…" in page) == (True, False)
    row = read("products", "SKU,Name\nPOT,Pot\n")
    assert viewer.get(url("upload", "products")).status_code == 403
    viewer.post(url("start", row.pk))
    assert work(row).state == "ready"
    assert b"POT" not in b"".join(viewer.get(url("export", "stock")).streaming_content)


def test_a_clerk_imports_stock_and_no_products(as_group, mug):
    clerk = as_group("Clerk")
    assert clerk.get(url("upload", "stock")).status_code == 200
    assert clerk.get(url("upload", "products")).status_code == 403


def test_a_movement_leads_to_the_import_that_made_it(admin_client, mug):
    row = take_in("stock", "SKU,Storage,On hand\nMUG,Main,4\n")
    page = text(admin_client.get(reverse("admin:catalog_product_change", args=[mug.pk])))
    assert f'href="{url("change", row.pk)}">CSV file</a>' in page
