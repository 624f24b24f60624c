"""Every setting of the hub, read from the environment in one place.

Outside DEBUG the process refuses to start without its secrets and its two
servers. In DEBUG, PostgreSQL and Valkey run embedded under HUB_DATA unless
DATABASE_URL and REDIS_URL say otherwise.
"""

import socket
from datetime import timedelta
from pathlib import Path

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env
from redis.backoff import NoBackoff
from redis.retry import Retry

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(BASE_DIR / ".env", recurse=False)

# --- What kind of run this is ---------------------------------------------------

DEBUG = env.bool("DEBUG", False)


def secret(name, development_value):
    """A secret of at least 32 characters; only DEBUG may run on the well-known one."""
    value = env.str(name, "") or (development_value if DEBUG else "")
    if len(value) < 32:
        raise ImproperlyConfigured(f"{name} must be set to at least 32 random characters (or run with DEBUG=true).")
    return value


SECRET_KEY = secret("SECRET_KEY", "development-only-secret-key-never-used-in-production")
JWT_SIGNING_KEY = secret("JWT_SIGNING_KEY", "development-only-signing-key-never-used-in-production")
if SECRET_KEY == JWT_SIGNING_KEY:
    raise ImproperlyConfigured("JWT_SIGNING_KEY must differ from SECRET_KEY.")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["*"] if DEBUG else [])
if not DEBUG and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts that this server answers for.")

# --- Servers ----------------------------------------------------------------------

HUB_DATA = Path(env.str("HUB_DATA", "") or BASE_DIR / ".hub").resolve()
DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")
EMBEDDED_DATABASE = not DATABASE_URL
EMBEDDED_REDIS = not REDIS_URL
if EMBEDDED_DATABASE or EMBEDDED_REDIS:
    if not DEBUG:
        raise ImproperlyConfigured("DATABASE_URL and REDIS_URL must be set: the embedded servers are for DEBUG only.")
    from config import embedded

    DATABASE_URL = DATABASE_URL or embedded.database_url(HUB_DATA)
    REDIS_URL = REDIS_URL or embedded.redis_url(HUB_DATA)

DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=None, conn_health_checks=True)}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    # 3.4 times the requests of Django's defaults: plans are kept on persistent connections.
    {
        "server_side_binding": True,
        "prepare_threshold": 5,
        "connect_timeout": 2,
        # A host that vanishes without a word is given up after this long, instead of hours; nothing to unix sockets.
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
)
# Statements of web requests are stopped after this long (503); commands and workers run as long as they need.
WEB_STATEMENT_TIMEOUT_MS = env.int("WEB_STATEMENT_TIMEOUT_MS", 5000)
# A request that has waited and run for this long is answered without its thread (503).
WEB_DEADLINE_SECONDS = env.float("WEB_DEADLINE_SECONDS", 8)

# Together at most half a second; redis-py would try three times more, and wait in between.
REDIS_OPTIONS = {"socket_timeout": 0.2, "socket_connect_timeout": 0.2, "retry": Retry(NoBackoff(), 0)}
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "hub",
        "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient", "CONNECTION_POOL_KWARGS": REDIS_OPTIONS},
    }
}
DJANGO_REDIS_IGNORE_EXCEPTIONS = True
# What processes tell each other. The core layer drops what exceeds its capacity; redis-py 8 would end
# whoever waits for a message longer than five seconds.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "hub"},
    }
}

# --- The application ----------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "employees",
    "customers",
    "documents",
    # Before actions: a new customer is in the log before its first action.
    "realtime",
    "actions",
    "config.backoffice.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "csp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "config.middleware.RequestMiddleware",
    "config.middleware.CompressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.CommonMiddleware",
    "config.backoffice.middleware.LanguageMiddleware",
    "config.backoffice.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.backoffice.middleware.AuthenticationMiddleware",
    "config.backoffice.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = None
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = False
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
STATIC_URL = "/static/"
STATIC_ROOT = HUB_DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Files of customers: private, under random names, given out by the hub alone and under no URL of their own.
DOCUMENT_FOLDER = Path(env.str("DOCUMENT_FOLDER", "") or HUB_DATA / "documents").resolve()
S3_BUCKET = env.str("S3_BUCKET", "")
if S3_BUCKET:
    from botocore.config import Config

    STORAGES["documents"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", "") or None,
            "region_name": env.str("S3_REGION", "") or None,
            "access_key": env.str("S3_ACCESS_KEY_ID", "") or None,
            "secret_key": env.str("S3_SECRET_ACCESS_KEY", "") or None,
            "default_acl": None,
            "max_memory_size": 1_000_000,
            # By default a bucket that is away would hold a thread for minutes.
            "client_config": Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2}),
        },
    }
