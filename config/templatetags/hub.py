"""What the pages of the back office show in ways of their own: numbers, and what hangs on a row."""

from django import template
from django.contrib import admin
from django.contrib.admin.utils import display_for_field, display_for_value, label_for_field, lookup_field, quote
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

register = template.Library()


# Three digits of it are told.
_UNITS = ((10**9, _("%(number)s bn")), (10**6, _("%(number)s m")), (10**3, _("%(number)s k")))


@register.filter
def grouped(number):
    """1513000 as "1,513,000"."""
    return number_format(number, force_grouping=True)


@register.filter
def in_short(amount):
    """1334000000 as "1.33 bn"."""
    for unit, text in _UNITS:
        number = amount / unit
        if number >= 0.9995:
            digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
            told = f"{number:.{digits}f}"
            return text % {"number": grouped(told.rstrip("0").rstrip(".") if digits else told)}
    return grouped(round(amount))


@register.filter
def model_name(model):
    return model._meta.model_name


@register.simple_tag
def related_rows(inline, parent):
    """The newest rows of a HubInline: `{labels, rows: [{url, cells}], more, all_url}`."""
    rows, more = inline.rows_of(parent)
    registered = admin.site._registry.get(inline.model)
    name = f"{inline.opts.app_label}_{inline.opts.model_name}"
    return {
        "labels": [capfirst(label_for_field(column, inline.model, inline)) for column in inline.columns],
        "rows": [
            {
                "url": registered and reverse(f"admin:{name}_change", args=[quote(row.pk)]),
                "cells": [_cell(column, row, inline) for column in inline.columns],
            }
            for row in rows
        ],
        "more": more,
        "all_url": registered and f"{reverse(f'admin:{name}_changelist')}?{inline.parameter or inline.fk}={parent.pk}",
    }


def _cell(column, row, inline):
    field, _attribute, value = lookup_field(column, row, inline)
    if field is None:
        return display_for_value(value, "–")
    return display_for_field(value, field, "–")
