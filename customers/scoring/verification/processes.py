"""What training costs, and who does not pay for it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from customers.scoring.learning.fitting import fit
from customers.scoring.learning.rows import Rows
from customers.scoring.verification import Row
from customers.scoring.verification.backtest import BROKERAGES
from customers.scoring.verification.models import simulated

_ROWS, _MOST_SECONDS = 40_000, 5
_HOME = Path(__file__).resolve().parents[3]
_WEB = """
import sys
import config.asgi
from django.urls import get_resolver

def visit(resolver):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            visit(pattern)

visit(get_resolver())
sys.exit("numpy" in sys.modules)
"""


def rows(say):
    say(f"training on {_ROWS} rows")
    many = _joined([simulated(*brokerage).rows for brokerage in BROKERAGES])
    many = many[np.arange(len(many)) < _ROWS]
    begun = time.perf_counter()
    fit(many)
    seconds = time.perf_counter() - begun
    yield Row(f"speed: training on {len(many)} rows", f"{seconds:.1f} s", "≤ 5 s", seconds <= _MOST_SECONDS)
    say("a web process")
    web = subprocess.run(
        [sys.executable, "-c", _WEB], cwd=_HOME, env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True, text=True,
    )  # fmt: skip
    told = {0: "no", 1: "yes"}.get(web.returncode, f"ended with {web.returncode}")
    if "Traceback" in web.stderr:
        told = web.stderr.strip().splitlines()[-1]
    yield Row("a web process imports numpy", told, "no", web.returncode == 0)


def _joined(parts):
    """The rows of several brokerages as those of one."""
    arrays = {name: np.concatenate([getattr(rows, name) for rows in parts]) for name in ("bins", "won", "days", "ages")}
    customers = [rows.customers + 1_000_000 * number for number, rows in enumerate(parts)]
    return Rows(**arrays, customers=np.concatenate(customers))