else:
    STORAGES["documents"] = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": DOCUMENT_FOLDER,
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }
# Called with each uploaded file, open: see documents.scanning.
DOCUMENT_SCANNER = env.str("DOCUMENT_SCANNER", "")
CLAMD_ADDRESS = env.str("CLAMD_ADDRESS", "/run/clamav/clamd.ctl")
WHITENOISE_USE_FINDERS = DEBUG
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Language, time, numbers ---------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("ar", _("Arabic")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "Asia/Riyadh"
USE_TZ = True
USE_I18N = True

# --- Who signs in ---------------------------------------------------------------------

AUTH_USER_MODEL = "employees.Employee"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name", "name_en", "phone")},
    },
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator"},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "USER_ID_CLAIM": "userId",
    "LEEWAY": 0,
}
# The client's older sign-in cannot refresh, and a demo should survive a lunch break.
LONG_ACCESS_TOKEN_LIFETIME = timedelta(hours=24)
DEMO = DEBUG and EMBEDDED_DATABASE and env.bool("HUB_DEMO", True)

# --- The back office ---------------------------------------------------------------------

# Cookies that the API never sees, of a working day; messages quote names, which a table would keep.
SESSION_COOKIE_PATH = LANGUAGE_COOKIE_PATH = "/admin/"
SESSION_COOKIE_AGE = 12 * 3600
LOGIN_REDIRECT_URL = "/admin/"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
# What its first page shows, what was done to a row, and how people sign in; named here, for it knows no app.
BACK_OFFICE = {
    "dashboard": "config.dashboard.dashboard",
    "history": "customers.history.history_of_row",
    "sign_in": "employees.forms.SignInForm",
    "password": "employees.forms.PasswordForm",
}

