"""One word for one thing: what the menu calls a page is what its tab, its head and the way back to it call it."""

import re

import pytest
from django.contrib.admin.models import CHANGE, LogEntry

from config.unfold import UNFOLD
from integrations import activity
from integrations.activity import Direction
from tests import csv_work, make

pytestmark = pytest.mark.django_db
MENU = [(str(item["title"]), str(item["link"])) for group in UNFOLD["SIDEBAR"]["navigation"] for item in group["items"]]


def titles(page: str) -> tuple[str, list[str]]:
    """Of the browser's tab, and of the way from the list to the page."""
    tab = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert tab is not None
    return " ".join(tab[1].split()).removesuffix(" | Stockbridge"), re.findall(r'tracking-tight">([^<]*)<', page)


@pytest.mark.parametrize(("title", "path"), MENU, ids=[title for title, _ in MENU])
def test_a_page_is_called_as_the_menu_calls_it(admin_client, title, path):
    assert titles(admin_client.get(path).content.decode()) == (title, [title])


def test_a_csv_file_leads_back_to_the_csv_files(admin_client):
    row = csv_work.upload("products", "SKU,Name\nA,Anvil\n", "spring.csv")
    page = admin_client.get(f"/catalog/csvimport/{row.pk}/change/").content.decode()
    assert titles(page)[1] == ["CSV files", "spring.csv"]


def test_the_history_of_a_thing_is_called_and_told_as_the_list_of_all(admin_client, admin_user):
    mug = make.product("MUG")
    path = f"/catalog/product/{mug.pk}/history/"
    page = admin_client.get(path).content.decode()
    assert titles(page)[0] == "Changes by hand"
    assert "Nobody has changed it by hand." in page
    LogEntry.objects.log_actions(admin_user.pk, [mug], CHANGE, "Changed Price: 4 → 5.", single_object=True)
    page = admin_client.get(path).content.decode()
    assert "Changed Price: 4 → 5." in page
    assert "Nobody has changed it by hand." not in page


def test_a_line_of_the_activity_leads_back_to_it_and_lines_are_counted(admin_client):
    row = activity.note(None, "Something happened.", direction=Direction.HERE)
    page = admin_client.get(f"/integrations/activity/{row.pk}/change/").content.decode()
    assert titles(page)[1] == ["Activity", "Something happened."]
    page = admin_client.get("/integrations/activity/").content.decode()
    assert "1 line<" in page
    assert "No lines fit this search" in admin_client.get("/integrations/activity/?q=nothing").content.decode()
