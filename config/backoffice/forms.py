"""Forms that are declared by the API's bodies: what REST takes for a field, and says against it, the Admin does too."""

import re
from datetime import date, datetime, time
from decimal import Decimal

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget, AutocompleteSelect
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Manager
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import APIException

from config.api.exceptions import error_of, field_errors
from config.api.serializers import (
    ClockField,
    CoordinateField,
    DayField,
    LocalDayField,
    MomentField,
    PhoneField,
    TextField,
)
from config.db import PreconditionFailed

# What is written from left to right wherever it stands: `966…+` is what a phone becomes otherwise.
_LEFT_TO_RIGHT = (
    PhoneField,
    serializers.EmailField,
    serializers.URLField,
    serializers.DecimalField,
    serializers.IntegerField,
    DayField,
    MomentField,
    ClockField,
    CoordinateField,
)
_LONG = 400
# What a service says instead of writing; everything else is a defect.
REFUSALS = (ValidationError, APIException, PermissionDenied, PreconditionFailed, ObjectDoesNotExist)


class ServiceForm(forms.ModelForm):
    """The fields of a serializer as a form; its `values` are for the service that writes the model.

    Only what somebody has changed on the page counts: an edit that others make meanwhile of another field stays, and
    of the same field is said first. A `refusal`, which the service has raised for these values, is shown at the
    fields it names.
    """

    serializer_class, request, refusal = None, None, None

    def __init__(self, *args, initial=None, instance=None, **options):
        shown = _shown(self.serializer_class(), instance or self._meta.model())
        super().__init__(*args, initial=shown | (initial or {}), instance=instance, **options)
        for name, field in self.fields.items():
            field.show_hidden_initial = not self.instance._state.adding
            if hasattr(field, "choices_of"):
                field.choices = field.choices_of(self.request, self.instance)
            elif isinstance(field, RowField):
                field.queryset = field.rooms.get_model_admin(field.queryset.model).get_queryset(self.request)
            elif isinstance(field, forms.ChoiceField) and not self.instance._state.adding:
                field.choices = with_present(field.choices, shown.get(name), shown.get(name) or "---------")

    def _clean_fields(self):
        """Have the serializer say what the texts of the form mean."""
        is_new = self.instance._state.adding
        # Inlines add fields of their own, which no serializer knows.
        names = [name for name in self.base_fields if is_new or name in self.changed_data]
        body, self.cleaned_data = {}, {}
        for name in names:
            value = _as_json(self.fields[name], self[name].data)
            if is_new and value in ("", [], None):
                continue  # left empty: the default of the model
            _put(body, name, value)
        instance = None if is_new else self.instance
        serializer = self.serializer_class(instance, data=body, partial=not is_new, context={"request": self.request})
        self.values = {}
        if serializer.is_valid():
            self.values = serializer.validated_data
            is_mine = self.refusal and getattr(self.refusal, "prefix", None) == self.prefix
            complaints = complaints_of(self.refusal, self.request) if is_mine else []
        else:
            complaints = field_errors(serializer.errors)
        for complaint in complaints:
            name = complaint["field"]
            self.add_error(name if name in self.fields else None, complaint["message"])
        if not is_new:
            self._tell_of_others(names)

    def _tell_of_others(self, names):
        """Refuse fields that somebody else has changed since the page was shown; sent once more, they count."""
        for name in names:
            bound, field = self[name], self.fields[name]
            present = _said(field, bound.initial)
            if bound.html_initial_name not in self.data:
                continue
            if present in (_said(field, self.data[bound.html_initial_name]), _said(field, bound.data)):
                continue
            words = dict(field.choices) if type(field) is forms.ChoiceField else {}
            self.add_error(name, _CHANGED_MEANWHILE % {"value": words.get(present, present) or "–"})
            self.data = self.data.copy()
            self.data[bound.html_initial_name] = present

    def _clean_form(self):
        """The serializer has seen the form as a whole."""

    def _post_clean(self):
        """The service checks the row, under its lock."""

    def save(self, commit=True):
        """The row as it is: the service writes it."""
        return self.instance

    def save_m2m(self):
        """Nothing is left to save."""


def complaints_of(refusal, request):
    """What a service has said against a change, as `{field, message}`; the same that the API answers."""
    _status, error = error_of(refusal, request=request)
    details = error.get("details")
    if isinstance(details, list):
        return [{"field": detail.get("field", ""), "message": detail["message"]} for detail in details]
    return [{"field": (details or {}).get("field", ""), "message": error["message"]}]


def form_of(serializer_class, model, *, without=(), labels=None, choices=None, rows=None):
    """A ServiceForm with the fields of a serializer: nested ones by dotted names, labels by the model.

    `labels` names what is no column, `choices` maps fields to functions of the request that give their choices, and
    `rows` those that name a row of another model to the column that points there: it is looked for by typing.
    """
    fields = dict(_fields(serializer_class(), model, labels or {}, without))
    for name, column in (rows or {}).items():
        if name in fields:
            fields[name] = RowField(model._meta.get_field(column), required=fields[name].required)
    for name, choices_of in (choices or {}).items():
        if name not in fields:
            continue
        fields[name] = forms.ChoiceField(label=fields[name].label, required=fields[name].required)
        fields[name].choices_of = choices_of
    return type(
        f"{model.__name__}Form",
        (ServiceForm,),
        {**fields, "serializer_class": serializer_class, "Meta": type("Meta", (), {"model": model, "fields": ()})},
    )


