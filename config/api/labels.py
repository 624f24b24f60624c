"""Enums as people read them, in both languages whatever the language of the request."""

from functools import cache

from django.utils import translation


@cache
def labels_of(choices):
    """`{word: {"label": in Arabic, "labelEn": in English}}` of an enum, in its order."""
    return {word: {"label": _in("ar", label), "labelEn": _in("en", label)} for word, label in choices.choices}


def _in(language, label):
    with translation.override(language):
        return str(label)
