"""How customers are found: the columns that lists look for, what contains a text, and the ranked search."""

from functools import reduce
from operator import and_, or_
from typing import NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Concat

from config.arabic import ascii_digits, begun_forms, fold, fold_text
from config.numbers import national_id, phone_e164, phone_search_digits
from config.places import city_key, region_of_city
from customers.choices import AMENITIES, PROPERTY_TYPES
from customers.models import NameWord
from customers.names import keys_of, likeness, likeness_of_words, terms_of, word_term

# --- Columns --------------------------------------------------------------------------------------


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


_WORD_OF_AMENITY = {fold_text(arabic): word for word, arabic in AMENITIES.items()}


def amenity_key(amenity):
    """What amenities are compared by; the usual ones are the same in Arabic and English."""
    folded = fold_text(amenity)
    return _WORD_OF_AMENITY.get(folded, folded.replace(" ", "_"))


def district_key(district):
    """What districts are grouped and filtered by."""
    return fold_text(district)[:100]


def tag_key(tag):
    return f"tag:{tag}"


def derived_columns(*, name, name_en, city, district, tags, preferences):
    """The columns that follow from others, as `{column: value}`. Every door that writes a customer calls this."""
    facets = [tag_key(tag) for tag in tags]
    facets += [type_key(property_type) for property_type in preferences.get("propertyType", ())]
    for area in preferences.get("preferredAreas", ()):
        facets += area_keys(area)
    name_folded, name_en_folded = fold(name)[:255], fold(name_en)[:255]
    return {
        "name_folded": name_folded,
        "name_en_folded": name_en_folded,
        "name_keys": terms_of(name_folded, name_en_folded),
        "city_key": city_key(city)[:100],
        "region": region_of_city(city),
        "district_key": district_key(district),
        "facets": sorted(set(facets)),
    }


# --- What contains a text -------------------------------------------------------------------------


def matching(text, organization_id):
    """The condition that a customer's folded name, phone or e-mail contains what was typed.

    One or two characters match beginnings of words only: nobody means every name with an ا in it.
    """
    digits = phone_search_digits(text)
    if digits:
        return Q(contact__contains=digits) | _has_word_with(digits, organization_id)
    condition, typed = matching_name(text, organization_id), text.strip().lower()
    if typed.isascii() or "@" in typed or "." in typed:
        # E-mails are not folded: mohd, al-fahd and abdul_rahman occur in them as typed.
        condition |= Q(contact__contains=typed if len(typed) >= 3 else f"\n{typed}")
    return condition


def matching_name(text, organization_id):
    """The condition that a customer's folded name contains what was typed, and nothing else of theirs.

    Words are few and customers many: the words that hold each part are looked up first.
    """
    folded = fold(text)
    if not folded:
        return Q(pk__in=[])
    condition = _holds(folded, organization_id)
    for begun in begun_forms(folded)[1:]:
        condition |= _holds(begun, organization_id)
    return condition


def _holds(folded, organization_id):
    first, *middle = folded.split()
    if not middle:
        return _has_word_with(first, organization_id)
    last, words = middle.pop(), _words(organization_id)
    condition = _has_any(words.filter(word__endswith=first)) & _has_any(words.filter(word__startswith=last))
    for word in middle:
        condition &= Q(name_keys__contains=_texts([word_term(word)]))
    return condition & (Q(name_folded__contains=folded) | Q(name_en_folded__contains=folded))


def _words(organization_id):
    return NameWord.objects.filter(organization_id=organization_id)


def _has_word_with(part, organization_id):
    lookup = "contains" if len(part) >= 3 else "startswith"
    return _has_any(_words(organization_id).filter(**{f"word__{lookup}": part}))


def _has_any(words):
    return Q(name_keys__overlap=words.values_list(Concat(Value(word_term("")), F("word"), output_field=TextField())))


_TEXTS = ArrayField(TextField())


def _texts(words):
    return Value(list(words), output_field=_TEXTS)


# --- The ranked search ------------------------------------------------------------------------------

