"""Promises of config.arabic: every vector of the Saudi domain notes, and what must hold for any text at all."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from config.arabic import (
    HUB_FOLD_SQL,
    ascii_digits,
    clean_text,
    fold,
    fold_letters,
    fold_sql,
    fold_text,
    has_bidi_override,
    strip_bidi,
)
from config.tests.texts import ANY_TEXT, TO_ARABIC, TO_PERSIAN, refusal_of

# Texts dense in what the rules look for.
NAME_PARTS = [
    *"عبد ال الله الرحمن ابو أبا أبي أم بكر الحسن الدين دين نور بن ابن بنت السيد الشيخ".split(),
    *"العبد الابو البنت الالماني".split(),
    *"آل سعود عبدالله ابوالحسن د. أ. الدكتور محمّد القحطاني ﷺ عبد-الله".split(),
    *"abd abdul abdel abdur abed abu abo umm al el ul ar ash ad din deen uddin eldin noor rahman Al-Shehri".split(),
    *"ash-shehri abdullah abdurrahman noureddine bin ibn mohd md Dr. Ben Sa'ad alaa İbrahim Straße".split(),
]
NAME_LIKE_TEXT = st.lists(st.sampled_from(NAME_PARTS), max_size=6).flatmap(
    lambda parts: st.sampled_from([" ", "-", "  ", "\u200f "]).map(lambda space: space.join(parts))
)
FOLDED_TEXT = st.text(alphabet="   أإآةىؤئءابشق aBZ9٩~،؛؟«»–—\u064b\u0652\n\u0640\u064e%_'")


class TestDigits:
    @pytest.mark.parametrize("text", ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "0123456789"])
    def test_arabic_and_persian_digits_become_ascii(self, text):
        assert ascii_digits(text) == "0123456789"

    def test_everything_else_stays(self):
        assert ascii_digits("شقة ٣ - ａ٤\u200f½") == "شقة 3 - ａ4\u200f½"

    @given(st.text(alphabet="0123456789"))
    def test_digits_come_back_from_both_scripts(self, digits):
        assert ascii_digits(digits.translate(TO_ARABIC)) == digits
        assert ascii_digits(digits.translate(TO_PERSIAN)) == digits


class TestFoldingNames:
    @pytest.mark.parametrize(
        ("one", "other", "folded"),
        [
            ("عبد الله القحطاني", "عبدالله قحطاني", "عبدالله قحطاني"),
            ("محمد القحطانى", "مُحَمَّد القحطاني", "محمد قحطاني"),
            ("محمد الفهد", "محمـــد فهد", "محمد فهد"),
            ("عبد الرحمن العتيبى", "عبدالرحمن العتيبي", "عبدالرحمن عتيبي"),
            ("عبد ال رحمن العتيبي", "عبد الرحمن بن العتيبي", "عبدالرحمن عتيبي"),
            ("نورة", "نوره", "نوره"),
            ("الشهري", "آل شهري", "شهري"),
            ("محمد آل الشيخ", "محمد الشيخ", "محمد شيخ"),
            ("نور الدين", "نورالدين", "نورالدين"),
            ("أبو بكر الصديق", "ابوبكر صديق", "ابوبكر صديق"),
            ("أبو الحسن", "ابوالحسن", "ابوحسن"),
            ("أبو عبد الله", "ابي عبدالله", "ابوعبدالله"),
            ("أم كلثوم", "ام كلثوم", "امكلثوم"),
            ("شقراء", "شقرا", "شقرا"),
            ("فاطمة بنت محمد", "فاطمه محمد", "فاطمه محمد"),
            ("أ. د. محمد الغامدي", "الدكتور محمد غامدي", "محمد غامدي"),
            ("الشيخ أحمد المطيري", "احمد مطيري", "احمد مطيري"),
            ("کریم گل", "كريم كل", "كريم كل"),
            ("\u202bأحمد\u202c 2", "احمد ٢", "احمد 2"),
        ],
    )
    def test_arabic_spellings_of_one_name_fold_alike(self, one, other, folded):
        assert fold(one) == fold(other) == folded

    @pytest.mark.parametrize(
        ("one", "other", "folded"),
        [
            ("Abdul Rahman Al Otaibi", "ABDULRAHMAN AL-OTAIBI", "abdalrahman otaibi"),
            ("Abd Al-Rahman Otaibi", "Abdur-Rahman Otaibi", "abdalrahman otaibi"),
            ("Abdullah", "Abd Allah", "abdallah"),
            ("Ash-Shehri", "Al Shehri", "shehri"),
            ("Az-Zahrani", "zahrani", "zahrani"),
            ("Noureddine", "Nour El Din", "nouraldin"),
            ("Abu Al-Hassan", "Abo Hassan", "abuhassan"),
            ("Mohd. Al Harbi", "Mohammed bin Harbi", "mohammed harbi"),
            ("Sa'ad", "Sa’ad", "saad"),
            ("José Müller", "jose muller", "jose muller"),
            ("Dr. Eng. Khalid", "khalid", "khalid"),
            ("Ｋｈａｌｉｄ", "KHALID", "khalid"),
        ],
    )
    def test_latin_spellings_of_one_name_fold_alike(self, one, other, folded):
        assert fold(one) == fold(other) == folded

    @pytest.mark.parametrize(
        ("one", "other"), [("خالد", "هند"), ("Khalid", "Hind"), ("Ali", "I"), ("عبد", "عبدالله"), ("علي", "علياء")]
    )
    def test_different_names_stay_different(self, one, other):
        assert fold(one) != fold(other)

    @pytest.mark.parametrize(("name", "folded"), [("Ben", "ben"), ("Al", "al"), ("د", "د"), ("بنت", "بنت")])
    def test_a_name_that_is_only_a_dropped_word_is_kept(self, name, folded):
        assert fold(name) == folded

    def test_names_of_other_scripts_can_be_found_too(self):
        assert fold("Иван Петров") == "иван петров"

    @pytest.mark.parametrize("text", [None, "", "   ", "\u200f", "-"])
    def test_nothing_folds_to_nothing(self, text):
        assert fold(text) == ""

    @given(st.one_of(NAME_LIKE_TEXT, ANY_TEXT))
    @example("ar ar rashid")
    @example("عبد بن الله")
    @example("السيد السيد")
    def test_folding_twice_changes_nothing(self, text):
        assert fold(fold(text)) == fold(text)

    def test_folding_any_single_character_twice_changes_nothing(self):
        for code_point in range(0x30000):  # beyond lie private, unassigned and tag characters
            folded = fold_letters(chr(code_point))
            assert fold_letters(folded) == folded, hex(code_point)

    @given(NAME_LIKE_TEXT)
    def test_case_vowel_signs_and_invisible_marks_make_no_difference(self, text):
        assert fold(text.replace("م", "مُـ").replace("a", "A\u200b")) == fold(text)

    @given(NAME_LIKE_TEXT)
    def test_a_name_with_letters_never_folds_to_nothing(self, text):
        assert bool(fold(text)) == bool(fold_letters(text))


class TestFoldingText:
    @pytest.mark.parametrize(
        ("text", "folded"),
        [
            ("  حيّ   النرجس\n", "حي النرجس"),
            ("أبها", "ابها"),
            ("مكة المكرمة", "مكه المكرمه"),
            ("رأس تنورة", "راس تنوره"),
            ("شقراء", "شقرا"),
            ("Luxury VILLA  In Narjis", "luxury villa in narjis"),
            ("فيلا ٣ غرف، ۲ دور", "فيلا 3 غرف، 2 دور"),
            ("ﺍﻟﺮﻳﺎﺽ", "الرياض"),
            ("İSTANBUL ΣΟΦΟΣ", "istanbul σοφοσ"),
            ("ÉCOLE", "école"),
            ("50%_off\\", "50%_off\\"),
            (None, ""),
            ("", ""),
        ],
    )
    def test_text_folds_by_character_and_keeps_its_words(self, text, folded):
        assert fold_text(text) == folded

    def test_the_sql_function_folds_the_same_letters_to_the_same_letters(self):
        source, target = (line.strip(" ',") for line in HUB_FOLD_SQL.splitlines()[6:8])
        assert len(source) == len(target) + len("ءٴ")
        assert "".join(map(fold_text, source)) == target

    @given(ANY_TEXT)
    def test_folded_text_has_single_spaces_and_no_capitals_of_arabic_or_latin(self, text):
        folded = fold_text(text)
        assert folded == " ".join(folded.split())
        assert not any("A" <= character <= "Z" or character in "أإآةىء" for character in folded)


@pytest.mark.django_db
class TestFoldingInSQL:
    def folded(self, texts):
        """`[(as Python folds it, as hub_fold does, as its faster form does)]`."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT hub_fold(t), {fold_sql('t')} FROM unnest(%s::text[]) AS t", [texts])
            return [(fold_text(text), *row) for text, row in zip(texts, cursor.fetchall(), strict=True)]

    def test_each_character_is_folded_the_same_everywhere(self):
        characters = [chr(code) for code in range(1, 0x3000) if unicodedata.category(chr(code)) != "Cn"]
        for python, slow, fast in self.folded([f"ش{character} b" for character in characters]):
            assert python == slow == fast

    @given(
        st.lists(
            ANY_TEXT | st.text(alphabet="  أإآةىؤئءابشق aBZ9٩~،؛؟«»–—\u064b\u0652\n\u0640\u064e%_'"),
            min_size=1,
            max_size=20,
        )
    )
    def test_any_text_is_folded_the_same_in_the_faster_form(self, texts):
        texts = [text.replace("\0", "").encode("utf-8", "ignore").decode() for text in texts]
        for _python, slow, fast in self.folded(texts):
            assert slow == fast


