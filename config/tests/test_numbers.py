"""Promises of config.numbers: every vector of the Saudi domain notes, and what must hold for any text at all."""

from datetime import date, datetime
from decimal import Decimal

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from config.numbers import (
    national_id,
    national_id_kind,
    parse_date,
    parse_decimal,
    phone_e164,
    phone_part,
    phone_prefix,
    phone_search_digits,
)
from config.tests.texts import ANY_TEXT, ARABIC_DIGITS, PERSIAN_DIGITS, TO_ARABIC, TO_PERSIAN, refusal_of

NUMBER_LIKE_TEXT = st.text(alphabet="0123456789" + ARABIC_DIGITS + PERSIAN_DIGITS + "+-./,٫٬، ()\u200f\u202a٩SARريال")


class TestPhone:
    @pytest.mark.parametrize(
        "written",
        [
            "0512345678", "512345678", "+966512345678", "966512345678", "00966512345678", "+9660512345678",
            "9660512345678", "05 1234 5678", "051-234-5678", "(+966) 51 234 5678", "٠٥١٢٣٤٥٦٧٨", "۰۵۱۲۳۴۵۶۷۸",
            "+٩٦٦ ٥١ ٢٣٤ ٥٦٧٨", "\u202a+966 51-234-5678\u202c", "whatsapp:+966512345678", "tel:0512345678", "https://wa.me/966512345678",
            " 966512345678", 512345678,
        ],
    )  # fmt: skip
    def test_every_spelling_of_a_saudi_mobile_is_one_number(self, written):
        assert phone_e164(written) == "+966512345678"
        assert phone_e164(written, mobile_only=True) == "+966512345678"

    @pytest.mark.parametrize(("written", "stored"), [("0112345678", "+966112345678"), ("920001234", "+966920001234")])
    def test_a_landline_is_a_phone_but_no_mobile(self, written, stored):
        assert phone_e164(written) == stored
        assert refusal_of(phone_e164, written, mobile_only=True) == ("phone", "Invalid Saudi phone number format")

    @pytest.mark.parametrize(
        ("written", "stored"),
        [
            ("+971501234567", "+971501234567"),
            ("00971501234567", "+971501234567"),
            ("+96550123456", "+96550123456"),
            ("+97333123456", "+97333123456"),
            ("+97433123456", "+97433123456"),
            ("+96891234567", "+96891234567"),
            ("+201001234567", "+201001234567"),
        ],
    )
    def test_a_number_of_another_country_is_kept(self, written, stored):
        assert phone_e164(written) == stored

    @pytest.mark.parametrize(
        "written",
        [
            "05123456", "05123456789", "0521234567", "0700000000", "abc", "", "+966", "12345", "966512345",
            "+96651234567a8", "00966521234567", None, "0512345678" * 20, "0512345678/0512345679", "05+12345678",
        ],
    )  # fmt: skip
    def test_a_wrong_saudi_number_is_refused_in_the_words_of_the_specification(self, written):
        assert refusal_of(phone_e164, written) == ("phone", "Invalid Saudi phone number format")

    @pytest.mark.parametrize("written", ["+97150", "0097150", "+1 555 01", "+971 50 123 45a7"])
    def test_a_wrong_foreign_number_is_not_called_saudi(self, written):
        assert refusal_of(phone_e164, written) == ("phone", "Invalid phone number format")

    @pytest.mark.parametrize("second_digit", range(10))
    def test_mobile_prefixes_are_those_of_libphonenumber(self, second_digit):
        for two_more in range(100):
            for rest in ("00000", "12345", "99999"):
                national = f"5{second_digit}{two_more:02}{rest}"
                is_valid = phonenumbers.is_valid_number(phonenumbers.parse(national, "SA"))
                try:
                    assert (is_valid, phone_e164(national)) == (True, f"+966{national}")
                except ValidationError:
                    assert not is_valid, national

    @given(
        national=st.from_regex(r"\A5(?:[013-689][0-9]|7[0-8])[0-9]{6}\Z"),
        prefix=st.sampled_from(["", "0", "966", "9660", "+966", "+9660", "00966", "009660", "tel:+966"]),
        digits=st.sampled_from([{}, TO_ARABIC, TO_PERSIAN]),
        between=st.lists(
            st.sampled_from(["", "", " ", "-", ".", "\u00a0", "\u200f", "\u2011", "\u202c"]), min_size=9, max_size=9
        ),
        around=st.sampled_from(["{}", " {} ", "\u202a{}\u202c", "\u2066{}\u2069", "({})"]),
    )
    def test_digits_spaces_marks_and_prefix_do_not_change_the_number(self, national, prefix, digits, between, around):
        spaced = "".join(mark + digit for mark, digit in zip(between, national, strict=True))
        written = prefix + around.format(spaced) if prefix.startswith("tel") else around.format(prefix + spaced)
        assert phone_e164(written.translate(digits)) == f"+966{national}"

    @given(st.one_of(ANY_TEXT, NUMBER_LIKE_TEXT), st.booleans())
    def test_any_text_is_a_number_or_a_validation_error(self, text, mobile_only):
        try:
            stored = phone_e164(text, mobile_only=mobile_only)
        except ValidationError as refused:
            assert refused.code == "phone"
        else:
            assert phone_e164(stored, mobile_only=mobile_only) == stored
            assert stored[0] == "+" and stored[1:].isdecimal() and stored.isascii() and len(stored) <= 16