# How many customers are looked at more closely, and up to how many matches are counted.
CANDIDATES, MOST_COUNTED = 1000, 10_000
MOST_WORDS, LONGEST_BEGUN = 8, 4
# A best match below GOOD may be another name: words that are spelled alike are tried as well, and below
# FAIR all but one of the words. What scores below LEAST is no match.
GOOD, FAIR, LEAST = 0.86, 0.78, 0.6
MOST_ALIKE, LEAST_ALIKE = 2000, 0.6


class Match(NamedTuple):
    """A customer that was found: `score` 0 to 1, of which 1 is exact, and the API's names of what matched."""

    key: str
    score: float
    fields: list

    def merged(self, other):
        """The same customer found in two ways."""
        return Match(self.key, max(self.score, other.score), list(dict.fromkeys(self.fields + other.fields)))


class Found(NamedTuple):
    """The best matches, best first, and how many there are in all (counted up to MOST_COUNTED)."""

    matches: list
    total: int


def search(customers, text, *, organization_id, fuzzy=True, with_national_id=False, limit=20):
    """What of a queryset of customers best fits what somebody typed: a name in either script, a phone, an e-mail.

    Without `fuzzy`, only those of whose name, phone or e-mail the text is a part. A national ID is
    found by the whole of it, where the caller may. The queryset's own conditions come first.
    """
    customers = customers.order_by()
    ways = [_of_national_id(customers, text)] if with_national_id else []
    typed = text.strip()
    is_name = fuzzy and "@" not in typed and not phone_search_digits(typed)
    if is_name:
        ways.append(_named_like(customers, text, organization_id))
    if not is_name or typed.isascii() and " " not in typed and len(typed) >= 3:  # the beginning of an e-mail, perhaps
        ways.append(_containing(customers, text, organization_id))
    best = {}
    for matches, _total in ways:
        for match in matches:
            known = best.get(match.key)
            best[match.key] = known.merged(match) if known else match
    # The newest first among equals.
    ranked = sorted(best.values(), key=lambda match: (match.score, match.key), reverse=True)
    return Found(ranked[:limit], max(len(ranked), *(number for _matches, number in ways)))


def _of_national_id(customers, text):
    try:
        number = national_id(ascii_digits(text))
    except ValidationError:
        number = ""
    if not any(map(str.isdigit, number)):
        return [], 0
    found = customers.filter(national_id=number).exclude(national_id="").values_list("pk", flat=True)
    matches = [Match(key, 1.0, ["nationalId"]) for key in found[:CANDIDATES]]
    return matches, len(matches)


# By a part of what is stored


def _containing(customers, text, organization_id):
    """`([Match], total)` of the customers of whose name, phone or e-mail the text is a part."""
    customers = customers.filter(matching(text, organization_id))
    columns = customers.values_list("pk", "name_folded", "name_en_folded", "phone", "email")
    rows, total = _counted(customers, columns)
    names = begun_forms(fold(text))
    parts_of = {"name": names, "nameEn": names, "phone": _dialled(text), "email": [text.strip().lower()]}
    matches = []
    for key, *stored in rows:
        scores = {}
        for (field, parts), whole in zip(parts_of.items(), stored, strict=True):
            score = max(_score_of_part(part, whole.lower()) for part in parts)
            if score:
                scores[field] = score
        if scores:
            matches.append(Match(key, max(scores.values()), list(scores)))
    return matches, total if total > CANDIDATES else len(matches)


def _dialled(text):
    """The whole number as it is stored, if it is one, and the digits to look for, None for other texts."""
    digits = phone_search_digits(text)
    try:
        return phone_e164(text), digits
    except ValidationError:
        return (digits,)


def _score_of_part(part, whole):
    """How much of a text a part of it is, 1 all and 0 none; a beginning counts more than a middle."""
    if not part or part not in whole:
        return 0.0
    if part == whole:
        return 1.0
    return round((0.7 if whole.startswith(part) else 0.6) + 0.25 * len(part) / len(whole), 2)


def _counted(customers, columns):
    """The first CANDIDATES rows, and how many there are."""
    rows = list(columns[:CANDIDATES])
    if len(rows) < CANDIDATES:
        return rows, len(rows)
    return rows, customers.values("pk")[:MOST_COUNTED].count()


