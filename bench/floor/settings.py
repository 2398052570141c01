"""Nothing but the same database, with the same handling of its connections. No middleware."""

from config.settings import DATABASES as DATABASES

SECRET_KEY = "of the floor"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bench.floor.urls"
INSTALLED_APPS = ["bench.floor"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
