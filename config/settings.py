"""One file for every environment; what differs comes from the environment (.env.example lists it)."""

import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet

from config.unfold import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = BASE_DIR / "var"

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEMO = env.bool("STOCKBRIDGE_DEMO", False)
if DEMO:
    VAR = VAR / "demo"
VAR.mkdir(parents=True, exist_ok=True)


def _demo_secrets() -> None:
    """Keys of the demo alone, made once, readable by its owner alone."""
    path = VAR / "secrets.env"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(
            f"SECRET_KEY={secrets.token_urlsafe(48)}\n"
            f"CREDENTIALS_KEYS={Fernet.generate_key().decode()}\n"
            f"DEMO_PASSWORD={secrets.token_hex(4)}\n"
        )
    environ.Env.read_env(path)


if DEMO:
    _demo_secrets()
    DEMO_PASSWORD = env.str("DEMO_PASSWORD")
    DEMO_PORT = env.int("DEMO_PORT", 8000)
    DEMO_SHOP_PORT = env.int("DEMO_SHOP_PORT", 8180)
    environ.Env.ENVIRON.setdefault("PUBLIC_URL", f"http://127.0.0.1:{DEMO_PORT}")
    environ.Env.ENVIRON.setdefault("SHOPIFY_BASE_URL", f"http://127.0.0.1:{DEMO_SHOP_PORT}")

# --- who we are ----------------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
#: Encrypts the credentials of connections: the first key encrypts, every key decrypts.
CREDENTIALS_KEYS: list[str] = env.list("CREDENTIALS_KEYS")
DEBUG = env.bool("DEBUG", False)
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
if PUBLIC_URL:
    ALLOWED_HOSTS.append(urlsplit(PUBLIC_URL).hostname or "")
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
#: Only for a sandbox: where the platform's API is, instead of https://<domain>.
SHOPIFY_BASE_URL = env.str("SHOPIFY_BASE_URL", "").rstrip("/")
#: The share of a shop's rate limit that work in the background leaves for people.
SHOP_RESERVE = min(max(env.int("SHOP_RESERVE_PERCENT", 10), 0), 90) / 100
#: Whether our own webhooks may go to addresses of this machine and its network.
ALLOW_LOCAL_WEBHOOKS = env.bool("ALLOW_LOCAL_WEBHOOKS", DEMO)

# --- Django --------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "csp",
    "ninja",
    "django_q",
    "catalog.apps.CatalogConfig",
    "sales.apps.SalesConfig",
    "integrations.apps.IntegrationsConfig",
    "people.apps.PeopleConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
#: The theme's login page forgets to say where to go.
LOGIN_REDIRECT_URL = "admin:index"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)

# --- mail: alerts, and nothing else ----------------------------------------------------------------------
EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    globals().update(env.email_url("EMAIL_URL"))
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "stockbridge@localhost")

#: How long the activity log is kept, and what was said word for word.
ACTIVITY_DAYS = max(env.int("ACTIVITY_DAYS", 90), 1)
PAYLOAD_DAYS = max(env.int("PAYLOAD_DAYS", 30), 0)

# --- people --------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}}]
#: Whoever does not come back for so long must log in again.
SESSION_COOKIE_AGE = env.int("SESSION_DAYS", 14) * 24 * 3600
#: Five wrong passwords for a name from one address, and that pair waits for a quarter of an hour.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "people.login.locked_out"
AXES_CLIENT_IP_CALLABLE = "people.login.address"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Stockbridge"

#: Webhooks and API calls larger than this are refused unread.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

#: CSV files larger than this are refused; what comes beyond it is not kept.
CSV_UPLOAD_BYTES = env.int("CSV_UPLOAD_MB", 50) * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "catalog.csv_files.uploads.Limit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

#: The General API: requests per second and key, and how many may come at once. A rate of 0: no limit.
API_RATE = env.int("API_RATE", 20)
API_BURST = env.int("API_BURST", 60)

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True  # nobody who runs this has to remember collectstatic

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

# Unfold's Alpine evaluates expressions and sets inline styles; nothing is loaded from elsewhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
    }
}

# --- database ------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'stockbridge.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Without IMMEDIATE, four writers fail with "database is locked" in four of five transactions. FULL, because a
    # webhook that was answered with 200 must survive a power cut.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;",
    }
    _database["CONN_MAX_AGE"] = None
else:
    # No psycopg pool: forked workers would share its sockets.
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True

# --- background ----------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", "")
# A task only starts work, so it is never repeated by the queue: the rows with due_at are the truth. retry must
# exceed three timeouts, or a task that waits in the local queue runs twice.
Q_CLUSTER = {
    "name": "stockbridge",
    "workers": env.int("WORKERS", 2),
    "queue_limit": env.int("WORKERS", 2),
    "bulk": 1,
    "poll": 0.1,
    "timeout": 60,
    "retry": 240,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "recycle": 500,
    "cache": "queue",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # The queue writes its statistics twice a second; nobody reads them.
    "queue": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"django-q": {"level": "WARNING"}, "axes": {"level": "WARNING"}},
}
