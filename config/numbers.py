"""What Saudi numbers and Gulf dates mean to the hub, as people write them: phones, identities, days, amounts.

Pure functions without state in the database. Everything that refuses does so with Django's
ValidationError, and with nothing else, whatever text it is given.
"""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from hijridate import Hijri
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from config.arabic import INVISIBLE, ascii_digits, clean_text, fold_text


def _typed(raw):
    """What a person meant to type as a number: compatibility forms and digits made plain, invisible characters gone."""
    text = str(raw)
    if not text.isascii():
        text = INVISIBLE.sub("", ascii_digits(unicodedata.normalize("NFKC", text)))
    return text.strip()


# Phone numbers

INVALID_SAUDI_PHONE = _("Invalid Saudi phone number format")
INVALID_PHONE = _("Invalid phone number format")

# libphonenumber's pattern of Saudi mobiles (9.0.42: there is no 052), behind each way to write the prefix. Nearly all
# numbers of the hub are one of these, and libphonenumber takes tens of times as long to say so.
_SAUDI_MOBILE = re.compile(r"(?:(?:\+|00)?966)?0?(5(?:[013-689][0-9]|7[0-8])[0-9]{6}|579[0-8][0-9]{5})").fullmatch
_PHONE_LINK = re.compile(r"(?:tel|whatsapp):|(?:https?://)?wa\.me/", re.IGNORECASE)
_NOT_IN_PHONES = re.compile(r"[^0-9+\s().\-/\u2010-\u2015]")
_NOT_DIALLED = re.compile(r"[^0-9+]+")
_DIALLED = re.compile(r"\+?[0-9]{7,15}").fullmatch
_LONGEST_PHONE_TEXT = 64
_MOBILE_TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def phone_e164(raw, *, mobile_only=False):
    """Return a phone number as E.164 ("+966512345678"); without a country code it is read as Saudi.

    Accepts digits of any script, spaces, dashes, brackets, invisible marks, +, 00 or nothing
    before 966, and links (tel:, whatsapp:, wa.me/). `mobile_only` refuses landlines, for
    WhatsApp. Raises ValidationError with code "phone", which speaks of a Saudi number
    unless the text begins with another country's code.
    """
    text = str(raw)
    mobile = _SAUDI_MOBILE(text)
    if mobile:
        return "+966" + mobile[1]

    text = _typed(text[: _LONGEST_PHONE_TEXT + 1])
    link = _PHONE_LINK.match(text)
    text = text[link.end() :] if link else text
    dialled = _NOT_DIALLED.sub("", text)
    if dialled.startswith("00"):
        dialled = "+" + dialled[2:]
    if len(text) <= _LONGEST_PHONE_TEXT and not _NOT_IN_PHONES.search(text):
        mobile = _SAUDI_MOBILE(dialled)
        if mobile:
            return "+966" + mobile[1]
        if _DIALLED(dialled):
            try:
                number = phonenumbers.parse(dialled, "SA")
            except phonenumbers.NumberParseException:
                number = None
            if number and phonenumbers.is_valid_number(number):
                if not mobile_only or phonenumbers.number_type(number) in _MOBILE_TYPES:
                    return phonenumbers.format_number(number, PhoneNumberFormat.E164)

    is_foreign = dialled.startswith("+") and not dialled.startswith("+966")
    raise ValidationError(INVALID_PHONE if is_foreign else INVALID_SAUDI_PHONE, code="phone")


_PHONE_SEARCH = re.compile(r"[0-9\s+().\-\u2010-\u2015]+").fullmatch
_NOT_DIGITS = re.compile(r"[^0-9]+")
_SEARCH_PREFIX = re.compile(r"(?:00966|966|00)?0?")


