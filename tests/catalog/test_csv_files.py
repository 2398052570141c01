"""Products, alternative SKUs and stock, out as CSV and in again."""

import codecs
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from catalog import skus, stock
from catalog.csv_files import imports
from catalog.csv_files.uploads import PIECE
from catalog.models import CsvBatch, CsvChunk, CsvClaim, CsvImport, Product, Stock, StockMovement
from tests import make
from tests.csv_work import counts, exported, read, take_in, upload, work, wrong
from tests.make import NOW

pytestmark = pytest.mark.django_db
State = CsvImport.State


def product(**fields) -> Product:
    return Product.objects.current().get(**fields)


# --- out and in ----------------------------------------------------------------------------------------


def test_the_export_is_utf8_with_a_mark_and_formulas_are_harmless(mug):
    Product.objects.filter(pk=mug.pk).update(name='=HYPERLINK("http://x")', notes="Größe, “L”", price="-2")
    first, second = exported("products").decode().splitlines()
    assert first == "\ufeffID,SKU,Name,Unit,Price,Cost,Batch size,Notes"
    assert second == f'{mug.pk},MUG,"\'=HYPERLINK(""http://x"")",pcs,-2,4,1,"Größe, “L”"'


@pytest.mark.parametrize("kind", ["products", "alternative_skus", "stock"])
def test_an_export_that_comes_back_changes_nothing(kind, mug, cup, annex):
    Product.objects.filter(pk=mug.pk).update(name=" '=x ", notes="two\r\nlines", price="-1.5", cost="0.0001")
    skus.set_codes(mug, "+1", ["@2", "-3", "عربي"])
    make.product("CUP", on_hand="2.125", storage=annex)
    make.order([("CUP", 12)])
    Stock.objects.filter(product=mug).update(minimum=3)
    row = read(kind, exported(kind))
    assert (row.state, wrong(row), row.new, row.changed) == (State.READY, [], 0, 0)
    assert row.unchanged == {"products": 2, "alternative_skus": 3, "stock": 3}[kind]


def test_every_product_is_exported_once(main):
    for number in range(7):
        make.product(f"P{number}")
    exporter = exported("products").decode().splitlines()
    assert len(exporter) == len(set(exporter)) == 8


letters = st.characters(exclude_categories=["Cs", "Cc"])
names = st.text(letters, min_size=1, max_size=20).filter(lambda text: text.strip())
codes = st.text("AB1=-+@'é;,\"\n", min_size=1, max_size=6).filter(lambda text: skus.normalise(text))


@settings(max_examples=20, phases=[Phase.generate])  # a failure takes minutes to make smaller
@given(st.lists(st.tuples(codes, names, names), min_size=1, max_size=6, unique_by=lambda each: skus.normalise(each[0])))
def test_whatever_is_written_comes_back_into_an_empty_stock_room(found):
    Product.objects.all().delete()
    for code, name, notes in found:
        skus.set_codes(Product.objects.create(name=name, notes=notes), code)
    before = {skus.normalise(code): (name.strip(), notes.strip()) for code, name, notes in found}
    file = exported("products").decode()
    Product.objects.all().delete()
    header, *rest = file.split("\r\n", 1)
    row = take_in("products", header.replace("ID", "Our number") + "\r\n" + rest[0])
    assert (row.state, row.new) == (State.DONE, len(found))
    rows = Product.objects.filter(deleted_at=None).values_list("skus__key", "name", "notes")
    assert {key: (name, notes) for key, name, notes in rows} == before


# --- what files look like ------------------------------------------------------------------------------

