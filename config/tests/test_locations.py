"""GET /locations/regions and /locations/cities: what forms offer."""

import pytest

from config.testing import data_of, error_of


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


def slugs(client, **query):
    return [city["value"] for city in data_of(client.get("locations/cities", query))["cities"]]


def test_there_are_thirteen_regions(as_, huda):
    regions = data_of(as_(huda).get("locations/regions"))["regions"]
    assert len(regions) == 13
    assert regions[0] == {"code": "SA-01", "name": "الرياض", "nameEn": "Riyadh"}


def test_a_city_says_what_a_customer_in_it_is_filtered_by(as_, huda):
    cities = data_of(as_(huda).get("locations/cities"))["cities"]
    assert {"value": "khobar", "name": "الخبر", "nameEn": "Al Khobar", "region": "SA-04"} in cities
    assert len(cities) == len({city["value"] for city in cities}) > 80


@pytest.mark.parametrize("region", ["SA-02", "مكة", "مكة المكرمة", "Makkah", "منطقة مكه"])
def test_a_region_may_be_called_in_any_way_we_know(as_, huda, region):
    client = as_(huda)
    cities = data_of(client.get("locations/cities", {"region": region}))["cities"]
    assert {city["region"] for city in cities} == {"SA-02"}
    assert slugs(client, region=region, search="جد") == ["jeddah"]
    assert slugs(client, region=region, search="الخبر") == []


def test_an_unknown_region_is_refused_with_the_known_ones(as_, huda):
    (detail,) = error_of(as_(huda).get("locations/cities", {"region": "أتلانتس"}), 400, "VALIDATION_ERROR")["details"]
    assert detail["field"] == "region" and "الشرقية" in detail["message"]


def test_unchanged_places_are_a_304(as_, huda):
    for path in ("locations/regions", "locations/cities"):
        first = as_(huda).get(path)
        again = as_(huda).get(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    response = as_(huda).get("locations/cities", {"colour": "red", "region": "", "search": ""})
    assert response.json()["meta"]["ignoredParams"] == ["colour"] and len(data_of(response)["cities"]) > 80