# --- The API ---------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["employees.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["employees.permissions.RolePermission"],
    "DEFAULT_THROTTLE_CLASSES": ["config.api.throttling.EmployeeThrottle"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parsers.SafeJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["config.api.renderers.EnvelopeRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.renderers.OneRenderer",
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.HubSchema",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "config.api.exceptions.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "NUM_PROXIES": 0,
}
RATE_LIMITS = not (DEBUG and env.str("HUB_RATE_LIMITS", "on") == "off")
ANSWER_CACHE = not (DEBUG and env.str("HUB_CACHE", "on") == "off")
MAX_JSON_BYTES = 1_000_000
# A file, and a form around it: its other fields and what stands between them.
MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_FORM_BYTES = MAX_FILE_BYTES + 1_000_000
FILE_UPLOAD_HANDLERS = ["config.api.uploads.NamelessFileHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = 10
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

SPECTACULAR_SETTINGS = {
    "TITLE": "Customers Hub API",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Customers of real-estate brokerages in the Gulf, from first inquiry to after the sale.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_NO_READ_ONLY_REQUIRED": True,
    "ENUM_NAME_OVERRIDES": {
        "Stage": "customers.choices.Stage",
        "Priority": "customers.choices.Priority",
        "Source": "customers.choices.Source",
        "ConsentPurpose": "customers.choices.ConsentPurpose",
        "ConsentStatus": "customers.choices.ConsentStatus",
        "InterestStatus": "customers.choices.InterestStatus",
        "InteractionType": "customers.choices.InteractionType",
        "AppointmentType": "customers.choices.AppointmentType",
        "AppointmentStatus": "customers.choices.AppointmentStatus",
        "ReminderType": "customers.choices.ReminderType",
        "ReminderStatus": "customers.choices.ReminderStatus",
        "RequestStatus": "customers.choices.RequestStatus",
        "Role": "employees.choices.Role",
        "ActionType": "actions.choices.ActionType",
        "ActionStatus": "actions.choices.ActionStatus",
        "Purpose": "customers.choices.Purpose",
        "Furnishing": "customers.choices.Furnishing",
        "ListingPurpose": "customers.choices.ListingPurpose",
        "ListingStatus": "customers.choices.ListingStatus",
        "ListingFurnishing": "customers.choices.LISTING_FURNISHING",
        "DocumentType": "documents.choices.DocumentType",
    },
}

# --- What a browser may do ----------------------------------------------------------------

_DEVELOPMENT_ORIGINS = ["http://localhost:3000", "http://127.0.0.1:3000"]
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", _DEVELOPMENT_ORIGINS if DEBUG else [])
CORS_URLS_REGEX = r"^/(api|v1)/"
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [
    "accept",
    "accept-language",
    "authorization",
    "cache-control",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-range",
    "pragma",
    "range",
    "x-organization-id",
    "x-request-id",
    "x-requested-with",
]
CORS_EXPOSE_HEADERS = [
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotent-Replayed",
    "Last-Modified",
    "Location",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
]
# What links in answers begin with; without it, what the request came by.
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "base-uri": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# How many proxies of ours stand in front: X-Forwarded-For is believed that far and no further.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
# Answers are compressed here where no proxy of ours does it.
COMPRESS = env.bool("COMPRESS", not TRUSTED_PROXIES)
if not DEBUG:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# W008: the TLS proxy redirects to https. A redirect here would lose the body and the
# Authorization header of API calls, and would break health checks inside the network.
SILENCED_SYSTEM_CHECKS = ["security.W008"]

# --- Jobs ------------------------------------------------------------------------------------

_TCP = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
TCP_OPTIONS = {getattr(socket, name): value for name, value in _TCP.items() if hasattr(socket, name)}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # None on purpose: a worker whose acknowledgement timed out once takes no message again. Requests never publish;
    # a server that vanishes without a word is found out by TCP.
    "socket_timeout": None,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "socket_keepalive_options": TCP_OPTIONS,
    "global_keyprefix": "hub:",
    # What a killed worker had in hand goes to another after this: longer than any task may run, or it would run twice.
    "visibility_timeout": 1200,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A Redis that refuses writes (a replica, no memory left, a full disk) is waited for like one that is away.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "prune sessions": {"task": "employees.tasks.prune_sessions", "schedule": timedelta(hours=6)},
    "prune idempotency keys": {"task": "config.tasks.prune_idempotency_keys", "schedule": crontab(minute=27)},
    "heartbeat": {"task": "config.tasks.heartbeat", "schedule": timedelta(minutes=1)},
    "wake snoozed actions": {"task": "actions.tasks.wake_snoozed", "schedule": timedelta(minutes=1)},
    "surface what comes due": {"task": "actions.tasks.surface_due", "schedule": timedelta(minutes=1)},
    "surface what ends soon": {"task": "actions.tasks.surface_expiring", "schedule": crontab(minute=7)},
    "recommend actions": {"task": "actions.tasks.recommend", "schedule": timedelta(minutes=5)},
    "fold action counts": {"task": "actions.tasks.fold_counts", "schedule": timedelta(minutes=1)},
    "fold customer counts": {"task": "customers.tasks.fold_counts", "schedule": timedelta(minutes=1)},
    "refresh action counts": {"task": "actions.tasks.refresh_stats", "schedule": crontab(hour=2, minute=40)},
    "refresh customer counts": {"task": "customers.tasks.refresh_stats", "schedule": crontab(hour=3, minute=10)},
    "purge id copies": {"task": "documents.tasks.purge_id_copies", "schedule": crontab(hour=4, minute=10)},
    "sweep files": {"task": "documents.tasks.sweep_files", "schedule": crontab(hour=4, minute=40)},
    "purge deleted customers": {"task": "customers.tasks.purge_deleted", "schedule": crontab(hour=4, minute=25)},
    "prune events": {"task": "realtime.tasks.prune_events", "schedule": crontab(minute=17)},
    "match what has changed": {"task": "customers.tasks.match_waiting", "schedule": timedelta(minutes=1)},
    "run transfers": {"task": "customers.tasks.run_transfers", "schedule": timedelta(seconds=3)},
    "prune transfers": {"task": "customers.tasks.prune_transfers", "schedule": crontab(minute=37)},
    "prune merge snapshots": {"task": "customers.tasks.prune_merge_snapshots", "schedule": crontab(minute=47)},
    "score touched customers": {"task": "customers.tasks.score_touched", "schedule": timedelta(minutes=2)},
    "score all customers": {"task": "customers.tasks.score_everybody", "schedule": crontab(hour=1, minute=20)},
    "prune lead scores": {"task": "customers.tasks.prune_lead_scores", "schedule": crontab(hour=3, minute=55)},
    "prune recommendations": {"task": "actions.tasks.prune_recommendations", "schedule": crontab(hour=4, minute=55)},
    "train lead models": {
        "task": "customers.tasks.train_lead_models",
        "schedule": crontab(day_of_week=5, hour=2, minute=10),
    },
    "prune words of names": {"task": "customers.tasks.prune_name_words", "schedule": crontab(hour=3, minute=40)},
}
# A message that has waited for longer finds a newer one behind it: a day without workers leaves no heap. Half a minute
# is for workers that lag behind: with less, each message would be too old when they come to it.
for _entry in CELERY_BEAT_SCHEDULE.values():
    _when = _entry["schedule"]
    if isinstance(_when, timedelta):
        _entry["options"] = {"expires": max(_when.total_seconds(), 30)}
    else:
        _entry["options"] = {"expires": 3600 if len(_when.hour) == 24 else 12 * 3600}

# --- Logs -----------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "config.logging.RequestContext"}},
    "formatters": {"json": {"()": "config.logging.JSONFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["request"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own lines carry paths and reprs of data; ours say what an operator needs.
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.server": {"level": "WARNING"},
    },
}