UMLAUTS = "SKU;Bezeichnung;Name;Preis;Price\r\nÄ-1;x;Größe;x;1.250,50\r\n"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (UMLAUTS.encode(), "utf-8"),
        (UMLAUTS.encode("utf-8-sig"), "utf-8"),
        (UMLAUTS.encode("cp1252"), "cp1252"),
        (UMLAUTS.encode("utf-16"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + UMLAUTS.encode("utf-16-be"), "utf-16-be"),
        (UMLAUTS.encode("utf-16-le"), "utf-16-le"),
        (UMLAUTS.replace("\r\n", "\n").encode(), "utf-8"),
        (UMLAUTS.replace("\r\n", "\r").encode(), "utf-8"),
        (b"sep=;\r\n" + UMLAUTS.encode(), "utf-8"),
    ],
)
def test_encoding_separator_and_decimal_comma_are_found(raw, name, db):
    row = take_in("products", raw)
    made = product()
    assert (row.encoding, row.separator, row.state) == (name, ";", State.DONE)
    assert (made.name, made.price, made.skus.get().code) == ("Größe", Decimal("1250.5"), "Ä-1")
    assert [row.header[at] for at, field in enumerate(row.fields) if field is None] == ["Bezeichnung", "Preis"]


def test_tabs_and_other_names_of_columns_are_known(main):
    row = take_in("stock", "Variant SKU\tLocation\tOn hand (current)\nMUG\tmain\t4\n") if make.product("MUG") else None
    assert (row.state, make.level(make.product("MUG"))) == (State.DONE, (4, 0))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\n\n", "The file is empty."),
        (b"SKU,Name\n", "The file has a header and no rows."),
        (b"SKU,Name\n,\n ,\n", "The file has a header and no rows."),
        (b"PK\x03\x04" + bytes(99), "save it as CSV UTF-8"),
        (b"%PDF-1.7 x", "This is a PDF"),
        (b"SKU,Name\nA,\x00x\nB,y", "NUL"),
        (b"SKU,Name\n\x81\x8d\xff,x", "neither UTF-8"),
        (b"SKU,Name,sku\nA,x,B", "Two columns mean SKU"),
        (b"Colour,Weight\nred,2", "The column SKU is missing. The file's first line has: Colour, Weight."),
        (b",".join([b"x"] * 300) + b"\n1", "300 columns"),
        (b"x" * 300_000, "not closed"),
    ],
)
def test_what_is_no_such_file_is_refused_and_not_kept(content, sentence):
    with pytest.raises(ValidationError, match=sentence):
        upload("products", content)
    assert not CsvImport.objects.exists()
    assert not CsvChunk.objects.exists()


def test_a_quote_that_is_never_closed_is_named_by_its_line(mug):
    row = read("products", 'SKU,Name\nP,pot\nQ,"open\n' + "R,jar and lid\n" * 20_000)
    assert (row.state, row.problem) == (State.FAILED, "Line 3: a text begins with a quote mark that is not closed.")


def test_too_large_is_said_with_the_limit(settings, mug):
    settings.CSV_UPLOAD_BYTES = PIECE
    with pytest.raises(ValidationError, match=r"larger than 0 MB.*CSV_UPLOAD_MB"):
        upload("products", b"SKU,Name\n" + b"A,x\n" * PIECE)


# --- what rows do --------------------------------------------------------------------------------------


def test_a_preview_says_what_would_be_and_changes_nothing(mug, cup):
    row = read("products", "SKU,Name,Price\nmug,Mug,12\nCUP,Cup,5\nPOT,Tea pot,20\n")
    assert (row.state, counts(row)) == (State.READY, (1, 1, 1, 0))
    assert row.examples["changed"] == [[2, "Mug", "Price 10 → 12; SKU MUG → mug"]]
    assert row.examples["new"] == [[4, "Tea pot", "SKU POT; Price 20"]]
    assert (product(pk=mug.pk).price, Product.objects.count()) == (10, 2)


def test_products_are_made_and_changed_and_empty_cells_change_nothing(mug):
    skus.set_codes(mug, "MUG", ["MUG-2"])
    row = take_in("products", "SKU,Name,Unit,Price,Cost\nMUG,Big mug,,12,\nPOT,Tea pot,SETS,20,\n")
    changed, made = product(pk=mug.pk), product(name="Tea pot")
    assert (row.state, row.imported) == (State.DONE, 2)
    assert (changed.name, changed.price, changed.cost, changed.unit) == ("Big mug", 12, 4, "pcs")
    assert set(changed.skus.values_list("code", flat=True)) == {"MUG", "MUG-2"}
    assert (made.unit, made.price, made.skus.get().code) == ("set", 20, "POT")


