"""Every message of ours is there in Arabic, and the compiled catalogue is the one that was written."""

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "config" / "locale" / "ar" / "LC_MESSAGES"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
}


def messages_in_the_code():
    for package in ("config", "employees", "customers", "templates"):
        methods = [("**/tests/**", "ignore"), ("**.py", "python")]
        for _file, _line, message, *_rest in extract_from_dir(ROOT / package, methods, {}, KEYWORDS):
            yield message if isinstance(message, str) else message[0]


def test_every_message_is_translated():
    with (CATALOGUE / "django.po").open("rb") as file:
        translated = {
            message.id if isinstance(message.id, str) else message.id[0]
            for message in read_po(file)
            if message.id and (message.string if isinstance(message.string, str) else all(message.string))
        }
    messages = {message for message in messages_in_the_code() if message}
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
