"""All checks of lead intelligence, in the order of the report; each leaves the database as it was."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

from django.db import transaction

from customers.scoring.verification import Row

# Modules of this package, each with `rows(say)`: a generator of Rows that tells `say` what it is about to do.
NAMES = ("points", "histories", "backtest", "fairness", "gate", "stability", "closing", "matching", "processes")
# Scripts that fill a large brokerage, print what they measure, and end with 1 where it takes too long.
BENCHMARKS = ("lead_scores", "matching")
_HOME = Path(__file__).resolve().parents[3]


def run(only=None, *, with_speed=False, say=lambda text: None):
    """Yields the Rows of all checks, or of one."""
    for name in [only] if only else NAMES:
        say(name)
        with transaction.atomic():
            yield from import_module(f"{__package__}.{name}").rows(say)
            transaction.set_rollback(True)
    for name in BENCHMARKS if with_speed else ():
        say(name)
        yield _benchmark(name)


def _benchmark(name):
    script = subprocess.run([sys.executable, _HOME / "benchmarks" / f"{name}.py"], capture_output=True, text=True)
    lines = (script.stdout.strip() or script.stderr.strip()).splitlines()
    measured = "; ".join(" ".join(line.split()) for line in lines if " of " in line)
    return Row(f"speed: {name}", measured or "".join(lines[-1:]), "within limits", script.returncode == 0)
