"""Settings of the tests: the hub's own, on servers of their own in a temporary folder, which end with the tests.

Nothing of the developer's environment or .env reaches the tests, except
HUB_TEST_DATABASE_URL (of a superuser) and HUB_TEST_REDIS_URL, which name servers to use instead.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from config import embedded

_data = Path(tempfile.mkdtemp(prefix="hub-test-")).resolve()
# As root, PostgreSQL runs as another user who must pass through; what lies inside is closed by itself.
_data.chmod(0o711)
(_data / "static").mkdir()
# What the environment sets, even to nothing, is not read from .env.
os.environ |= {
    "DEBUG": "true",
    "HUB_DATA": str(_data),
    "DATABASE_URL": os.environ.get("HUB_TEST_DATABASE_URL", ""),
    "REDIS_URL": os.environ.get("HUB_TEST_REDIS_URL", ""),
    "SECRET_KEY": "",
    "JWT_SIGNING_KEY": "",
    "ALLOWED_HOSTS": "*",
    "CORS_ALLOWED_ORIGINS": "http://localhost:3000",
    "HUB_DEMO": "true",
    # Tests call more often than people do; those of the limits turn them on.
    "HUB_CACHE": "on",
    "HUB_RATE_LIMITS": "off",
    "LOG_LEVEL": "INFO",
    "TRUSTED_PROXIES": "0",
    "PUBLIC_URL": "",
    "DOCUMENT_FOLDER": "",
    "DOCUMENT_SCANNER": "",
    "S3_BUCKET": "",
    "WEB_STATEMENT_TIMEOUT_MS": "5000",
}

from config.settings import *

# Patiently, unlike the hub: a busy machine is no failure of a test.
DATABASES["default"]["OPTIONS"]["connect_timeout"] = 20
REDIS_OPTIONS |= {"socket_timeout": 20, "socket_connect_timeout": 20}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _end():
    embedded.stop(_data)
    shutil.rmtree(_data, ignore_errors=True)


atexit.register(_end)
if EMBEDDED_DATABASE or EMBEDDED_REDIS:
    embedded.start(_data, database=EMBEDDED_DATABASE, redis=EMBEDDED_REDIS, fast=True)