class TestPhoneSearch:
    @pytest.mark.parametrize(
        ("typed", "digits"),
        [
            ("0512345678", "512345678"),
            ("+966 51 234", "51234"),
            (" 966512345", "512345"),
            ("00966512", "512"),
            ("9660512", "512"),
            ("٠٥١٢", "512"),
            ("(051) 234-5678", "512345678"),
            ("\u202a+966512\u202c", "512"),
            ("5678", "5678"),
            ("00971501234567", "971501234567"),
            ("00966", "966"),
        ],
    )
    def test_part_of_a_phone_number_is_searched_without_its_prefix(self, typed, digits):
        assert phone_search_digits(typed) == digits

    @pytest.mark.parametrize("typed", [None, "", "123", "محمد", "Ahmed 0512345678", "+", "0000\u0627", "0512a", "٠٥١"])
    def test_other_text_is_no_phone_search(self, typed):
        assert phone_search_digits(typed) is None

    @given(st.from_regex(r"\A5[013-689][0-9]{7}\Z"), st.sampled_from(["", "0", "966", "+966", " 966", "00966", "9660"]))
    def test_a_number_is_found_by_what_it_was_typed_as(self, national, prefix):
        assert phone_search_digits(prefix + national) in phone_e164(prefix.strip() + national)

    @given(st.one_of(ANY_TEXT, NUMBER_LIKE_TEXT))
    def test_any_text_gives_digits_or_none(self, text):
        for digits in (phone_search_digits(text), phone_part(text)):
            assert digits is None or (digits.isdecimal() and digits.isascii())

    @pytest.mark.parametrize(
        ("typed", "digits"),
        [("5", "5"), ("٠٥", "05"), ("0512", "512"), ("+966 51", "96651"), ("-", None), ("5a", None)],
    )
    def test_a_part_may_be_as_short_as_one_digit(self, typed, digits):
        assert phone_part(typed) == digits

    @pytest.mark.parametrize(
        ("typed", "beginning"),
        [
            ("+9665", "+9665"), ("05", "+9665"), ("٠٥", "+9665"), ("5", "+9665"), ("9665", "+9665"), ("011", "+96611"),
            ("00966 5", "+9665"), ("+966 05", "+9665"), ("(055) 12", "+9665512"), ("0", "+966"), ("+966", "+966"),
            ("96", "+96"), ("009", "+9"), ("+971 50", "+97150"), ("0097150", "+97150"), ("44", "+44"), ("+5", "+5"),
            ("", None), ("+", None), ("00", None), ("- -", None), ("05x", None), ("محمد", None),
        ],
    )  # fmt: skip
    def test_the_beginning_of_a_phone_number_is_that_of_its_e164(self, typed, beginning):
        assert phone_prefix(typed) == beginning

    @given(
        st.from_regex(r"\A5[013-689][0-9]{7}\Z"), st.sampled_from(["", "0", "966", "+966", "00966", "9660"]), st.data()
    )
    def test_a_number_begins_with_any_beginning_of_what_it_was_typed_as(self, national, prefix, data):
        length = data.draw(st.integers(len(prefix) + 1, len(prefix) + 9))
        assert phone_e164(prefix + national).startswith(phone_prefix((prefix + national)[:length]))

    @given(st.one_of(ANY_TEXT, NUMBER_LIKE_TEXT))
    def test_any_text_gives_a_beginning_or_none(self, text):
        beginning = phone_prefix(text)
        assert beginning is None or beginning[0] == "+" and beginning[1:].isdecimal() and beginning.isascii()