class TestCleaningText:
    def test_text_is_composed(self):
        assert clean_text("ا\u0653ل e\u0301") == "آل é"

    @pytest.mark.parametrize("text", ["a\x00b", "a\x07", "\x7f", "\x85", "\ud800", "a\nb", "a\tb", "a\rb"])
    def test_what_nobody_types_is_refused(self, text):
        assert refusal_of(clean_text, text) == ("control_character", "Control characters are not allowed")

    def test_lines_and_tabs_are_allowed_in_long_text(self):
        assert clean_text("a\r\nb\n\tc\rd", multiline=True) == "a\nb\n\tc\nd"

    @pytest.mark.parametrize("text", ["a\x00b", "\x0b", "\udfff"])
    def test_other_controls_are_refused_in_long_text_too(self, text):
        assert refusal_of(clean_text, text, multiline=True)[0] == "control_character"

    @pytest.mark.parametrize("control", [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))])
    def test_direction_overrides_are_refused_where_names_must_read_as_they_are(self, control):
        text = f"invoice{control}gpj.exe"
        assert has_bidi_override(text)
        assert strip_bidi(text) == "invoicegpj.exe"
        assert clean_text(text) == text
        assert refusal_of(clean_text, text, refuse_bidi=True)[0] == "bidi_control"

    def test_direction_marks_are_no_overrides(self):
        assert not has_bidi_override("فيلا\u200f 3\u200e\u061c")
        assert clean_text("فيلا\u200f", refuse_bidi=True) == "فيلا\u200f"
        assert strip_bidi("فيلا\u200f 3\u200e\u061c") == "فيلا 3"
        assert strip_bidi("می\u200cخواهم") == "می\u200cخواهم"

    @given(ANY_TEXT, st.booleans(), st.booleans())
    def test_any_text_comes_out_storable_or_is_refused(self, text, multiline, refuse_bidi):
        try:
            cleaned = clean_text(text, multiline=multiline, refuse_bidi=refuse_bidi)
        except ValidationError:
            return
        assert cleaned == unicodedata.normalize("NFC", cleaned)
        assert "\x00" not in cleaned and cleaned.encode().decode() == cleaned
        assert clean_text(cleaned, multiline=multiline, refuse_bidi=refuse_bidi) == cleaned
