"""Enums and notices as people read them, in both languages whatever the language of the request."""

from functools import cache

from django.utils import translation


@cache
def labels_of(choices):
    """`{word: {"label": in Arabic, "labelEn": in English}}` of an enum, in its order."""
    return {word: {"label": _in("ar", label), "labelEn": _in("en", label)} for word, label in choices.choices}


def notice(code, field, message):
    """Something that speaks against what a field says, as `{code, field, message, messageAr}`; `message` is lazy."""
    return {"code": code, "field": field, "message": _in("en", message), "messageAr": _in("ar", message)}


def _in(language, label):
    with translation.override(language):
        return str(label)
