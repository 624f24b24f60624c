"""Promises of config.places: who is meant by what people write, and that nobody else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.arabic import fold_text
from config.places import (
    CITIES,
    REGIONS,
    City,
    Region,
    city_key,
    find_cities,
    place_key,
    region_of_city,
    resolve_city,
    resolve_region,
)


def test_there_are_thirteen_regions_and_88_cities_each_in_a_region():
    assert len(REGIONS) == 13
    assert len(CITIES) == 88
    assert {city.region for city in CITIES.values()} == set(REGIONS)


def test_regions_are_called_as_the_frontend_calls_them():
    assert [region.name for region in REGIONS.values()] == [
        "الرياض", "مكة المكرمة", "المدينة المنورة", "الشرقية", "القصيم", "حائل", "تبوك",
        "الحدود الشمالية", "جازان", "نجران", "الباحة", "الجوف", "عسير",
    ]  # fmt: skip
    assert REGIONS["SA-04"] == Region("SA-04", "الشرقية", "Eastern Province")


@pytest.mark.parametrize("city", CITIES.values(), ids=lambda city: city.slug)
def test_a_city_is_known_by_both_its_names_and_its_slug(city):
    spellings = [city.name, city.name_en, city.name_en.upper(), city.slug]
    for text in [*spellings, f"مدينة {city.name}", f"{city.name_en}, Saudi Arabia"]:
        assert resolve_city(text) == city, text
        assert city_key(text) == city.slug
        assert region_of_city(text) == city.region


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("الرياض - حي النرجس", "riyadh"),
        ("حي النخيل، الدمام", "dammam"),
        ("Ar Riyadh", "riyadh"),
        ("Al-Riyadh City", "riyadh"),
        ("Riyadh Region KSA", "riyadh"),
        ("جده", "jeddah"),
        ("Jiddah", "jeddah"),
        ("مكه", "makkah"),
        ("مكة المكرمة", "makkah"),
        ("Mecca", "makkah"),
        ("المدينة", "madinah"),
        ("Al Madinah Al Munawwarah", "madinah"),
        ("Alkhobar", "khobar"),
        ("خبر", "khobar"),
        ("Ta'if", "taif"),
        ("الاحساء", "ahsa"),
        ("حايل", "hail"),
        ("جيزان", "jazan"),
        ("رفحا", "rafha"),
        ("حفرالباطن", "hafar-al-batin"),
        ("مدينة الملك عبد الله الاقتصادية", "kaec"),
        ("Umm Lajj", "umluj"),
        ("بدر", "badr"),
    ],
)
def test_other_spellings_mean_the_same_city(text, slug):
    assert resolve_city(text) == CITIES[slug]


@pytest.mark.parametrize("text", [None, "", " ", "دبي", "Dubai", "الجوف", "القصيم", "،", "حي النرجس", "Ali", "ال"])
def test_other_text_is_no_city(text):
    assert resolve_city(text) is None


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("SA-01", ["الرياض", "منطقة الرياض", "Riyadh", "Riyadh Region", "SA-01", "sa-01"]),
        ("SA-02", ["مكة المكرمة", "مكة", "مكه", "منطقة مكة المكرمة", "Makkah", "Mecca", "Makkah Province"]),
        ("SA-03", ["المدينة المنورة", "المدينة", "منطقة المدينة المنورة", "Madinah", "Medina"]),
        (
            "SA-04",
            ["الشرقية", "المنطقة الشرقية", "Eastern Province", "Eastern", "Sharqia", "Ash Sharqiyah", "Eastern Region"],
        ),
        ("SA-05", ["القصيم", "Qassim", "Al Qassim", "Alqassim", "Qaseem"]),
        ("SA-06", ["حائل", "حايل", "Hail", "Ha'il"]),
        ("SA-08", ["الحدود الشمالية", "Northern Borders"]),
        ("SA-09", ["جازان", "جيزان", "Jizan"]),
        ("SA-11", ["الباحة", "الباحه", "Al Bahah", "Baha"]),
        ("SA-12", ["الجوف", "Al Jawf", "Al Jouf"]),
        ("SA-14", ["عسير", "منطقة عسير", "Asir", "Aseer", "SA-14"]),
    ],
)
def test_a_region_is_known_by_its_names_and_code(code, texts):
    for text in texts:
        assert resolve_region(text) == REGIONS[code], text


@pytest.mark.parametrize("text", [None, "", "دبي", "Dubai", "SA-13", "SA", "منطقة"])
def test_other_text_is_no_region(text):
    assert resolve_region(text) is None


def test_a_region_typed_as_a_city_still_says_where():
    assert region_of_city("الجوف") == "SA-12"
    assert region_of_city("القصيم") == "SA-05"
    assert city_key("الجوف") == "الجوف"


def test_an_unknown_city_is_its_own_folded_text_and_in_no_region():
    assert city_key("  أبو ظبي ") == city_key("ابو ظبى") == "ابو ظبي"
    assert region_of_city("أبو ظبي") == ""


def test_no_city_is_no_key():
    assert city_key(None) == city_key("") == city_key("  ") == ""
    assert region_of_city(None) == region_of_city("") == ""


def test_a_city_is_a_readable_row():
    assert CITIES["khobar"] == City(slug="khobar", name="الخبر", name_en="Al Khobar", region="SA-04")


def test_place_keys_drop_what_spellings_differ_in():
    assert place_key("مدينة الرياض") == place_key("رياض") == "رياض"
    assert place_key("Ash Sharqiyah Province") == place_key("sharqiyah") == "sharqiyah"
    assert place_key(None) == ""


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("جد", ["jeddah"]), ("Jidda", ["jeddah"]), ("الر", ["riyadh", "rass"]), ("khob", ["khobar"]),
        ("مدينة الرياض", ["riyadh"]), ("خب", ["khobar"]), ("mushait", ["khamis-mushait"]), ("دبي", []), ("؟", []),
    ],
)  # fmt: skip
def test_cities_are_found_by_what_one_begins_to_type(text, slugs):
    assert [city.slug for city in find_cities(text)] == slugs


def test_cities_that_begin_so_come_before_those_that_contain_it():
    slugs = [city.slug for city in find_cities("dh")]
    assert slugs.index("dhahran") < slugs.index("riyadh") and "jeddah" not in slugs


def test_all_cities_of_a_region_are_found_by_no_text():
    assert {city.slug for city in find_cities(region=REGIONS["SA-07"])} == {
        "tabuk", "umluj", "wajh", "duba", "tayma", "haql", "neom",
    }  # fmt: skip
    assert find_cities("جدة", REGIONS["SA-07"]) == []
    assert find_cities() == list(CITIES.values())


SLUG_LIKE_TEXT = st.builds(
    lambda before, slug, after: before + slug + after,
    st.sampled_from(["", " ", "\u200f", "x", "al-"]),
    st.sampled_from([*CITIES, *map(str.upper, CITIES)]),
    st.sampled_from(["", " ", "ـ", "x", ","]),
)


@given(st.one_of(st.text(alphabet=st.characters()), SLUG_LIKE_TEXT))
def test_a_key_equals_a_slug_only_for_text_that_means_that_city(text):
    key = city_key(text)
    if key in CITIES:
        assert resolve_city(text) == CITIES[key]
    else:
        assert key == fold_text(text)
    assert region_of_city(text) == "" or region_of_city(text) in REGIONS
