"""How names sound: the keys that the spellings of a name share in both scripts, and how alike two names are.

Everything here takes folded names (config.arabic.fold), word by word. Arabic leaves short vowels
out and Latin spells them at will, so a word is known by its consonants; where the scripts
disagree about one, the word has a key for each reading. Rules and measurements: ksa.md section 5.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz.distance import OSA

_similarity = OSA.normalized_similarity


MOST_KEYS = 12
_REMEMBERED = 65_536
_DOUBLED = re.compile(r"(.)\1+")


def is_arabic(word):
    return "ء" <= word[0] <= "ي"


# --- Keys -------------------------------------------------------------------------------------

# Letter -> the consonants it may be heard as; vowels and what is silent have none.
_ARABIC_SOUNDS = {
    "ب": "b", "ت": "t", "ث": "ts", "ج": "j", "ح": "h", "خ": "x", "د": "d", "ذ": "dz", "ر": "r", "ز": "z", "س": "s",
    "ش": "c", "ص": "s", "ض": "dz", "ط": "t", "ظ": "zd", "غ": "k", "ف": "f", "ق": "k", "ك": "k", "ل": "l", "م": "m",
    "ن": "n", "ه": "h",
}  # fmt: skip
_LATIN_SOUNDS = {
    "b": "b", "d": "d", "f": "f", "g": "kj", "h": "h", "j": "j", "k": "k", "l": "l", "m": "m", "n": "n", "p": "b",
    "q": "k", "c": "k", "r": "r", "s": "s", "t": "t", "v": ("f", ""), "x": ("ks",), "z": "z",
    "tch": "c", "sch": "c", "sh": ("c", "sh"), "ch": "cx", "kh": "x", "gh": "k", "th": ("t", "d", "s", "z", "th"),
    "dh": ("d", "z", "dh"), "ph": "f", "dj": "j", "zh": ("j", "zh"), "ck": "k", "qu": "k", "ts": "s",
}  # fmt: skip
_LATIN_PARTS = re.compile("tch|sch|[sckgtdpz]h|dj|ck|qu|ts|.").findall
_SOFT_C = re.compile("c(?=[eiy])")

_LATIN_ARTICLE = re.compile(r"[ae]l(?=[^aeiou]|[aeiou].*[^aeiouy])(?=.{3})").match
# The article taking the sound of what follows: assaad, ennaceur, azzahrani, ashshehri.
_LATIN_ASSIMILATED = re.compile(r"[ae](sh|th|dh|[rnsztd])(?=\1.{3})").match
_LATIN_SERVANT_OF = re.compile(r"(?:abd|abed)[aeiou]*(?:l|r(?=r)|n(?=n)|s(?=s)|z(?=z)|d(?=d)|t(?=t))?(?=.{2})").match
_LATIN_ABUL = re.compile(r"abu?l(?=[^aeiou].{2})").match
_LATIN_STARTS = ((_LATIN_ARTICLE, ""), (_LATIN_ASSIMILATED, ""), (_LATIN_ABUL, "abu"))
_OUA = re.compile("ou[aeiou]").match
_LATIN_OF_THE_FAITH = re.compile(r"(?<=.{2})[aeu]?[ld]?d(?:ee|i|ie)ne?$")


@lru_cache(_REMEMBERED)
def keys_of(word):
    """The keys of one folded word: what spellings of the same name have in common. Likely readings first."""
    if not word[0].isalpha():
        return (word,)
    keys = _arabic_keys(word) if is_arabic(word) else _latin_keys(word)
    return tuple(dict.fromkeys(keys))[:MOST_KEYS]


def _arabic_keys(word):
    prefix, stem = "", word
    if word.startswith("عبد") and len(word) > 4:
        prefix, stem = "abd", word[3:]
        stem = stem.removeprefix("ال") if len(stem) > 3 else stem
    stem = stem.replace("الدين", "دين")
    first = "" if prefix else {"ا": "a", "ع": "a", "و": "w", "ي": "y"}.get(stem[0], "")
    parts = [_ARABIC_SOUNDS.get(letter, ("",)) for letter in stem]
    if stem[-1] == "ه" and len(stem) > 1:
        # Read as -a or as -at; in the shortest words it may be a consonant, as in طه and الله.
        parts[-1] = ("", "t") if len(stem) > 3 else ("", "h")
    return _readings(prefix + first, parts)


def _latin_keys(word):
    stems = [instead + word[match.end() :] for pattern, instead in _LATIN_STARTS if (match := pattern(word))]
    return [key for stem in (*stems, word) for key in _keys_of_latin_stem(stem)]


def _keys_of_latin_stem(stem):
    prefix, match = "", _LATIN_SERVANT_OF(stem)
    if match:
        prefix, stem = "abd", stem[match.end() :]
    elif stem[0] in "aeiou":
        prefix = "w" if _OUA(stem) else "a"
    elif stem[0] in "wy":
        prefix = stem[0]
    if len(stem) > 5:
        stem = _LATIN_OF_THE_FAITH.sub("din", stem)
    letters = _LATIN_PARTS(_SOFT_C.sub("s", stem))
    parts = [_LATIN_SOUNDS.get(part, ("",)) for part in letters]
    if letters[-1] == "h" and len(stem) > 1:
        parts[-1] = ("", "h")
    return _readings(prefix, parts)


def _readings(prefix, parts):
    """Every reading of the parts in turn, those of their first sounds first, doubled consonants as one."""
    readings = [prefix]
    for sounds in parts:
        readings = [reading + sound for reading in readings for sound in sounds][: 4 * MOST_KEYS]
    return [_DOUBLED.sub(r"\1", reading) for reading in readings if reading]


def word_term(word):
    """The key of exactly this word, which no sound is taken for."""
    return f"={word}"


def terms_of(*names):
    """What folded names are found by: each word, and its keys; sorted, each once."""
    words = {word for name in names for word in name.split()}
    return sorted({key for word in words for key in (word_term(word), *keys_of(word))})


# --- Likeness -----------------------------------------------------------------------------------

# Each letter as one sound of an alphabet for both scripts, long vowels as w and y.
_ARABIC_OUTLINE = str.maketrans("اعويبتطثجحهخدضذرزظسصشقكغفلمن", "aawybtttjhhxdddrzzssckkkflmn")
_ARABIC_SILENT = re.compile("(?<=.)[اع]")
_LATIN_OUTLINE = [
    (re.compile(pattern), instead)
    for pattern, instead in (
        ("(?<=[aeiou])h$", ""),
        ("tch|sch|sh|ch", "C"),
        ("c(?=[eiy])", "s"),
        ("kh", "x"),
        ("gh|ck|[qgc]", "k"),
        ("C", "c"),
        ("th", "t"),
        ("dh", "d"),
        ("ph|v", "f"),
        ("p", "b"),
        ("ou|oo|uw|ow|au|aw|[uow]", "w"),
        ("ee|ei|ai|ay|ey|ie|iy|[iy]", "y"),
    )
]
_ARABIC_SERVANT_OF = re.compile("^عبدال(?=..)")
_ARABIC_LAST_H = re.compile("(?<=..)ه$")
_LATIN_AL = re.compile("^[ae]l(?=[a-z]{4})")
_LATIN_SERVANT = re.compile("^abd[aeiou]*[lrnsz]?(?=[a-z]{3})")
_LATIN_SILENT = re.compile("(?<=.)[ae]")
_LONG_VOWELS = re.compile("(?<=.)[wy]")
# How alike words are at least that share a key of three consonants, or of fewer, and at most unless they are the same.
_SAME_KEY, _SAME_SHORT_KEY, _ANOTHER_SPELLING = 0.8, 0.75, 0.98
# How much the letters count besides the sound, by the scripts of both words: Arabic spelling is settled but for
# vowel signs, which tells حسن from حسين; Latin spelling is anybody's.
_SHARE_OF_LETTERS = {(True, True): 0.5, (False, False): 0.25}
# What another order takes from likeness, and each word that was not asked for; a long name is none the less meant.
_PER_TURN, _PER_SURPLUS_WORD, _MOST_SURPLUS = 0.02, 0.04, 3
# How alike a word and its beginning are.
_BEGUN = 0.86


class _Outline(NamedTuple):
    """A folded word as it is compared: without its article; its consonants; and those with long vowels."""

    letters: str
    bones: str
    full: str


@lru_cache(_REMEMBERED)
def _outline(word):
    if is_arabic(word):
        letters = _ARABIC_SERVANT_OF.sub("عبد", word)
        full = _ARABIC_SILENT.sub("", _ARABIC_LAST_H.sub("", letters)).translate(_ARABIC_OUTLINE)
    else:
        letters = _LATIN_SERVANT.sub("abd", _LATIN_AL.sub("", word))
        full = letters
        for pattern, instead in _LATIN_OUTLINE:
            full = pattern.sub(instead, full)
        if letters[0] in "aeiou":
            full = "a" + full[1:]
        full = _LATIN_SILENT.sub("", full)
    full = _DOUBLED.sub(r"\1", full)
    return _Outline(letters, _LONG_VOWELS.sub("", full), full)


@lru_cache(_REMEMBERED)
def likeness_of_words(one, other):
    """How alike two folded words sound, 0 to 1: consonants weigh more than vowels, and 1 is the same word."""
    if one == other:
        return 1.0
    this, that = _outline(one), _outline(other)
    # Two consonants or fewer are those of many names.
    shortest = min(len(this.bones), len(that.bones))
    weight = 0.6 if shortest > 2 else 0.3
    heard = weight * _similarity(this.bones, that.bones) + (1 - weight) * _similarity(this.full, that.full)
    if not set(keys_of(one)).isdisjoint(keys_of(other)):
        heard = _SAME_KEY + (1 - _SAME_KEY) * heard if shortest > 2 else max(heard, _SAME_SHORT_KEY)
    script = is_arabic(one), is_arabic(other)
    share = _SHARE_OF_LETTERS.get(script, 0)
    return _ANOTHER_SPELLING * ((1 - share) * heard + share * _similarity(this.letters, that.letters))


def likeness(asked, name):
    """How alike what was asked for and a name are, 0 to 1; both are lists of folded words.

    Words are paired, those most alike first; the last one asked for may be only begun. Another order, and
    words that were not asked for, take a little off.
    """
    if not asked or not name:
        return 0.0
    pairs = [(_alike(word, theirs, place == len(asked) - 1), place, other)
             for place, word in enumerate(asked) for other, theirs in enumerate(name)]  # fmt: skip
    pairs.sort(key=_best_first)
    place_of, taken, total = {}, set(), 0.0
    for alike, place, other in pairs:
        if place not in place_of and other not in taken:
            place_of[place] = other
            taken.add(other)
            total += alike
    order = [place_of[place] for place in sorted(place_of)]
    turned = sum(one > other for one, other in pairwise(order)) + (order[0] > 0)
    surplus = min(max(0, len(name) - len(asked)), _MOST_SURPLUS)
    return max(0.0, total / len(asked) - _PER_TURN * turned - _PER_SURPLUS_WORD * surplus)


def _alike(word, theirs, may_be_begun):
    alike = likeness_of_words(word, theirs)
    return max(alike, _BEGUN) if may_be_begun and theirs.startswith(word) else alike


def _best_first(pair):
    alike, place, other = pair
    return -alike, abs(place - other), place