class TestNationalId:
    @pytest.mark.parametrize("number", ["1000000008", "1012345672", "1234567897", "1098765439", "1999999996"])
    def test_a_citizens_number_is_valid(self, number):
        assert national_id(number, nationality="Saudi") == number
        assert national_id_kind(number) == "citizen"

    @pytest.mark.parametrize("number", ["2000000006", "2123456788", "2456789011", "2999999994"])
    def test_a_residents_number_is_valid(self, number):
        assert national_id(number, nationality="مصري") == number
        assert national_id_kind(number) == "resident"

    @pytest.mark.parametrize(
        "written", ["١٠٠٠٠٠٠٠٠٨", "۱۰۰۰۰۰۰۰۰۸", " 1000 000 008 ", "\u202a1000000008\u202c", 1000000008]
    )
    def test_the_number_is_kept_in_plain_ascii_digits(self, written):
        assert national_id(written) == "1000000008"

    @pytest.mark.parametrize(
        ("number", "message"),
        [
            ("1000000009", "National ID checksum is invalid"),
            ("3000000004", "National ID must start with 1 (citizen) or 2 (resident)"),
            ("0000000000", "National ID must start with 1 (citizen) or 2 (resident)"),
            ("100000000", "National ID must be 10 digits"),
            ("10000000080", "National ID must be 10 digits"),
            ("abcdefghij", "National ID must be 10 digits"),
        ],
    )
    def test_a_saudi_is_refused_a_wrong_number(self, number, message):
        assert refusal_of(national_id, number, nationality="سعودي") == ("national_id", message)
        assert national_id_kind(number) is None

    @pytest.mark.parametrize(
        "nationality", ["Saudi", "SAUDI", "سعودي", "سعودى", "سعودية", "السعودية", "SA", "KSA", " ksa "]
    )
    def test_saudi_is_understood_however_it_is_written(self, nationality):
        assert refusal_of(national_id, "A123", nationality=nationality)[1] == "National ID must be 10 digits"

    @pytest.mark.parametrize("nationality", [None, "", "Kuwaiti", "إماراتي"])
    def test_ten_digits_that_look_saudi_are_checked_for_everybody(self, nationality):
        assert refusal_of(national_id, "1000000009", nationality=nationality)[1] == "National ID checksum is invalid"

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("784-1985-1234567-1", "784-1985-1234567-1"),
            ("3000000004", "3000000004"),
            ("٢٨٥٠١٠١", "2850101"),
            ("A 12", "A 12"),
        ],
    )
    def test_other_nationals_keep_their_own_numbers(self, written, kept):
        assert national_id(written, nationality="Emirati") == kept

    def test_no_number_is_longer_than_its_column(self):
        assert refusal_of(national_id, "X" * 21) == ("national_id", "National ID must be at most 20 characters")

    @pytest.mark.parametrize("nothing", [None, "", "  "])
    def test_no_number_is_no_error(self, nothing):
        assert national_id(nothing, nationality="Saudi") == ""
        assert national_id_kind(nothing) is None

    @given(st.integers(min_value=100_000_000, max_value=299_999_999))
    def test_exactly_one_last_digit_fits_every_nine(self, first_nine):
        assert sum(national_id_kind(f"{first_nine}{last}") is not None for last in range(10)) == 1

    @given(st.one_of(ANY_TEXT, NUMBER_LIKE_TEXT), st.sampled_from([None, "Saudi", "Kuwaiti"]))
    def test_any_text_is_a_number_or_a_validation_error(self, text, nationality):
        try:
            kept = national_id(text, nationality=nationality)
        except ValidationError:
            return
        assert len(kept) <= 20
        assert national_id(kept, nationality=nationality) == kept