def phone_search_digits(text):
    """Return the digits to look for inside stored E.164 numbers, or None when the text is no part of a phone number.

    The prefixes that E.164 writes differently are left off: "0512", "+966 512" and "00966512"
    all give "512"; of few digits after it the country's code stays, "+9665" gives "9665". At least four
    digits must be typed, else a search would match everything.
    """
    if not text:
        return None
    typed = _typed(text)
    if not _PHONE_SEARCH(typed):
        return None
    digits = _NOT_DIGITS.sub("", typed)
    if len(digits) < 4:
        return None
    prefix = _SEARCH_PREFIX.match(digits)[0]
    rest = digits.removeprefix(prefix)
    if "966" in prefix and len(rest) < 3:
        return "966" + rest
    return rest if len(rest) >= 3 else None


def phone_part(text):
    """Return the digits to look for inside stored E.164 numbers, however few; None when they are no part of one."""
    typed = _typed(text)
    return phone_search_digits(typed) or (_NOT_DIGITS.sub("", typed) if _PHONE_SEARCH(typed) else None) or None


_NATIONAL_PREFIX = re.compile(r"(?:00|\+)?9660?|0(?!0)|(?=5)")


def phone_prefix(text):
    """Return how E.164 numbers begin that are typed with this beginning, or None when none are.

    Without a country code it is read as Saudi: "05", "5", "9665", "00966 5" and "+966 05" all give "+9665".
    """
    typed = _typed(text)
    if not _PHONE_SEARCH(typed):
        return None
    dialled = _NOT_DIALLED.sub("", typed)
    national = _NATIONAL_PREFIX.match(dialled)
    if national:
        return "+966" + _NOT_DIGITS.sub("", dialled[national.end() :])
    digits = _NOT_DIGITS.sub("", dialled.removeprefix("00"))
    return f"+{digits}" if digits else None


# National identity

ID_LENGTH = _("National ID must be 10 digits")
ID_PREFIX = _("National ID must start with 1 (citizen) or 2 (resident)")
ID_CHECKSUM = _("National ID checksum is invalid")
ID_TOO_LONG = _("National ID must be at most 20 characters")

_LONGEST_FOREIGN_ID = 20
_SAUDI_ID = re.compile(r"[12][0-9]{9}").fullmatch
_TEN_DIGITS = re.compile(r"[0-9]{10}").fullmatch
_ID_SEPARATORS = re.compile(r"[\s\-]+")
_SAUDI_NATIONALITIES = frozenset(
    fold_text(name)
    for name in (
        "Saudi", "Saudi Arabian", "Saudi Arabia", "Kingdom of Saudi Arabia", "KSA", "SA", "SAU",
        "سعودي", "سعودية", "السعودي", "السعودية", "العربية السعودية", "المملكة العربية السعودية",
    )
)  # fmt: skip
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # the digit sum of twice each digit


def is_saudi(nationality):
    """Say whether a nationality, in either language, is Saudi."""
    return fold_text(nationality) in _SAUDI_NATIONALITIES


def _has_valid_checksum(digits):
    """Luhn's checksum over ten digits, as the Ministry of Interior numbers citizens and residents."""
    return (sum(map(_LUHN_DOUBLED.__getitem__, map(int, digits[::2]))) + sum(map(int, digits[1::2]))) % 10 == 0


def national_id(raw, *, nationality=None):
    """Return an identity number in ASCII digits, without spaces or dashes; None and "" give "".

    Ten digits that begin with 1 or 2, and whatever a Saudi gives, must be a valid Saudi ID or
    Iqama. Other nationals hold other numbers: any text of at most 20 characters passes.
    Raises ValidationError with code "national_id" ("control_character" for what nobody types).
    """
    if raw is None:
        return ""
    text = " ".join(_typed(raw).split())
    if not text:
        return ""
    digits = _ID_SEPARATORS.sub("", text)
    if not _SAUDI_ID(digits) and not is_saudi(nationality):
        if len(text) > _LONGEST_FOREIGN_ID:
            raise ValidationError(ID_TOO_LONG, code="national_id")
        return clean_text(text)
    if not _TEN_DIGITS(digits):
        raise ValidationError(ID_LENGTH, code="national_id")
    if digits[0] not in "12":
        raise ValidationError(ID_PREFIX, code="national_id")
    if not _has_valid_checksum(digits):
        raise ValidationError(ID_CHECKSUM, code="national_id")
    return digits


