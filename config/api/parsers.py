"""JSON from outside: bounded, unambiguous, and safe to hand to PostgreSQL."""

import json
import math

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from config.api.exceptions import PayloadTooLarge

MAX_DEPTH = 32
MAX_INTEGER = 2**63


def _without_duplicates(pairs):
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ParseError(_("The JSON body names the same key twice"))
    return unique


def _integer(digits):
    if len(digits) > 20 or not -MAX_INTEGER <= int(digits) < MAX_INTEGER:
        raise ParseError(_("The JSON body holds a number that is too large"))
    return int(digits)


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ParseError(_("The JSON body holds a number that is too large"))
    return number


def _refuse_constant(_name):
    raise ParseError(_("NaN and Infinity are not JSON"))


def check_text(text):
    """Refuse what PostgreSQL cannot store: NUL and lone surrogates."""
    if "\0" in text or not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise ParseError(_("The request holds characters that are not text"))


def _check(value, depth=0):
    if depth > MAX_DEPTH:
        raise ParseError(_("The JSON body is nested too deeply"))
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_text(key)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)


def safe_json(text):
    """The value of a JSON text, or ParseError (400): at most 32 deep, no key twice, integers in 64 bits."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ParseError(_("The JSON body is nested too deeply")) from None
    except (ValueError, UnicodeDecodeError):
        raise ParseError(_("The body is not valid JSON")) from None
    _check(value)
    return value


class SafeJSONParser(BaseParser):
    """A JSON object of at most MAX_JSON_BYTES; an empty body is an empty object."""

    media_type = "application/json"
    max_bytes = settings.MAX_JSON_BYTES

    def parse(self, stream, media_type=None, parser_context=None):
        body = stream.read(self.max_bytes + 1)
        if len(body) > self.max_bytes:
            raise PayloadTooLarge
        if not body.strip():
            return {}
        value = safe_json(body)
        if not isinstance(value, dict):
            raise ParseError(_("The body must be a JSON object"))
        return value


class ShortJSONParser(SafeJSONParser):
    """The same for questions: what is longer than this asks for nothing that anybody means."""

    max_bytes = 100_000
