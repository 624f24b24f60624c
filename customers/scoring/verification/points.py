"""The documented points: what they add up to, that more is never worth less, and what they are never made of."""

import ast
import inspect
import re

from customers.scoring import features, scorecard
from customers.scoring.features import Facts
from customers.scoring.scorecard import FEATURES, FORBIDDEN
from customers.scoring.verification import Row

_COLUMN = re.compile(r"\b[a-z_]+\b")


def rows(say):
    most = sum(max(feature.points) for feature in FEATURES)
    yield Row("maxima of the points", str(most), "100", most == 100)
    falling = [
        feature.name
        for feature in FEATURES
        if feature.is_ordinal and any(b < a for a, b in zip(feature.points, feature.points[1:], strict=False))
    ]
    yield Row("ordinal features whose points fall", ", ".join(falling) or "0", "0", not falling)
    found = forbidden_inputs()
    yield Row("forbidden inputs", ", ".join(found) or "0", "0", not found)


def forbidden_inputs():
    """Names of FORBIDDEN that the features read: as a fact, or as a column of their statement."""
    return sorted(FORBIDDEN & (inputs_of_scorecard() | inputs_of_statement() | set(Facts._fields)))


def inputs_of_scorecard():
    """Attributes that the code of the scorecard reads off the facts."""
    nodes = ast.walk(ast.parse(inspect.getsource(scorecard)))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "facts"}


def inputs_of_statement():
    """Words of the statement that features are read by, those of its own comments and texts left out."""
    return set(_COLUMN.findall(features._SQL.lower()))
