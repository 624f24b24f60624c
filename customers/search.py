"""How customers are found: the columns that lists look for, and the search over them."""

from django.db.models import Q

from config.arabic import fold, fold_text, phone_search_digits
from config.places import city_key, region_of_city
from customers.choices import PROPERTY_TYPES


def area_keys(area):
    """The keys of a preferred area: the whole text and its district part ("City - District"), folded."""
    keys = [f"area:{fold_text(area)}"]
    _city, dash, district = area.partition(" - ")
    if dash and district.strip():
        keys.append(f"area:{fold_text(district)}")
    return keys


_WORD_OF_TYPE = {fold_text(arabic): word for word, arabic in PROPERTY_TYPES.items()}


def type_key(property_type):
    """The key of a property type; the usual ones are the same in Arabic and English."""
    folded = fold_text(property_type)
    return f"type:{_WORD_OF_TYPE.get(folded, folded)}"


def tag_key(tag):
    return f"tag:{tag}"


def derived_columns(*, name, name_en, city, tags, preferences):
    """The columns that follow from others, as `{column: value}`. Every door that writes a customer calls this."""
    facets = [tag_key(tag) for tag in tags]
    facets += [type_key(property_type) for property_type in preferences.get("propertyType", ())]
    for area in preferences.get("preferredAreas", ()):
        facets += area_keys(area)
    return {
        "name_folded": fold(name)[:255],
        "name_en_folded": fold(name_en)[:255],
        "city_key": city_key(city)[:100],
        "region": region_of_city(city),
        "facets": sorted(set(facets)),
    }


def matching(text):
    """The condition that a customer's folded name, phone or e-mail contains what was typed.

    One or two characters match beginnings of words only: trigrams find nothing shorter,
    and nobody means every name with an ا in it.
    """
    digits = phone_search_digits(text)
    if digits:
        return Q(search_text__contains=digits)
    folded, typed = fold(text), text.strip().lower()
    condition = _contains(folded) if folded else Q(pk__in=[])
    if typed != folded and (typed.isascii() or "@" in typed or "." in typed):
        # E-mails are not folded: mohd, al-fahd and abdul_rahman occur in them as typed.
        condition |= _contains(typed)
    return condition


def matching_name(text):
    """The condition that a customer's folded name contains what was typed, and nothing else of theirs."""
    folded = fold(text)
    if not folded:
        return Q(pk__in=[])
    return Q(name_folded__contains=folded) | Q(name_en_folded__contains=folded)


def _contains(text):
    if len(text) >= 3:
        return Q(search_text__contains=text)
    begins = Q(search_text__startswith=text)
    return begins | Q(search_text__contains=f" {text}") | Q(search_text__contains=f"\n{text}")