def test_by_id_a_product_gets_another_sku_and_keeps_the_others(mug):
    skus.set_codes(mug, "MUG", ["MUG-2"])
    take_in("products", f"ID,SKU\n{mug.pk},MUG-NEW\n")
    assert dict(mug.skus.values_list("code", "is_primary")) == {"MUG-NEW": True, "MUG-2": False}


def test_wrong_cells_are_named_by_line_and_column_and_nothing_is_imported(mug, cup):
    skus.set_codes(cup, "CUP", ["CUP-OLD"])
    rows = [
        "SKU,Name,Price,ID", "NEW,,1,", "CUP-OLD,x,1,", "MUG,x,-1,", "POT,x,1e9999,", "JAR,x,1,99999",
        f"MUG,x,1,{cup.pk}", "TWICE,x,1,", "twice,y,2,", f"L,{'x' * 256},1,", "A,b,c,d,e", "4.00638E+12,x,1,", ",x,1,",
    ]  # fmt: skip
    row = read("products", "\n".join(rows))
    assert wrong(row) == [
        (2, "Name", "is empty, and no product has this SKU."),
        (3, "SKU", "CUP-OLD is an alternative SKU of Cup. Use its main SKU CUP."),
        (4, "Price", "is below zero."),
        (5, "Price", "“1e9999” is not a number."),
        (6, "ID", "There is no product 99999."),
        (7, "SKU", "MUG already belongs to Mug."),
        (9, "SKU", "stands for the same as line 8."),
        (10, "Name", "is longer than 255 characters."),
        (11, "", "has 5 cells and the header 4. A text with a separator needs quotes."),
        (11, "Price", "“c” is not a number."),
        (11, "ID", "“d” is not an ID."),
        (12, "SKU", "“4.00638E+12” was shortened by a spreadsheet. Format the column as text there."),
        (13, "SKU", "is empty."),
    ]
    with pytest.raises(ValidationError, match="Some rows have errors"):
        imports.start(row, NOW)
    assert Product.objects.count() == 2


def test_the_good_rows_alone_are_imported_when_that_is_asked_for(mug):
    row = take_in("products", "SKU,Name,Price\nPOT,Pot,1\nJAR,Jar,x\n", skipping_refused=True)
    assert (row.state, counts(row), row.imported) == (State.DONE, (1, 0, 0, 1), 2)
    assert [(each.line, cells) for each, cells in imports.problems(row)] == [(3, ["JAR", "Jar", "x"])]


def test_the_same_file_again_says_that_nothing_would_change(mug):
    take_in("products", "SKU,Name\nPOT,Tea pot\n")
    again = read("products", "SKU,Name\nPOT,Tea pot\n")
    assert counts(again) == (0, 0, 1, 0)
    with pytest.raises(ValidationError, match="Nothing would change"):
        imports.start(again, NOW)


def test_what_became_wrong_since_the_preview_is_left_out_and_named(mug):
    row = read("products", "SKU,Name,ID\nPOT,Tea pot,\nJAR,Jar,\n")
    skus.set_codes(mug, "MUG", ["jar"])
    imports.start(row, NOW)
    work(row)
    assert (row.state, wrong(row)) == (
        State.DONE, [(3, "SKU", "jar is an alternative SKU of Mug. Use its main SKU MUG.")],
    )  # fmt: skip
    assert Product.objects.current().count() == 2


def test_alternative_skus_are_added_and_none_is_taken_away(mug, cup):
    skus.set_codes(mug, "MUG", ["MUG-2"])
    row = take_in("alternative_skus", "SKU,EAN\nMUG,4006381333931\nmug-2,MUG-3\nCUP,CUP\n")
    assert (row.state, counts(row)) == (State.DONE, (2, 0, 1, 0))
    assert set(mug.skus.values_list("code", flat=True)) == {"MUG", "MUG-2", "4006381333931", "MUG-3"}


def test_an_alternative_sku_of_another_product_is_refused_by_name(mug, cup):
    row = read("alternative_skus", "SKU,Alternative SKU\nMUG,cup\nNONE,X\nMUG,Y\nCUP,y\n")
    assert wrong(row) == [
        (2, "Alternative SKU", "CUP already belongs to Cup."),
        (3, "SKU", "No product has the SKU NONE."),
        (5, "Alternative SKU", "stands for the same as line 4."),
    ]


