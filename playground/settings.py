"""Settings, all from the environment. README.md has the table of `PLAYGROUND_*` variables; a test compares the two."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from platformdirs import user_data_path

from playground.configuration import environment
from playground.configuration.data_folder import open_data_folder, protect_file, read_or_make_secret
from playground.configuration.environment import Environment
from playground.engine.guard import Rules

env = Environment()
# What is read elsewhere: by `manage.py` before there is a Django, and by the tests.
env.names |= {"PLAYGROUND_NO_VENV", "PLAYGROUND_CHROMIUM", "PLAYGROUND_TEST_DATABASE_URL"}
PACKAGE_DIR = Path(__file__).resolve().parent
BASE_DIR = PACKAGE_DIR.parent
# In a wheel the templates and static files lie in the package, in a checkout beside it.
IS_INSTALLED = (PACKAGE_DIR / "_assets").is_dir()
ASSETS_DIR = PACKAGE_DIR / "_assets" if IS_INSTALLED else BASE_DIR

# --- Where it runs -----------------------------------------------------------------------------------------------

DATA_DIR = open_data_folder(
    Path(
        env.str(
            "PLAYGROUND_DATA",
            str(user_data_path(appname="messages-playground", appauthor=False) if IS_INSTALLED else BASE_DIR / "var"),
        )
    )
)
DEBUG = env.bool("PLAYGROUND_DEBUG", False)
SECRET_KEY = env.str("PLAYGROUND_SECRET_KEY", "") or read_or_make_secret(DATA_DIR / "secret_key")

# The key that wraps the data keys of stored credentials. Several, comma-separated: the first encrypts, all decrypt.
VAULT_KEYS = env.list("PLAYGROUND_VAULT_KEYS", []) or [read_or_make_secret(DATA_DIR / "vault_key")]

PUBLIC_URL = env.url("PLAYGROUND_PUBLIC_URL")
PUBLIC_PATH = urlsplit(PUBLIC_URL).path  # such as "/playground"; empty at the root of a host
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("PLAYGROUND_ALLOWED_HOSTS", LOOPBACK_HOSTS, of=environment.host)
CSRF_TRUSTED_ORIGINS = env.list(
    "PLAYGROUND_TRUSTED_ORIGINS",
    [PUBLIC_URL.removesuffix(PUBLIC_PATH)] if PUBLIC_URL else [],
    of=environment.trusted_origin,
)
BEHIND_HTTPS = env.bool("PLAYGROUND_HTTPS", PUBLIC_URL.startswith("https://"))
# How many proxies in front may be believed about the client's address. 0: the peer's own address counts.
TRUSTED_PROXIES = env.int("PLAYGROUND_TRUSTED_PROXIES", 0)

# --- What may be called, and how much ----------------------------------------------------------------------------

ALLOW_LOOPBACK_UPSTREAMS = env.bool("PLAYGROUND_ALLOW_LOOPBACK", False)  # `serve` turns it on for a personal tool
ALLOWED_UPSTREAMS = env.list("PLAYGROUND_ALLOWED_UPSTREAMS", of=lambda entry: Rules.parse([entry]))
SIGN_UP_OPEN = env.bool("PLAYGROUND_SIGN_UP", True)
PUBLIC_LINKS = env.bool("PLAYGROUND_PUBLIC_LINKS", True)
RELAY_CORS_ORIGINS = env.list("PLAYGROUND_RELAY_CORS_ORIGINS", of=environment.origin_or_any)

CONNECT_TIMEOUT_S = env.float("PLAYGROUND_CONNECT_TIMEOUT", 10)
FIRST_BYTE_TIMEOUT_S = env.float("PLAYGROUND_FIRST_BYTE_TIMEOUT", 600)
SILENCE_TIMEOUT_S = env.float("PLAYGROUND_SILENCE_TIMEOUT", 120)
RUN_TIMEOUT_S = env.float("PLAYGROUND_RUN_TIMEOUT", 3600)
MAX_RESPONSE_BYTES = env.int("PLAYGROUND_MAX_RESPONSE", 64 * 2**20, least=1)
MAX_RESPONSE_EVENTS = env.int("PLAYGROUND_MAX_EVENTS", 1_000_000, least=1)
MAX_RUNNING_BYTES = env.int("PLAYGROUND_MAX_RUNNING", 512 * 2**20, least=1)
MAX_EVENT_BYTES = env.int("PLAYGROUND_MAX_EVENT", 16 * 2**20, least=1)
MAX_RUN_BODY_BYTES = env.int("PLAYGROUND_MAX_RUN_BODY", 32 * 2**20, least=1)
MAX_BODY_BYTES = env.int("PLAYGROUND_MAX_BODY", 2**20, least=1)
MAX_BIG_BODIES = env.int("PLAYGROUND_MAX_BIG_BODIES", 8, least=1)
MAX_BIG_BODIES_PER_ADDRESS = env.int("PLAYGROUND_MAX_BIG_BODIES_PER_ADDRESS", 2, least=1)  # a personal tool: all
RUNS_PER_MINUTE = env.int("PLAYGROUND_RUNS_PER_MINUTE", 60)
RUNS_AT_ONCE = env.int("PLAYGROUND_RUNS_AT_ONCE", 20)
VISITOR_RUNS_PER_MINUTE = env.int("PLAYGROUND_VISITOR_RUNS_PER_MINUTE", 10)
VISITOR_RUNS_AT_ONCE = env.int("PLAYGROUND_VISITOR_RUNS_AT_ONCE", 2)
VISITOR_MAX_BODY_BYTES = env.int("PLAYGROUND_VISITOR_MAX_BODY", 4 * 2**20)
SOCKETS_PER_USER = env.int("PLAYGROUND_SOCKETS_PER_USER", 32)
SHARE_GUESSES_PER_MINUTE = env.int("PLAYGROUND_SHARE_GUESSES_PER_MINUTE", 60)
LOGIN_FAILURES = env.int("PLAYGROUND_LOGIN_FAILURES", 10, least=1)
SIGN_UPS_PER_HOUR = env.int("PLAYGROUND_SIGN_UPS_PER_HOUR", 20)
DRAIN_S = env.float("PLAYGROUND_DRAIN", 25, may_be_zero=True)
SANDBOX_SPEED = env.float("PLAYGROUND_SANDBOX_SPEED", 1.0, may_be_infinite=True)
WORKERS = env.bool("PLAYGROUND_WORKERS", hasattr(os, "fork"))  # processes that answer large requests
WORKERS_NICENESS = env.int("PLAYGROUND_WORKERS_NICENESS", 5, most=9)

# --- What is kept ------------------------------------------------------------------------------------------------

CONTENT_DAYS = env.int("PLAYGROUND_CONTENT_DAYS", 30, most=36_500)
FIGURES_DAYS = env.int("PLAYGROUND_FIGURES_DAYS", 365, most=36_500)
MAX_CONTENT_BYTES_PER_USER = env.int("PLAYGROUND_CONTENT_PER_USER", 2 * 2**30)
MAX_ATTACHMENT_BYTES_PER_USER = env.int("PLAYGROUND_ATTACHMENTS_PER_USER", 2**30)
MAX_VERSION_BYTES_PER_USER = env.int("PLAYGROUND_VERSIONS_PER_USER", 256 * 2**20)
MAX_SHARE_BYTES_PER_USER = env.int("PLAYGROUND_SHARES_PER_USER", 256 * 2**20)
MAX_ATTACHMENT_BYTES_PER_VISITOR = env.int("PLAYGROUND_VISITOR_ATTACHMENTS", 64 * 2**20)
MAX_VISITOR_BYTES_PER_ADDRESS = env.int("PLAYGROUND_VISITORS_PER_ADDRESS", 256 * 2**20)

# --- Django ------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "playground",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "csp",
    "django_htmx",
    "django_ace",
    "template_partials",
    "lucide",
    "axes",
]

MIDDLEWARE = [
    "playground.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "playground.serving.static_files.StaticFilesMiddleware",
    "playground.middleware.CompressedPages",
    "csp.middleware.CSPMiddleware",
    "playground.middleware.private_pages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.log_in_again",
    "playground.middleware.visitor_cookie",
    "playground.middleware.reader_time_zone",
    "axes.middleware.AxesMiddleware",
    "playground.middleware.StorageQuotaMiddleware",
    "playground.workers.HandOver",
]

FORCE_SCRIPT_NAME = PUBLIC_PATH or None
ROOT_URLCONF = "playground.urls"
ASGI_APPLICATION = "playground.asgi.application"
TEMPLATES = [
    {
        "NAME": "django",  # as it would be called by itself; the loader of template partials looks for it
        "BACKEND": "playground.rendering.engine.EncodableTemplates",
        "DIRS": [ASSETS_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "playground.middleware.page_context",
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "playground.templatetags.icons",
                "playground.templatetags.page_tags",
            ],
        },
    }
]

DATABASES = {"default": env.database("PLAYGROUND_DATABASE_URL", f"sqlite:///{DATA_DIR / 'playground.sqlite3'}")}
# Of PostgreSQL's connections, how many this process takes at most. Who needs one more, waits for it.
DATABASE_CONNECTIONS = env.int("PLAYGROUND_DATABASE_CONNECTIONS", 16, least=2, most=1_000)
if "pytest" in sys.modules:
    test_url = os.environ.get("PLAYGROUND_TEST_DATABASE_URL") or ""
    if test_url.startswith("postgres"):
        DATABASES["default"] = env.database("PLAYGROUND_TEST_DATABASE_URL", "")
    else:  # a file: in-memory SQLite locks whole tables between threads; one a process, so runs do not meet
        DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / f"test-{os.getpid()}.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "playground.databases.sqlite3"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a reader that turns writer would fail at once instead of waiting
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    protect_file(Path(DATABASES["default"]["NAME"]))
else:
    DATABASES["default"]["ENGINE"] = "playground.databases.postgresql"
    # Persistent connections would belong to a request's thread, which ends with the request: one leaked per request.
    DATABASES["default"] |= {"CONN_MAX_AGE": 0}  # whether one is alive is checked by the back end
    options = DATABASES["default"].setdefault("OPTIONS", {})
    options.setdefault("connect_timeout", 5)
    options.setdefault("tcp_user_timeout", 10_000)  # ms: a network that swallows everything is noticed
    if "pytest" not in sys.modules:  # a test database cannot be dropped while a pool looks at it
        options["pool"] = {
            "min_size": 1,
            "max_size": DATABASE_CONNECTIONS,
            "timeout": 60,
            "max_idle": 60,
            "reconnect_timeout": 2,  # the next one to ask starts over, so the database is noticed as soon as it is back
        }
# Several processes share a site through PostgreSQL and Redis.
REDIS_URL = env.redis("PLAYGROUND_REDIS_URL")
LIVE_RUNS = "playground.cluster.shared_runs.SharedRuns" if REDIS_URL else "playground.engine.live.LiveRuns"
SITE_LOCK = f"playground.serving.{'membership.SharedSiteLock' if REDIS_URL else 'site_lock.SiteLock'}"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CACHES["shared"] = CACHES["default"]  # what counts over all processes
CACHES["template_fragments"] = {  # of the templates' `cache` tag, by itself: nobody's pages drive out what counts
    "BACKEND": f"django.core.cache.backends.{'dummy.DummyCache' if DEBUG else 'locmem.LocMemCache'}",
    "LOCATION": "template fragments",
}
if REDIS_URL:
    CACHES["shared"] = {"BACKEND": "playground.cluster.shared_cache.SharedCache", "LOCATION": REDIS_URL}
if REDIS_URL and "sqlite3" in DATABASES["default"]["ENGINE"]:
    env.problems.append("PLAYGROUND_REDIS_URL needs PLAYGROUND_DATABASE_URL=postgres://… beside it.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "playground"
LOGOUT_REDIRECT_URL = "playground"

AXES_HANDLER = "accounts.lock_out.Handler"
AXES_FAILURE_LIMIT = LOGIN_FAILURES
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "accounts.views.locked_out"
AXES_CLIENT_IP_CALLABLE = "playground.identity.visitors.counted_address"
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT: Path | None = DATA_DIR / "static"  # where `serve` collects them
STATICFILES_DIRS = [ASSETS_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "playground.serving.static_files.UsedFilesFinder",
]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {
        "BACKEND": "playground.serving.static_files.HashedFilesStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
}
if "postgresql" in DATABASES["default"]["ENGINE"]:
    STORAGES["default"]["BACKEND"] = "playground.attachments.database_storage.DatabaseStorage"
if "pytest" in sys.modules:  # the files as they are, whatever a server has collected in the same data folder
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True  # straight from the packages and static/, where nothing was collected
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = DATA_DIR / "files"

DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_RUN_BODY_BYTES  # the server's own limits act before Django's
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2**20

# --- Browser and transport security ------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{PUBLIC_PATH}/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "playground.views.page_expired.page_expired"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_SSL_REDIRECT = False  # the proxy in front redirects; doing it here would break its health checks
_HSTS_S = env.int("PLAYGROUND_HSTS", 31_536_000)  # asked for in any case: without HTTPS it is no unknown name
SECURE_HSTS_SECONDS = _HSTS_S if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("PLAYGROUND_HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = env.bool("PLAYGROUND_HSTS_PRELOAD", False)
if BEHIND_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# The proxy redirects (W008); whether a whole domain speaks HTTPS, and for ever, is its owner's to say (W005, W021).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"] if BEHIND_HTTPS else []

# --- Logging: request ids, never bodies or headers ---------------------------------------------------------------

DEFAULT_EXCEPTION_REPORTER_FILTER = "playground.serving.error_reports.HiddenValuesFilter"
METRICS_TOKEN = env.str("PLAYGROUND_METRICS_TOKEN")
TRACES = env.flag_of_extra("PLAYGROUND_TRACES", "otel", "opentelemetry.exporter.otlp.proto.http")
TRACES_CONTENT = env.bool("PLAYGROUND_TRACES_CONTENT", False)
LOG_LEVEL = env.str("PLAYGROUND_LOG_LEVEL", "INFO", one_of=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "playground.logging_filters.RequestIdFilter"},
        "share_token": {"()": "playground.logging_filters.ShareTokenFilter"},
        "one_line": {"()": "playground.logging_filters.OneLineFilter"},
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "share_token", "one_line"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        "django.request": {"level": "ERROR"},
        # The HTTP clients log addresses and headers at DEBUG: credentials would be among them.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "aiohttp": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
        "psycopg.pool": {"level": "CRITICAL"},  # that the database is away is said once, by us
        "axes": {"level": "ERROR"},
        # At DEBUG it writes down everything a template was given, whole requests and answers, for a missing name.
        "django.template": {"level": "INFO"},
    },
}

env.refuse_problems()


def is_loopback(host: str) -> bool:
    """Return whether a server that listens on `host` can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
