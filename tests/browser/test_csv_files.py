"""CSV files in a real browser: uploaded, mended by leaving rows out, imported and seen; and a code that is taken."""

import pytest

pytestmark = pytest.mark.browser

WORK = """
from catalog.csv_files import imports
while imports.work_due():
    pass
print(json.dumps(True))
"""


def choose(visitor, kind: str, name: str, content: str) -> None:
    visitor.go(f"/catalog/csvimport/upload/{kind}/")
    visitor.page.set_input_files("#id_file", {"name": name, "mimeType": "text/csv", "buffer": content.encode("cp1252")})
    visitor.click("Upload and compare")


def test_a_file_is_uploaded_its_errors_are_read_and_its_good_rows_imported(visitor, shop):
    width = visitor.page.viewport_size["width"]
    rows = f"SAUCE-{width};Sauciere für Gäste;24,90\nSAUCE-X;Kanne;zwölf\n"
    choose(visitor, "products", f"herbst-{width}.csv", f"SKU;Name;Price;Farbe\n{rows}")
    assert visitor.reads("The file is being read and compared.")
    shop.installed.python(WORK)
    assert visitor.reads(
        "1 row has an error.", "New rows: 1.", "“zwölf” is not a number.", "Sauciere für Gäste", "“Farbe”",
        "Windows-1252, semicolon",
    )  # fmt: skip
    assert not visitor.is_too_wide()
    visitor.click("Import the good rows")
    assert visitor.reads("The rows are being imported.")
    shop.installed.python(WORK)
    assert visitor.reads("Done. 1 with errors were left out.", "Line 3")
    visitor.go("/catalog/csvimport/")
    assert visitor.reads(f"herbst-{width}.csv", "Done")
    visitor.go(f"/catalog/product/?q=SAUCE-{width}")
    assert visitor.reads("Sauciere für Gäste", f"SAUCE-{width}", "24.90")
    assert visitor.complaints == []


def test_a_file_that_is_none_is_refused_on_the_form(visitor):
    choose(visitor, "stock", "count.xlsx", "PK\x03\x04")
    assert visitor.reads("This is an Excel workbook (xlsx) or a zip file.")
    assert not visitor.is_too_wide()
    assert visitor.complaints == []


def test_an_import_is_canceled_and_nothing_changed(visitor, shop):
    choose(visitor, "products", "never.csv", "SKU,Name\nNEVER,Never\n")
    shop.installed.python(WORK)
    assert visitor.reads("New rows: 1.")
    visitor.click("Cancel")
    assert visitor.reads("Canceled. Nothing was changed.")
    assert shop.installed.rows("SELECT count(*) FROM catalog_sku WHERE code = 'NEVER'") == [(0,)]
    assert visitor.complaints == []


def test_a_list_is_exported_as_it_is_searched(visitor):
    visitor.go("/catalog/product/?q=linen")
    with visitor.page.expect_download() as found:
        visitor.click("Export products")
    lines = found.value.path().read_text("utf-8-sig").splitlines()
    assert [line.split(",")[1] for line in lines] == ["SKU", "TOWEL-STR", "TOWEL-CHK"]
    assert visitor.complaints == []


def test_an_alternative_sku_that_is_taken_is_named_while_it_is_typed(visitor):
    visitor.open("/catalog/product/", "Milk jug, enamel")
    box = visitor.page.locator("#id_other_skus")
    box.fill("JUG-2")
    box.press("Enter")
    box.press_sequentially("flt-100")
    assert visitor.reads("FLT-100 already belongs to Filter papers, 100.")
    assert not visitor.is_too_wide()
    box.fill("JUG-2")
    visitor.page.get_by_text("FLT-100 already belongs to").wait_for(state="hidden")
    assert visitor.complaints == []
