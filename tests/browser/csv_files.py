"""CSV files in every state that a screen shows."""

from catalog.csv_files import imports
from catalog.models import CsvImport
from tests.csv_work import read, take_in, upload, work

PRICES = """SKU;Name;Price;Cost;Colour;Supplier
MUG-SAND;Stoneware mug, sand;19,50;6,20;sand;Hagen
TEA-SEN;Sencha, loose;48;20,10;;Uji
KETTLE-08;Kettle, copper 0.8 l;129;61;copper;Hagen
BOWL-RTL;وعاء خزفي;24;9;;
"""
WRONG = """SKU,Storage,On hand,Minimum
MUG-INK,Warehouse,12,20
MUG-INK,Warehouse,13,
POT-IRON-08,Cellar,4,
NO-SUCH,Warehouse,1,
TWL-1,"Shop, Kollwitzplatz",ten,
"<b>SKU</b>",Warehouse,-1,
"""


def fill() -> None:
    """Imported, ready, with errors, and one that is just being imported."""
    _named(take_in("stock", "SKU,Storage,On hand\nJUG-EN,Warehouse,28\n"), "count-november.csv")
    _named(read("products", PRICES), "spring price list.csv")
    _named(read("stock", WRONG), "count-cellar.csv")
    running = upload("products", "SKU,Name\n" + "".join(f"SPOON-{n},Spoon {n}\n" for n in range(1200)))
    work(running)
    CsvImport.objects.filter(pk=running.pk).update(state=CsvImport.State.IMPORTING, imported=500)
    _named(running, "spoons.csv")
    assert imports.work_due() == 0


def _named(row: CsvImport, name: str) -> None:
    CsvImport.objects.filter(pk=row.pk).update(file_name=name)
