"""Promises of config.counted: the forms that Arabic grammar gives to what is counted."""

import pytest

from config.counted import (
    APARTMENT,
    DAY,
    DOCUMENT,
    HOUR,
    LAND,
    MINUTE,
    MONTH,
    PROPERTY,
    TIME,
    TRY,
    VIEWING,
    VILLA,
    WEEK,
    counted,
    counted_in_english,
)


@pytest.mark.parametrize(
    ("noun", "forms"),
    [
        (PROPERTY, "عقار واحد، عقاران، عقارين، 3 عقارات، 11 عقارًا، 100 عقار"),
        (DAY, "يوم واحد، يومان، يومين، 3 أيام، 11 يومًا، 100 يوم"),
        (WEEK, "أسبوع واحد، أسبوعان، أسبوعين، 3 أسابيع، 11 أسبوعًا، 100 أسبوع"),
        (MONTH, "شهر واحد، شهران، شهرين، 3 أشهر، 11 شهرًا، 100 شهر"),
        (MINUTE, "دقيقة واحدة، دقيقتان، دقيقتين، 3 دقائق، 11 دقيقة، 100 دقيقة"),
        (HOUR, "ساعة واحدة، ساعتان، ساعتين، 3 ساعات، 11 ساعة، 100 ساعة"),
        (TRY, "محاولة واحدة، محاولتان، محاولتين، 3 محاولات، 11 محاولة، 100 محاولة"),
        (TIME, "مرة واحدة، مرتان، مرتين، 3 مرات، 11 مرة، 100 مرة"),
        (VIEWING, "معاينة واحدة، معاينتان، معاينتين، 3 معاينات، 11 معاينة، 100 معاينة"),
        (VILLA, "فيلا واحدة، فيلتان، فيلتين، 3 فلل، 11 فيلا، 100 فيلا"),
        (APARTMENT, "شقة واحدة، شقتان، شقتين، 3 شقق، 11 شقة، 100 شقة"),
        (LAND, "أرض واحدة، أرضان، أرضين، 3 أراضٍ، 11 أرضًا، 100 أرض"),
        (DOCUMENT, "مستند واحد، مستندان، مستندين، 3 مستندات، 11 مستندًا، 100 مستند"),
    ],
)
def test_each_noun_has_its_forms(noun, forms):
    one, two, two_oblique, few, many, hundred = forms.split("، ")
    assert [counted(number, noun) for number in (1, 2, 3, 11, 100)] == [one, two, few, many, hundred]
    assert counted(2, noun, oblique=True) == two_oblique


def test_the_last_two_digits_decide():
    texts = {number: counted(number, PROPERTY) for number in (0, 10, 20, 99, 101, 102, 103, 110, 111, 199, 1000, 1003)}
    assert texts == {
        0: "0 عقار",
        10: "10 عقارات",
        20: "20 عقارًا",
        99: "99 عقارًا",
        101: "101 عقار",
        102: "102 عقار",
        103: "103 عقارات",
        110: "110 عقارات",
        111: "111 عقارًا",
        199: "199 عقارًا",
        1000: "1000 عقار",
        1003: "1003 عقارات",
    }


def test_english_has_two_forms():
    assert [counted_in_english(number, PROPERTY) for number in (0, 1, 2)] == [
        "0 properties",
        "1 property",
        "2 properties",
    ]
    assert counted_in_english(1, TRY) == "1 try"
    assert counted_in_english(3, TRY) == "3 tries"