def test_stock_is_counted_with_a_movement_that_names_the_import(mug, annex):
    row = take_in("stock", "SKU;Storage;On hand;Minimum\nMUG;Main;7,5;3\nmug;ANNEX;2;\n")
    assert (make.level(mug), make.level(mug, annex)) == ((Decimal("7.5"), 0), (2, 0))
    assert Stock.objects.get(product=mug, storage__name="Main").minimum == 3
    movement = StockMovement.objects.filter(stock__product=mug).latest("pk")
    assert (movement.cause, movement.kind, movement.actor) == (f"csv/{row.pk}", "count", "anna")
    assert stock.check() == []


def test_unknown_storages_and_counts_below_zero_are_refused(mug):
    row = read("stock", "SKU,Storage,On hand\nMUG,Cellar,1\nMUG,Main,-1\nMUG,Main,1\nMUG,main,2\nMUG,,2\n")
    assert wrong(row) == [
        (2, "Storage", "There is no storage “Cellar”. Add it first, or mend its name."),
        (3, "On hand", "is below zero."),
        (5, "SKU", "stands for the same as line 4."),
        (6, "Storage", "is empty."),
    ]


# --- going on after anything ---------------------------------------------------------------------------


def many(count: int) -> str:
    return "SKU,Name\n" + "".join(f"P{number},Größe {number}\n" for number in range(count))


def test_a_file_of_many_pieces_and_batches_is_taken_in_whole(main):
    row = upload("products", many(1_301).replace("Größe", "Größe " + "x" * 200))
    assert row.chunks.count() == 2
    work(row)
    assert (row.state, row.rows, row.batches.count()) == (State.READY, 1_301, 3)
    imports.start(row, NOW)
    work(row)
    assert (row.state, Product.objects.count()) == (State.DONE, 1_301)
    assert not CsvChunk.objects.exists()
    assert not CsvClaim.objects.exists()
    assert not CsvBatch.objects.exclude(rows=[]).exists()


def test_who_dies_while_reading_or_importing_leaves_the_rest_to_the_next(main, monkeypatch):
    monkeypatch.setattr(imports, "SLICE_S", 0)  # each slice is a batch
    row = upload("products", many(1_100))
    for _ in range(2):
        imports.work_due()
        # As its holder died right after: the lease is still there, and ends.
        CsvImport.objects.filter(pk=row.pk).update(lease_token="dead", due_at=NOW)
    work(row)
    assert (row.state, row.rows, row.new) == (State.READY, 1_100, 1_100)
    imports.start(row, NOW)
    imports.work_due()
    CsvImport.objects.filter(pk=row.pk).update(lease_token="dead", due_at=NOW)
    work(row)
    assert (row.state, row.imported, Product.objects.count()) == (State.DONE, 1_100, 1_100)


def test_a_stopped_import_goes_on_and_a_canceled_one_keeps_what_it_did(main, monkeypatch):
    monkeypatch.setattr(imports, "SLICE_S", 0)
    row = read("products", many(1_100))
    imports.start(row, NOW)
    imports.work_due()
    imports.stop(row)
    assert imports.work_due() == 0
    assert Product.objects.count() == 500
    imports.go_on(row, NOW)
    imports.work_due()
    imports.cancel(row, NOW)
    assert imports.work_due() == 0
    assert (work(row).state, row.imported, Product.objects.count()) == (State.CANCELED, 1_000, 1_000)


def test_two_files_of_the_same_products_make_each_once(main):
    first, second = read("products", many(20)), read("products", many(30))
    for row in (first, second):
        imports.start(row, NOW)
    work(first)
    assert Product.objects.count() == 30
    second.refresh_from_db()
    assert (first.state, second.state) == (State.DONE, State.DONE)


def test_old_imports_are_forgotten(mug):
    row = read("products", many(3))
    CsvImport.objects.filter(pk=row.pk).update(created_at=NOW)
    imports.tidy(NOW + imports.KEPT)
    assert CsvImport.objects.exists()
    imports.tidy(NOW + imports.KEPT * 2)
    assert not CsvImport.objects.exists()
