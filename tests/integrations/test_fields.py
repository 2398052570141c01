import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection as database

from integrations.fields import Undecryptable
from integrations.models import Connection

pytestmark = pytest.mark.django_db

SECRET = {"token": "shpat_very_secret"}


@pytest.fixture
def row() -> Connection:
    return Connection.objects.create(platform="shopify", domain="acme.myshopify.com", name="Acme", credentials=SECRET)


def stored() -> str:
    with database.cursor() as cursor:
        cursor.execute("SELECT credentials FROM integrations_connection")
        return cursor.fetchone()[0]


def test_credentials_are_not_readable_in_the_database(row):
    assert "shpat" not in stored()
    assert Connection.objects.get().credentials == SECRET


def test_a_key_that_does_not_fit_is_an_error_and_not_a_token(row, settings):
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Undecryptable, match="CREDENTIALS_KEYS"):
        Connection.objects.get()


def test_plain_text_in_the_database_is_an_error(row):
    with database.cursor() as cursor:
        cursor.execute('UPDATE integrations_connection SET credentials = \'{"token": "x"}\'')
    with pytest.raises(Undecryptable):
        Connection.objects.get()


def test_after_rotation_the_old_key_is_not_needed(row, settings):
    old, new = settings.CREDENTIALS_KEYS[0], Fernet.generate_key().decode()
    settings.CREDENTIALS_KEYS = [new, old]
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIALS_KEYS = [new]
    assert Connection.objects.get().credentials == SECRET


def test_credentials_cannot_be_searched(row):
    with pytest.raises(FieldError):
        Connection.objects.filter(credentials="x").exists()
