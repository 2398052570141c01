"""python -m tests.shop_life --seed N --seconds S [--postgres URL]: exit 0 when there are 0 differences."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.installation import postgres_database
from tests.shop_life.life import Life

#: Differences that are told with what led to them.
EXPLAINED = 12


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.shop_life", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--postgres", default="", metavar="URL", help="a server's address; a database is made there")
    parser.add_argument("--aloud", action="store_true", help="tell everything as it happens")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="leave the SQLite database there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(options.keep or folder)
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"life_{options.seed}.sqlite3"
        for old in place.glob(f"{file.name}*"):
            old.unlink()
        url = (
            postgres_database(options.postgres, f"shop_life_{options.seed}")
            if options.postgres
            else f"sqlite:///{file}"
        )
        return run(url, options.seed, options.seconds, aloud=options.aloud)


def run(url: str, seed: int, seconds: float, *, aloud: bool) -> int:
    began = time.monotonic()
    with Life(url, seed, is_new=True, aloud=aloud) as life:
        life.live(seconds)
        life.rest()
        found = life.differences()
        for each in found[:EXPLAINED]:
            print(f"\n* {each.what}")
            for line in life.diary.about(*each.about):
                print(f"    {line}")
        for each in found[EXPLAINED:]:
            print(f"* {each.what}")
        deeds = Counter(entry.who for entry in life.diary.entries)
        calls, deliveries = sum(life.shop.calls.values()), len(life.shop.courier.log)
        print(
            f"\nseed {seed}, {seconds:g} s of life, {time.monotonic() - began:.0f} s in all:"
            f" {len(life.shop.orders)} orders there, {deeds['shop']} deeds in the shop, {deeds['here']} here,"
            f" {deeds['weather']} of the weather, {calls} calls, {deliveries} deliveries;"
            f" the checks of the night found {len(life.found)}."
        )
        print(f"{len(found)} differences")
        return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
