"""Counted nouns in Arabic and English: a number with its noun in the form that the number asks for."""

from typing import NamedTuple


class Noun(NamedTuple):
    """A noun's forms: Arabic as 1, 2, 3 to 10, 11 to 99 and whole hundreds count it, English as 1 and others do."""

    one: str  # with its numeral, which agrees in gender
    two: str
    two_oblique: str  # after a preposition, as an object
    few: str
    many: str
    hundred: str
    english: str
    english_plural: str


def _masculine(singular, dual_stem, plural, many, *english):
    return Noun(f"{singular} واحد", f"{dual_stem}ان", f"{dual_stem}ين", plural, many, singular, *english)


def _feminine(singular, dual_stem, plural, many, *english):
    return Noun(f"{singular} واحدة", f"{dual_stem}ان", f"{dual_stem}ين", plural, many, singular, *english)


PROPERTY = _masculine("عقار", "عقار", "عقارات", "عقارًا", "property", "properties")
DAY = _masculine("يوم", "يوم", "أيام", "يومًا", "day", "days")
WEEK = _masculine("أسبوع", "أسبوع", "أسابيع", "أسبوعًا", "week", "weeks")
MONTH = _masculine("شهر", "شهر", "أشهر", "شهرًا", "month", "months")
MINUTE = _feminine("دقيقة", "دقيقت", "دقائق", "دقيقة", "minute", "minutes")
HOUR = _feminine("ساعة", "ساعت", "ساعات", "ساعة", "hour", "hours")
TRY = _feminine("محاولة", "محاولت", "محاولات", "محاولة", "try", "tries")
TIME = _feminine("مرة", "مرت", "مرات", "مرة", "time", "times")
VIEWING = _feminine("معاينة", "معاينت", "معاينات", "معاينة", "viewing", "viewings")
VILLA = _feminine("فيلا", "فيلت", "فلل", "فيلا", "villa", "villas")
APARTMENT = _feminine("شقة", "شقت", "شقق", "شقة", "apartment", "apartments")
LAND = _feminine("أرض", "أرض", "أراضٍ", "أرضًا", "plot of land", "plots of land")
DOCUMENT = _masculine("مستند", "مستند", "مستندات", "مستندًا", "document", "documents")


def counted(number, noun, *, oblique=False):
    """A whole number of something in Arabic: عقار واحد، عقاران، 3 عقارات، 11 عقارًا، 100 عقار، 103 عقارات.

    `oblique` after a preposition and for objects, where it is عقارين that two of them are.
    """
    if number == 1:
        return noun.one
    if number == 2:
        return noun.two_oblique if oblique else noun.two
    rest = number % 100
    if 3 <= rest <= 10:
        return f"{number} {noun.few}"
    return f"{number} {noun.many if rest > 10 else noun.hundred}"


def counted_in_english(number, noun):
    """A whole number of something in English: 1 property, 2 properties."""
    return f"{number} {noun.english if number == 1 else noun.english_plural}"
