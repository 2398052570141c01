"""A short life of a shop among faults and kills; longer ones: `python -m tests.shop_life`."""

from __future__ import annotations

from tests.shop_life.life import Life

SECONDS = 12


def test_after_a_life_among_faults_both_sides_are_the_same(new_database):
    with Life(new_database("life"), 7, is_new=False) as life:
        life.live(SECONDS)
        life.rest()
        assert [each.what for each in life.differences()] == []
        did = {entry.who for entry in life.diary.entries}
        assert did == {"shop", "here", "weather"}
        assert len(life.shop.orders) > 3