class TestDate:
    @pytest.mark.parametrize(
        "written",
        [
            "2024-01-22",
            "2024/01/22",
            "22/01/2024",
            "22-01-2024",
            "22/1/2024",
            "٢٠٢٤-٠١-٢٢",
            "٢٢/٠١/٢٠٢٤",
            "\u200f2024-01-22 ",
        ],
    )
    def test_gregorian_dates_are_read_year_first_or_day_first(self, written):
        assert parse_date(written) == date(2024, 1, 22)

    def test_an_ambiguous_date_is_read_day_first(self):
        assert parse_date("03/04/2026") == date(2026, 4, 3)

    @pytest.mark.parametrize(
        ("written", "day"),
        [
            ("1445-07-10", date(2024, 1, 22)),
            ("١٤٤٥/٠٧/١٠", date(2024, 1, 22)),
            ("10/07/1445", date(2024, 1, 22)),
            ("1447-01-01", date(2025, 6, 26)),
            ("1447-09-01", date(2026, 2, 18)),
            ("1343-01-01", date(1924, 8, 1)),
            ("1500-12-30", date(2077, 11, 16)),
        ],
    )
    def test_hijri_dates_are_converted(self, written, day):
        assert parse_date(written) == day

    @pytest.mark.parametrize(
        "written",
        [
            "", "today", "2024-02-30", "2024-13-01", "22/13/2024", "22/01/24", "2024-01/22", "20240122",
            "1342-12-29", "1501-01-01", "1445-07-31", "0000-00-00", "2024-01-22T10:00:00Z",
            None, 20240122, datetime(2024, 1, 22, 10),
        ],
    )  # fmt: skip
    def test_anything_else_is_refused_with_the_forms_that_are_accepted(self, written):
        message = "Enter a date as YYYY-MM-DD, YYYY/MM/DD, DD/MM/YYYY or DD-MM-YYYY, Gregorian or Hijri"
        assert refusal_of(parse_date, written) == ("date", message)

    @given(st.dates(min_value=date(1900, 1, 1)))
    def test_every_date_is_read_back_in_every_form(self, day):
        forms = ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d-%m-%Y")
        assert [parse_date(day.strftime(form).translate(TO_ARABIC)) for form in forms] == [day] * 4
        assert parse_date(day) == day

    @given(st.one_of(ANY_TEXT, NUMBER_LIKE_TEXT, st.from_regex(r"\A[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}\Z")))
    def test_any_text_is_a_date_or_a_validation_error(self, text):
        try:
            assert isinstance(parse_date(text), date)
        except ValidationError as refused:
            assert refused.code == "date"


class TestDecimal:
    @pytest.mark.parametrize(
        ("written", "amount"),
        [
            ("1250000", "1250000"), ("1,250,000", "1250000"), ("1,250,000.50", "1250000.50"), ("1 250 000", "1250000"),
            ("1\u00a0250\u202f000", "1250000"), ("١٬٢٥٠٬٠٠٠٫٥٠", "1250000.50"), ("١،٢٥٠،٠٠٠", "1250000"),
            ("۱٬۲۵۰", "1250"), ("1250000 ريال", "1250000"), ("1,250,000 SAR", "1250000"), ("1250000ر.س", "1250000"),
            ("١٢٥٠ ر.س.", "1250"), ("SAR 1,250.5", "1250.5"), ("500 ريال سعودي", "500"), ("500 ﷼", "500"),
            ("500 sr", "500"), ("1.200", "1.200"), ("0", "0"), ("007", "7"), (1250000, "1250000"), (0.1, "0.1"),
            (Decimal("2.50"), "2.50"), (-0.0, "0"),
        ],
    )  # fmt: skip
    def test_amounts_are_read_as_they_are_written_in_the_gulf(self, written, amount):
        assert str(parse_decimal(written).normalize()) == str(Decimal(amount).normalize())

    @pytest.mark.parametrize(
        "written",
        [
            "", "abc", "ريال", "1.200.000", "1,5", "1،5", "12,34,567", "1,250 000", "1,2500", "-5", "+5", "1e5", "1.",
            ".5", "٫٥", "NaN", "Infinity", "1,250,", "5 USD", "1 2", None, True, float("nan"), float("inf"),
            -1, Decimal("-0.01"), Decimal("NaN"), Decimal("sNaN"), "9" * 65,
        ],
    )  # fmt: skip
    def test_what_could_mean_two_things_or_no_amount_is_refused(self, written):
        assert refusal_of(parse_decimal, written)[0] == "number"

    @given(st.decimals(min_value=0, max_value=10**13, places=2))
    def test_every_amount_is_read_back_from_both_scripts(self, amount):
        assert parse_decimal(f"{amount:,} SAR") == amount
        assert parse_decimal(f"{amount:,}".translate(TO_ARABIC | {ord(","): "٬", ord("."): "٫"}) + " ريال") == amount

    @given(st.one_of(ANY_TEXT, NUMBER_LIKE_TEXT, st.floats(), st.decimals(), st.integers()))
    def test_anything_is_an_amount_or_a_validation_error(self, raw):
        try:
            amount = parse_decimal(raw)
        except ValidationError as refused:
            assert refused.code == "number"
        else:
            assert amount.is_finite() and amount >= 0