def with_present(choices, value, label):
    """Choices and, where it is none of them, what a row has today: a browser would send the first one instead."""
    value = "" if value is None else value
    return choices if str(value) in {str(word) for word, _label in choices} else [*choices, (value, label)]


def _fields(serializer, model, labels, without, prefix=""):
    for name, field in serializer.fields.items():
        path = f"{prefix}{name}"
        is_fixed = path in without or field.read_only
        if is_fixed or isinstance(field, (serializers.ListSerializer, serializers.DictField)):
            continue
        if isinstance(field, serializers.Serializer):
            yield from _fields(field, None, labels, without, f"{path}.")
            continue
        column = _column(model, field.source)
        label = labels.get(path) or capfirst(column.verbose_name if column is not None else path)
        yield path, _form_field(field, label, column)


def _column(model, source):
    try:
        column = model and model._meta.get_field(source)
    except FieldDoesNotExist:
        return None
    return column if column and column.concrete else None


def _form_field(field, label, column):
    options = {"label": label, "required": field.required, "help_text": getattr(column, "help_text", "")}
    if isinstance(field, serializers.FileField):
        return forms.FileField(**options)
    if isinstance(field, serializers.BooleanField) and field.allow_null and (column is None or column.null):
        return forms.ChoiceField(choices=_MAYBE, **options)
    if isinstance(field, serializers.BooleanField):
        return forms.BooleanField(label=label, required=False, help_text=options["help_text"])
    if isinstance(field, serializers.ChoiceField):
        words = dict(column.flatchoices) if column is not None and column.choices else dict(field.choices)
        given = [(word, words.get(word, label)) for word, label in field.choices.items() if word != ""]
        may_be_empty = not field.required and (column is None or column.blank or column.null)
        return forms.ChoiceField(choices=[("", "---------"), *given] if may_be_empty else given, **options)
    options["strip"] = False
    if isinstance(field, serializers.ListField):
        options["help_text"] = options["help_text"] or _SEPARATED
        return ListField(**options)
    return forms.CharField(widget=_widget(field), **options)


def _widget(field):
    if isinstance(field, (DayField, LocalDayField)):
        return AdminDateWidget(attrs={"dir": "ltr"})
    if isinstance(field, MomentField):
        return forms.DateTimeInput(attrs={"type": "datetime-local", "dir": "ltr"}, format="%Y-%m-%dT%H:%M")
    if isinstance(field, ClockField):
        return forms.TextInput(attrs={"type": "time", "dir": "ltr"})
    if isinstance(field, TextField) and (field.multiline or (field.max_length or 0) > _LONG):
        return forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})
    attrs = {"class": "vTextField"}
    if isinstance(field, _LEFT_TO_RIGHT):
        attrs["dir"] = "ltr"
    if isinstance(field, (serializers.DecimalField, serializers.IntegerField)):
        attrs["inputmode"] = "decimal"
    return forms.TextInput(attrs=attrs)


_CHANGED_MEANWHILE = _("Changed meanwhile to “%(value)s”. Save again to replace that by yours.")
_SEPARATED = _("Several are separated by commas")
_MAYBE = [("", "---------"), ("True", _("Yes")), ("False", _("No"))]


class RowField(forms.ModelChoiceField):
    """A row of another model, which the person looks for among those that its list shows them."""

    rooms = admin.site

    def __init__(self, column, *, required):
        rows, label = column.remote_field.model._base_manager.none(), capfirst(column.verbose_name)
        widget = AutocompleteSelect(column, self.rooms)
        super().__init__(rows, label=label, required=required, widget=widget)


class ListField(forms.CharField):
    """Several texts in one line, with Arabic or other commas between them."""

    widget = forms.TextInput(attrs={"class": "vTextField"})
    separator = re.compile("[,،;؛\n]")

    def as_json(self, text):
        return [part.strip() for part in self.separator.split(text or "") if part.strip()]

    def prepare_value(self, value):
        return "، ".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def _said(field, value):
    """A value of a field as one text, whether it is a row's or what a browser has sent."""
    if isinstance(field, forms.BooleanField):
        return str(field.to_python(value))
    text = field.prepare_value(value)
    return "" if text is None else str(text).replace("\r\n", "\n").strip()


def _as_json(field, data):
    """What somebody typed as the API would have sent it."""
    if isinstance(field, ListField):
        return field.as_json(data)
    if isinstance(field, forms.BooleanField):
        return bool(data)
    if isinstance(data, str) and not isinstance(field.widget, forms.Textarea):
        return data.strip()
    return data


def _put(body, path, value):
    """Set a value at a dotted path; a field that was emptied is null where null clears."""
    *parents, name = path.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[name] = None if parents and value in ("", []) else value


def _shown(serializer, row, prefix=""):
    """`{dotted name: text}` of a row, or of a document in it, as the form shows it."""
    texts = {}
    for name, field in serializer.fields.items():
        value = row.get(name) if isinstance(row, dict) else getattr(row, field.source, None)
        if isinstance(field, serializers.Serializer):
            texts |= _shown(field, value or {}, f"{prefix}{name}.")
        else:
            texts[f"{prefix}{name}"] = _text_of(value)
    return texts


def _text_of(value):
    if isinstance(value, Manager):
        return None  # rows of their own, to which what is typed is added
    if isinstance(value, (Decimal, float)):
        return f"{Decimal(str(value)).normalize():f}"
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return value
