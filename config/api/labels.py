"""Enums and notices as people read them, in both languages whatever the language of the request."""

from functools import cache

from django.utils import translation


@cache
def labels_of(choices):
    """`{word: {"label": in Arabic, "labelEn": in English}}` of an enum, in its order."""
    return {word: {"label": text_in("ar", label), "labelEn": text_in("en", label)} for word, label in choices.choices}


def notice(code, field, message):
    """Something that speaks against what a field says, as `{code, field, message, messageAr}`.

    The lazy `message` stands there in the language of the request, and in Arabic whatever that is.
    """
    return {"code": code, "field": field, "message": str(message), "messageAr": text_in("ar", message)}


def text_in(language, text):
    """A lazy text in one language, whatever the language of the request."""
    with translation.override(language):
        return str(text)