def national_id_kind(value):
    """Say whose number it is: "citizen", "resident", or None when it is no valid Saudi number."""
    digits = _ID_SEPARATORS.sub("", _typed(value or ""))
    if not _SAUDI_ID(digits) or not _has_valid_checksum(digits):
        return None
    return "citizen" if digits[0] == "1" else "resident"


# Dates

INVALID_DATE = _("Enter a date as YYYY-MM-DD, YYYY/MM/DD, DD/MM/YYYY or DD-MM-YYYY, Gregorian or Hijri")

_YEAR_FIRST = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})").fullmatch
_DAY_FIRST = re.compile(r"([0-9]{1,2})([-/])([0-9]{1,2})\2([0-9]{4})").fullmatch
_HIJRI_YEARS = range(1343, 1501)  # what hijridate's Umm al-Qura tables cover: August 1924 to November 2077
_FIRST_GREGORIAN_YEAR = 1900  # what lies between is a Hijri year out of range, or a slip


def parse_date(raw):
    """Return the Gregorian date written year first or, as in the Gulf, day first; a Hijri year is converted.

    Digits of any script. A date passes as it is. Raises ValidationError with code "date" on
    any other form, a two-digit year, a day that does not exist, and years that are neither
    1343-1500 (Hijri, Umm al-Qura) nor from 1900 on.
    """
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    text = _typed(raw)
    if match := _YEAR_FIRST(text):
        year, month, day = int(match[1]), int(match[3]), int(match[4])
    elif match := _DAY_FIRST(text):
        year, month, day = int(match[4]), int(match[3]), int(match[1])
    else:
        raise ValidationError(INVALID_DATE, code="date")
    try:
        if year in _HIJRI_YEARS:
            return date(*Hijri(year, month, day).to_gregorian().datetuple())
        if year >= _FIRST_GREGORIAN_YEAR:
            return date(year, month, day)
    except (ValueError, OverflowError):
        pass
    raise ValidationError(INVALID_DATE, code="date")


# Amounts

INVALID_NUMBER = _("Enter a number such as 1250000, 1,250,000 or 1250000.50")

_CURRENCY = r"(?:ر\.? ?س\.?|ريال(?: سعودي)?|ریال|sar|sr|s\.r\.?|\u20c1)"
_AMOUNT = re.compile(
    rf"(?:{_CURRENCY} ?)?"
    r"(?P<whole>[0-9]{1,3}(?:(?P<separator>[,٬، ])[0-9]{3})(?:(?P=separator)[0-9]{3})*|[0-9]+)"
    r"(?:[.٫](?P<fraction>[0-9]+))?"
    rf"(?: ?{_CURRENCY})?",
    re.IGNORECASE,
).fullmatch
_LONGEST_AMOUNT_TEXT = 64


def parse_decimal(raw):
    """Return the amount a person or a spreadsheet wrote, as a Decimal: "١٬٢٥٠٬٠٠٠٫٥٠ ريال" is 1250000.50.

    Thousands may be set apart by a comma of either script or a space, by one kind only and by
    threes; the point is "." or "٫". "1.200.000" and "1,5" could mean two things and are
    refused. Raises ValidationError with code "number"; also for negative, infinite and NaN.
    """
    if isinstance(raw, (int, float, Decimal)) and not isinstance(raw, bool):
        amount = Decimal(str(raw)) if isinstance(raw, float) else Decimal(raw)
        if amount.is_finite() and amount >= 0:
            return abs(amount)  # not -0
        raise ValidationError(INVALID_NUMBER, code="number")
    text = str(raw)
    match = _AMOUNT(" ".join(_typed(text).split())) if len(text) <= _LONGEST_AMOUNT_TEXT else None
    if not match:
        raise ValidationError(INVALID_NUMBER, code="number")
    whole, fraction = _NOT_DIGITS.sub("", match["whole"]), match["fraction"]
    return Decimal(f"{whole}.{fraction}" if fraction else whole)
