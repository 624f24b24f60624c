"""Every message of ours is there in Arabic, and the compiled catalogue is the one that was written."""

import re
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.utils import translation
from django.utils.translation.template import templatize

from config.backoffice.forms import form_of

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "config" / "locale" / "ar" / "LC_MESSAGES"
PACKAGES = ("config", "employees", "customers", "actions", "documents", "realtime")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
}


def messages_in_the_code():
    for package in PACKAGES:
        methods = [("**/tests/**", "ignore"), ("**.py", "python")]
        for _file, _line, message, *_rest in extract_from_dir(ROOT / package, methods, {}, KEYWORDS):
            yield message if isinstance(message, str) else message[0]


def messages_in_the_templates():
    """Django's own words count as translated: the catalogue is ours."""
    for path in (ROOT / "templates").rglob("*.html"):
        code = BytesIO(templatize(path.read_text()).encode())
        for _line, message, *_rest in extract("python", code, KEYWORDS, options={"encoding": "utf-8"}):
            text = message if isinstance(message, str) else message[0]
            with translation.override("ar"):
                if translation.gettext(text) == text:
                    yield text


def words_of(model_admin):
    """What the pages of a model call it, its columns, fields, filters and buttons."""
    model = model_admin.model
    yield from (model._meta.verbose_name, model._meta.verbose_name_plural, model._meta.app_config.verbose_name)
    yield from (label_for_field(column, model, model_admin) for column in model_admin.list_display)
    yield from (spec.title for spec in model_admin.list_filter if not isinstance(spec, str))
    yield from (label for _function, _name, label in model_admin._get_base_actions())
    yield from (title for title, _options in model_admin.fieldsets or ())
    for owner in (model_admin, *(inline(model, admin.site) for inline in model_admin.inlines)):
        yield from (label_for_field(column, owner.model, owner) for column in getattr(owner, "columns", ()))
        for name in ("serializer_class", "new_serializer_class"):
            if declared := getattr(owner, name, None):
                for field in form_of(declared, owner.model, **owner.form_options).base_fields.values():
                    yield from (field.label, field.help_text)


def test_what_the_back_office_calls_things_is_arabic_in_arabic():
    names = re.compile(r"CSV|Excel|xlsx|ISO|%\(\w+\)s")
    with translation.override("ar"):
        found = {
            f"{model.__name__}: {word}"
            for model, model_admin in admin.site._registry.items()
            for word in words_of(model_admin)
            if re.search("[A-Za-z]{2}", names.sub("", str(word or "")))
        }
        found |= {str(app.verbose_name) for app in map(apps.get_app_config, PACKAGES) if app.verbose_name.isascii()}
    assert found == set()


def test_every_message_is_translated():
    with (CATALOGUE / "django.po").open("rb") as file:
        translated = {
            message.id if isinstance(message.id, str) else message.id[0]
            for message in read_po(file)
            if message.id and (message.string if isinstance(message.string, str) else all(message.string))
        }
    messages = {message for message in (*messages_in_the_code(), *messages_in_the_templates()) if message}
    assert len(messages) > 150
    assert messages - translated == set()


def key_of(message):
    return message.id if isinstance(message.id, str) else message.id[0]


def told_by(message):
    return message.string if isinstance(message.string, str) else tuple(message.string)


def test_the_compiled_catalogue_is_current():
    with (CATALOGUE / "django.po").open("rb") as po, (CATALOGUE / "django.mo").open("rb") as mo:
        written = {key_of(message): told_by(message) for message in read_po(po) if message.id and message.string}
        compiled = {key_of(message): told_by(message) for message in read_mo(mo) if message.id}
    assert compiled == {id_: text for id_, text in written.items() if isinstance(text, str) or all(text)}
