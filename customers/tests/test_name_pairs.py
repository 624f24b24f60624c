"""The pairs of names that searching is measured by are what their classes say: benchmarks/name_pairs.tsv."""

import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from rapidfuzz.distance import DamerauLevenshtein

FILE = Path(__file__).resolve().parent.parent.parent / "benchmarks" / "name_pairs.tsv"

CLASSES = ("letters", "abd", "article", "latin_arabic", "arabic_latin", "latin_latin", "typo", "differs")
# The script of what is typed, and of the stored name; None where a class has both scripts.
SCRIPTS = {
    "letters": ("arabic", "arabic"), "latin_arabic": ("latin", "arabic"), "arabic_latin": ("arabic", "latin"),
    "latin_latin": ("latin", None), "abd": (None, None), "article": (None, None), "typo": (None, None),
    "differs": (None, None),
}  # fmt: skip
# What is typed is another spelling of the same script as a stored name.
SAME_SCRIPT = ("letters", "abd", "article", "latin_latin", "typo")
# Of each of the two scripts, where a class has both.
AT_LEAST_OF_A_SCRIPT = {"abd": 30, "article": 30, "typo": 60, "differs": 30}

AT_LEAST = 125
AT_LEAST_WORDS = 60
AT_MOST_CHARACTERS = 255
PARTICLES = {"بن", "ابن", "بنت", "آل", "ال", "عبد", "bin", "bint", "ibn", "al", "el", "abd", "abdul"}


class Pair(NamedTuple):
    """A line of the file: what somebody types, and the two names of the customer."""

    kind: str
    query: str
    name: str
    name_en: str

    @property
    def stored(self):
        return [name for name in (self.name, self.name_en) if name]

    @property
    def beside(self):
        """The stored names in the script of the query."""
        return [name for name in self.stored if script(name) == script(self.query)]


def read():
    """The header and the pairs; nothing is trimmed, since spaces are part of what is typed."""
    header, *lines = FILE.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    return header.split("\t"), [line.split("\t") for line in lines]


def script(text):
    """'arabic' or 'latin' by the letters of a name, None for anything else or for both."""
    kinds = {unicodedata.name(letter, "").split()[0].lower() for letter in re.sub(r"[ '-]", "", text)}
    return kinds.pop() if kinds in ({"arabic"}, {"latin"}) else None


def words(text):
    return set(re.split(r"[ -]+", text.casefold())) - PARTICLES


HEADER, LINES = read()
PAIRS = [Pair(*line) for line in LINES if len(line) == 4]
BY_CLASS = defaultdict(list)
for pair in PAIRS:
    BY_CLASS[pair.kind].append(pair)

each_class = pytest.mark.parametrize("kind", CLASSES)


def test_the_file_is_a_table_of_four_columns_with_a_header():
    assert HEADER == ["class", "query", "name", "name_en"]
    assert [line for line in LINES if len(line) != 4] == []
    assert {pair.kind for pair in PAIRS} == set(CLASSES)


@each_class
def test_every_class_has_enough_pairs(kind):
    assert len(BY_CLASS[kind]) >= AT_LEAST


@each_class
def test_no_class_is_a_variation_of_a_few_names(kind):
    assert len(set().union(*(words(pair.name) for pair in BY_CLASS[kind]))) >= AT_LEAST_WORDS
    (_, most), *_ = Counter(pair.name for pair in BY_CLASS[kind]).most_common(1)
    assert most == 1


@each_class
def test_no_pair_repeats_in_its_class_not_even_turned_round(kind):
    seen = Counter(tuple(sorted((pair.query.casefold(), pair.name.casefold()))) for pair in BY_CLASS[kind])
    assert [names for names, times in seen.items() if times > 1] == []


def test_what_is_typed_and_the_stored_name_are_there_and_trimmed():
    assert [pair for pair in PAIRS if not pair.query or not pair.name] == []
    assert [pair for pair in PAIRS if any(cell != cell.strip() for cell in pair)] == []


def test_what_is_typed_is_no_stored_name_whatever_the_case():
    assert [pair for pair in PAIRS if pair.query.casefold() in (name.casefold() for name in pair.stored)] == []


def test_every_name_fits_its_column_and_has_letters_marks_and_spaces_only():
    """No control, bidi or zero-width characters, no digits, no signs but the hyphen and the apostrophe."""
    for pair in PAIRS:
        for cell in pair[1:]:
            assert len(cell) <= AT_MOST_CHARACTERS, pair
            strange = [c for c in cell if c not in " -'" and unicodedata.category(c)[0] not in "LM"]
            assert strange == [], pair


@each_class
def test_names_are_in_the_scripts_of_their_class(kind):
    typed, stored = SCRIPTS[kind]
    for pair in BY_CLASS[kind]:
        assert script(pair.query) in ((typed,) if typed else ("arabic", "latin")), pair
        assert script(pair.name) in ((stored,) if stored else ("arabic", "latin")), pair
        assert not pair.name_en or script(pair.name_en) == "latin", pair


@pytest.mark.parametrize("kind", SAME_SCRIPT)
def test_spellings_of_one_script_have_a_stored_name_in_it(kind):
    assert [pair for pair in BY_CLASS[kind] if not pair.beside] == []


@pytest.mark.parametrize("kind", ["latin_arabic", "arabic_latin"])
def test_across_scripts_nothing_is_stored_in_the_script_of_the_query(kind):
    assert [pair for pair in BY_CLASS[kind] if pair.name_en or pair.beside] == []


@pytest.mark.parametrize(("kind", "least"), AT_LEAST_OF_A_SCRIPT.items())
def test_a_class_of_both_scripts_has_enough_of_each(kind, least):
    typed = Counter(script(pair.query) for pair in BY_CLASS[kind])
    assert min(typed["arabic"], typed["latin"]) >= least


def test_a_typing_mistake_is_exactly_one():
    for pair in BY_CLASS["typo"]:
        assert [DamerauLevenshtein.distance(pair.query, name) for name in pair.beside] == [1], pair


def test_nobody_is_both_the_same_and_another_person():
    """What must differ is a pair of no other class, either way round."""
    same = {frozenset((pair.query, name)) for pair in PAIRS if pair.kind != "differs" for name in pair.stored}
    assert [pair for pair in BY_CLASS["differs"] if frozenset((pair.query, pair.name)) in same] == []