# By the sound of the name


def _named_like(customers, text, organization_id):
    """`([Match], total)` of the customers whose name sounds like the text, or begins like it."""
    asked = " ".join(fold(text).split()[:MOST_WORDS])
    if not asked:
        return [], 0
    forms = [form.split() for form in begun_forms(asked)]
    words, keys = forms[0], [_keys(word) for word in forms[0]]
    # A short word is as likely to be only begun; what a longer one may begin is looked for when it is no name.
    is_short = len(words[-1]) <= LONGEST_BEGUN
    likely = customers.filter(_with_keys(keys) | _begun(forms, organization_id) if is_short else _with_keys(keys))
    rows, total = _counted(likely, _names_of(likely))
    if total > len(rows):
        # Too many to look at: those of whom it is the whole name must be among them, and who is spelled like this.
        exact = _names_of(customers.filter(name_folded__in=[" ".join(form) for form in forms]))
        spelled = _names_of(customers.filter(name_keys__contains=_texts(map(word_term, words))))
        rows = list(dict.fromkeys([*exact[:CANDIDATES], *spelled[:CANDIDATES], *rows]))
    matches = _ranked(forms, rows)
    if matches and max(match.score for match in matches) >= GOOD:
        return matches, total if total > CANDIDATES else len(matches)
    wider = [known | alike for known, alike in zip(keys, _alike(words, organization_id), strict=True)]
    likely = customers.filter(_with_keys(wider) | _begun(forms, organization_id))
    rows = dict.fromkeys([*rows, *_names_of(likely)[:CANDIDATES]])
    matches = _ranked(forms, rows)
    if len(words) > 1 and not any(match.score >= FAIR for match in matches):
        for place in range(len(words)):
            rest = _with_keys(wider[:place] + wider[place + 1 :])
            rows |= dict.fromkeys(_names_of(customers.filter(rest))[: CANDIDATES // len(words)])
        matches = _ranked(forms, rows)
    return matches, len(matches)


def _begun(forms, organization_id):
    """The condition that a customer's names hold the words of any of these forms, and one that the last begins."""
    words = _words(organization_id)
    return reduce(or_, [_with_keys(map(_keys, form[:-1])) & _has_any(words.filter(word__startswith=form[-1]))
                        for form in forms])  # fmt: skip


def _keys(word):
    return {word_term(word), *keys_of(word)}


def _with_keys(keys):
    """The condition that each word of a customer's names has one of several keys."""
    return reduce(and_, [Q(name_keys__overlap=_texts(sorted(alternatives))) for alternatives in keys], Q())


def _names_of(customers):
    return customers.values_list("pk", "name_folded", "name_en_folded")


def _ranked(forms, rows):
    """A Match for each row of `(id, folded name, folded English name)` that is likely enough."""
    matches, of_names = [], {}
    for key, *names in rows:
        names = tuple(names)
        if names not in of_names:
            of_names[names] = _scored(forms, names)
        score, fields = of_names[names]
        if score >= LEAST:
            matches.append(Match(key, score, fields))
    return matches


def _scored(forms, names):
    """`(score, the names that have it)`; `forms` are the words of what was asked for, and what they may become."""
    scores = []
    for words in map(str.split, names):
        likest = max(likeness(form, words) for form in forms)
        scores.append(1.0 if words == forms[0] else min(0.99, round(likest, 2)))
    best = max(scores)
    return best, [field for field, score in zip(("name", "nameEn"), scores, strict=True) if score == best]


def _alike(asked, organization_id):
    """For each word, the keys of the organization's words that differ from it by a slip."""
    slips = {slip for word in asked for slip in (word, *(word[:at] + word[at + 1 :] for at in range(len(word))))}
    words = _words(organization_id).filter(slips__overlap=_texts(slips)).values_list("word", flat=True)
    keys = [set() for _word in asked]
    for word in words.distinct()[:MOST_ALIKE]:
        for place, meant in enumerate(asked):
            if likeness_of_words(meant, word) >= LEAST_ALIKE:
                keys[place] |= _keys(word)
    return keys
