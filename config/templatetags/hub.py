"""What hangs on a row, as its page in the back office shows it."""

from django import template
from django.contrib import admin
from django.contrib.admin.utils import display_for_field, display_for_value, label_for_field, lookup_field, quote
from django.urls import reverse
from django.utils.text import capfirst

register = template.Library()


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
        "all_url": registered and f"{reverse(f'admin:{name}_changelist')}?{inline.fk}={parent.pk}",
    }


def _cell(column, row, inline):
    field, _attribute, value = lookup_field(column, row, inline)
    if field is None:
        return display_for_value(value, "–")
    return display_for_field(value, field, "–")
