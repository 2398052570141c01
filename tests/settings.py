"""The product's own settings, with keys for the tests. DATABASE_URL picks the database, as everywhere."""

import os
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "for the tests alone")
os.environ.setdefault("CREDENTIALS_KEYS", "7l3uJ0-QdmMZ0sR1WqQ1sm1x8G1nqVgVbZb6cGZ0c1k=")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(__file__).parent.parent / 'var' / 'test.sqlite3'}")

from config.settings import *  # noqa: F403 - a settings module is a list of names
from config.settings import DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, because threads and servers of the tests share it; nobody cuts the power to it.
    DATABASES["default"]["TEST"] = {"NAME": str(DATABASES["default"]["NAME"])}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=OFF;"
