"""How often a key may ask, over several processes."""

import time

import pytest

from tests.api.conftest import Wire
from tests.api.site import Site
from tests.installation import Installation

RATE, BURST = 1, 20


@pytest.mark.long
def test_a_rate_is_a_keys_own_and_holds_over_processes(new_database):
    limits = {"API_RATE": str(RATE), "API_BURST": str(BURST)}
    with (
        Site(new_database("rate"), **limits) as site,
        Installation(site.database_url, "", is_new=False, **limits) as second,
    ):
        for each in (site, second):
            each.start_web()
        servers = [Wire(each.url, site.known["key"]) for each in (site, second)]
        begun = time.monotonic()
        responses = [servers[number % 2].send("storages/get_list.php") for number in range(2 * BURST)]
        taken_s = time.monotonic() - begun
        answered = [response for response in responses if response.status_code == 200]
        refused = [response for response in responses if response.status_code == 429]
        assert len(answered) + len(refused) == 2 * BURST
        assert BURST <= len(answered) <= BURST + RATE * taken_s + 1
        assert {response.status_code for response in responses[:BURST]} == {200}
        for response in refused:
            assert response.answer == {"success": False, "error": "Too many requests. Try again in 1 s."}
            assert response.headers["Retry-After"] == "1"
        for each in (site, second):
            assert Wire(each.url, site.known["till_key"]).send("storages/get_list.php").status_code == 200
