"""Production settings: complete and safe, or the process does not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SAFE = {
    "DEBUG": "false",
    "SECRET_KEY": "kPq7-a-secret-of-its-own-3x9Zv-and-more-than-fifty-characters",
    "JWT_SIGNING_KEY": "Wm2t-another-secret-just-for-tokens-8Yb4r",
    "ALLOWED_HOSTS": "hub.example.com",
    "DATABASE_URL": "postgresql://hub:x@db.example.com/hub",
    "REDIS_URL": "redis://cache.example.com/0",
}


def manage(*words, **environment):
    """`manage.py` in a process of its own, with nothing of this one's environment but the path."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_deployment_check_is_clean():
    result = manage("check", "--deploy", "--fail-level", "WARNING", **SAFE)
    assert result.returncode == 0, result.stderr
    assert "no issues (1 silenced)" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SECRET_KEY", "", "SECRET_KEY must be set"),
        ("SECRET_KEY", "short", "SECRET_KEY must be set"),
        ("JWT_SIGNING_KEY", "", "JWT_SIGNING_KEY must be set"),
        ("JWT_SIGNING_KEY", SAFE["SECRET_KEY"], "JWT_SIGNING_KEY must differ"),
        ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS must name"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS must name"),
        ("DATABASE_URL", "", "DATABASE_URL and REDIS_URL must be set"),
        ("REDIS_URL", "", "DATABASE_URL and REDIS_URL must be set"),
        ("DEBUG", "maybe", "DEBUG"),
    ],
)
def test_it_refuses_to_start_unsafe_and_says_why_in_one_line(name, value, complaint):
    result = manage("check", **SAFE | {name: value})
    assert result.returncode == 1
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
