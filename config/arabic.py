"""What Arabic text means to the hub: how it is read, checked and folded for searching.

Pure functions without state in the database. Everything that refuses does so with Django's
ValidationError, and with nothing else, whatever text it is given.
"""

import re
import unicodedata
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Digits

_ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩"
_PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹"
_ASCII_DIGITS = "0123456789"
_TO_ASCII_DIGITS = str.maketrans(_ARABIC_DIGITS + _PERSIAN_DIGITS, _ASCII_DIGITS * 2)


def ascii_digits(text):
    """Write Arabic-Indic and Persian digits as 0-9; every other character stays as it is."""
    return text if text.isascii() else text.translate(_TO_ASCII_DIGITS)


# Invisible characters

_BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BIDI_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
# What people paste around numbers without seeing it: the above, zero-width characters, soft hyphen, byte order mark.
INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_IN_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def strip_bidi(text):
    """Remove direction marks, embeddings, overrides and isolates; joiners stay, for they change how letters look."""
    return text if text.isascii() else _BIDI_CONTROLS.sub("", text)


def has_bidi_override(text):
    """Say whether the text holds a control that can make it read differently from what it says (U+202A-E, U+2066-9)."""
    return not text.isascii() and _BIDI_OVERRIDES.search(text) is not None


def is_invisible(text):
    """Say whether nothing of the text can be seen: white space, joiners and direction marks."""
    return not INVISIBLE.sub("", text).strip()


def clean_text(text, *, multiline=False, refuse_bidi=False):
    """Return the text in Unicode's composed form (NFC), or refuse what no person types.

    Raises ValidationError with code "control_character" on control characters and lone
    surrogates (PostgreSQL stores neither NUL nor surrogates); `multiline` admits new lines
    and tabs, and turns CRLF into LF. With `refuse_bidi`, direction overrides raise code
    "bidi_control": for names that other people act upon, such as those of files.
    """
    if multiline and "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (_CONTROL_IN_LINES if multiline else _CONTROL).search(text):
        raise ValidationError(_("Control characters are not allowed"), code="control_character")
    if refuse_bidi and has_bidi_override(text):
        raise ValidationError(_("Text direction controls are not allowed"), code="bidi_control")
    return unicodedata.normalize("NFC", text)


# Folding of text in general

# Plain letter: the letters people write in its place, or that other keyboards send (Persian, Urdu, Kurdish).
_LETTERS_FOLDED_TO = {
    "ا": "أإآٱٲٳ",
    "ب": "پ",
    "ت": "ٹ",
    "ج": "چ",
    "د": "ڈ",
    "ر": "ڑڕ",
    "ز": "ژ",
    "ف": "ڤ",
    "ق": "ڨ",
    "ك": "کګگڪڭ",
    "ل": "ڵ",
    "ن": "ں",
    "ه": "ةہھەۀۃ",
    "و": "ؤۆۇۈۋ",
    "ي": "ىئیېےێۍ",
}
_SILENT_LETTERS = "ءٴ"  # the hamza that stands alone, and its high form: شقراء is written شقرا as often
_PLAIN_LETTER = {variant: plain for plain, variants in _LETTERS_FOLDED_TO.items() for variant in variants}
# Vowel signs, Quranic marks, tatweel, what is invisible: a bracket expression that Python and PostgreSQL read alike.
_UNWRITTEN = (
    r"\u00ad\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
    r"\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
)
_IS_UNWRITTEN = re.compile(f"[{_UNWRITTEN}]").match


class _CharacterTable(dict):
    """A table for `str.translate` that works out each character's fold the first time it meets it."""

    CAPACITY = 10_000  # all that people write; a flood of odd characters is folded too, only not remembered

    def __init__(self, fold_character):
        super().__init__()
        self.fold_character = fold_character

    def __missing__(self, code_point):
        folded = self.fold_character(chr(code_point))
        if len(self) < self.CAPACITY:
            self[code_point] = folded
        return folded


def _fold_text_character(character):
    if character in _SILENT_LETTERS or _IS_UNWRITTEN(character):
        return ""
    # One character each: like PostgreSQL, and unlike str.lower(), İ becomes i, and Σ never looks at its neighbours.
    return _PLAIN_LETTER.get(character) or character.translate(_TO_ASCII_DIGITS).lower()[0]


_TEXT_TABLE = _CharacterTable(_fold_text_character)


def fold_text(text):
    """Fold cities, titles, areas and tags for comparison: case, Arabic spelling variants, vowel signs, digits, spaces.

    None and "" give "". Always equal to SQL `hub_fold(text)`, so that a column folded by the
    database can be compared with a query folded here. Punctuation and Latin accents stay.
    """
    if not text:
        return ""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).translate(_TEXT_TABLE).split())


_SQL_FROM = "".join(_PLAIN_LETTER) + _ARABIC_DIGITS + _PERSIAN_DIGITS
_SQL_TO = "".join(_PLAIN_LETTER.values()) + _ASCII_DIGITS * 2

# The collation is named so that the result is the same in every database (a Turkish one lowers I to ı), as IMMUTABLE
# promises; PostgreSQL 17 and later have it. The white space is Python's, less what NFKC has made a plain space.
HUB_FOLD_SQL = rf"""
CREATE OR REPLACE FUNCTION hub_fold(t text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT btrim(regexp_replace(
    translate(
      lower(regexp_replace(normalize(t, NFKC), '[{_UNWRITTEN}]', '', 'g') COLLATE "pg_c_utf8"),
      '{_SQL_FROM}{_SILENT_LETTERS}',
      '{_SQL_TO}'
    ),
    '[\u0009-\u000d\u001c-\u0020\u0085\u1680\u2028\u2029]+', ' ', 'g'
  ))
$$
"""

# Vowel signs and the hamza that stands alone, which are left out, and must leave no spaces behind.
_PLAIN_UNWRITTEN = "\u0621\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652"
_PLAIN_FOLDED = "".join(letter for letter in _PLAIN_LETTER if "\u0622" <= letter <= "\u064a")
_NOT_PLAIN = (
    r"[^ -~\u00ab\u00bb\u060c\u061b\u061f\u0621-\u063a\u0641-\u0652\u2013\u2014]"
    r"|(?:^| )[ \u0621\u064b-\u0652]| $"
)


def fold_sql(text):
    """The SQL of `hub_fold(text)` for conditions on many rows: several times as fast for text in plain letters.

    There is nothing in such text to compose or to join, and few of its letters are folded.
    """
    letters = "".join(map(_PLAIN_LETTER.get, _PLAIN_FOLDED))
    plain = f"""translate(lower({text} COLLATE "pg_c_utf8"), '{_PLAIN_FOLDED}{_PLAIN_UNWRITTEN}', '{letters}')"""
    return f"CASE WHEN {text} ~ '{_NOT_PLAIN}' THEN hub_fold({text}) ELSE {plain} END"


# Folding of people's names

_APOSTROPHES = "'’‘`´ʹʻʼʽʾʿ′\""  # they glue: Sa'ad is saad
_PLAIN_LATIN = {"ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ə": "a"}


def _fold_name_character(character):
    if character in _APOSTROPHES:
        return ""
    folded = ""
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).lower()):
        category = unicodedata.category(part)
        if category[0] == "M" or category == "Cf" or part in _APOSTROPHES or part in _SILENT_LETTERS:
            continue
        if category == "Nd":
            folded += str(unicodedata.decimal(part))
        elif part.isalnum():
            folded += "" if _IS_UNWRITTEN(part) else _PLAIN_LATIN.get(part) or _PLAIN_LETTER.get(part, part)
        else:
            folded += " "
    return folded


_NAME_TABLE = _CharacterTable(_fold_name_character)


def fold_letters(text):
    """Reduce a text to plain lower-case letters and digits, words apart by single spaces.

    Latin accents, Arabic vowel signs and spelling variants go; apostrophes glue, other
    punctuation parts. Letters of other scripts stay, in lower case. None and "" give "".
    """
    return " ".join(text.translate(_NAME_TABLE).split()) if text else ""


_ARABIC = "[\u0621-\u064a]"
# Words that people write or leave out at will: "son of", free-standing articles (آل too), titles.
_DROPPED_WORDS = frozenset(
    "بن ابن بنت ال ا د م الاستاذ استاذ الاستاذه استاذه الدكتور دكتور الدكتوره دكتوره المهندس مهندس المهندسه مهندسه "
    "السيده "
    "bin ibn ben bint al el ul aal mr mrs ms miss dr doctor eng engineer".split()
)
_SHORT_FORMS = dict.fromkeys(("mohd", "mhd", "muhd", "moh", "md"), "mohammed")

# Words that may join a neighbour; a name without any is folded word by word.
_JOINING_WORD = re.compile(
    "عبد|العبد|ابو|ابا|ابي|ام|الدين|دين|الله|السيد|الشيخ"
    "|allah?|abd(?:[aeiou]{1,2}(?:l|sh|th|dh|[rnszdt]))?|abed|abu|abou|abo|aboo|umm?"
    "|(?:[aeu][ld])?d(?:i|ee|ie)ne?"
    "|[ae](?:sh|th|dh|[rnszdt])"
).fullmatch
# Text without which there is nothing to join (sought first, being many times faster), what is joined, and to what.
_LATIN_JOINS = [
    # abdul rahman, abd al-rahman, abdur-rahman, abd alrahman -> abdalrahman
    ("abd", re.compile(r"\babd[aeiou]{1,2}(?:l|sh|th|dh|[rnszdt]) (?:[aeu]l )?(?=[a-z]{3})"), "abdal"),
    ("bd ", re.compile(r"\babd [aeu](?:sh|th|dh|[lrnszdt]) (?=[a-z]{3})"), "abdal"),
    ("bed ", re.compile(r"\babed [aeu](?:sh|th|dh|[lrnszdt]) (?=[a-z]{3})"), "abdal"),
    ("bd ", re.compile(r"\babd (?:[aeu]l(?=[a-z]{3}))?(?=[a-z]{3})"), "abdal"),
    # abu al-hassan, abo hassan -> abuhassan; umm kulthum -> umkulthum
    ("ab", re.compile(r"\bab(?:u|ou|o|oo) (?:[aeu]l )?(?=[a-z]{3})"), "abu"),
    ("um", re.compile(r"\bumm? (?:[aeu]l )?(?=[a-z]{3})"), "um"),
    # dhaif allah, jar ullah -> dhaifallah, jarallah
    (" ", re.compile(r"(?<=[a-z]{2}) [au]llah?\b"), "allah"),
    # nour el-din, noor uddin -> nouraldin
    ("d", re.compile(r"(?<=[a-z]{2}) (?:[aeu][ld] ?)?d(?:i|ee|ie)ne?\b"), "aldin"),
    # the article taking the sound of what follows: az-zahrani, ash-shehri -> zahrani, shehri
    (" ", re.compile(r"\b(?:[ae](sh|th|dh|[rnszdt]) )+(?=\1)"), ""),
]
_ARABIC_JOINS = [
    ("عبد ال", re.compile(rf"\b(?:ال)?عبد ال ?(?={_ARABIC}{{2}})"), "عبدال"),
    ("عبد رب", re.compile(r"\bعبد (?=رب)"), "عبد"),
    # ضيف الله -> ضيفالله
    (" الله", re.compile(rf"(?<={_ARABIC}{{2}}) (?=الله\b)"), ""),
    # ابو الحسن -> ابوحسن, as settled words lose their article too
    ("اب", re.compile(rf"\bاب[واي] (?:ال ?(?={_ARABIC}{{3}}))?(?={_ARABIC}{{2}})"), "ابو"),
    ("ام ", re.compile(rf"\bام (?:ال ?(?={_ARABIC}{{3}}))?(?={_ARABIC}{{2}})"), "ام"),
    ("دين", re.compile(rf"(?<={_ARABIC}) ال ?دين\b"), "الدين"),
    # "Mr", "Sheikh" before a name, but a family name at its end
    ("السيد ", re.compile(r"\bالسيد (?=\S)"), ""),
    ("الشيخ ", re.compile(r"\bالشيخ (?=\S)"), ""),
]
_ALL_JOINS = _ARABIC_JOINS + _LATIN_JOINS
# Names that begin with the same two letters and no article.
_WITHOUT_ARTICLE = frozenset("الياس الهام الماس الين اليسا اليسار".split())
_ARABIC_ARTICLE = re.compile(rf"(?:ال)+(?={_ARABIC}{{3}})")
_ARABIC_FATHER_OF = re.compile(rf"اب[واي](?:ال)+(?={_ARABIC}{{3}})")
_LATIN_SERVANT_OF = re.compile(r"^abd[aeiou]{1,2}(?:l(?=[a-z]{3})|(sh|th|dh|[rnszdt])(?=\1[a-z]{2}))")
_LATIN_OF_THE_FAITH = re.compile(r"(?<=[a-z]{2})[aeiou](?:dd|ld)(?:in|een|ine|ien)$")


@lru_cache(maxsize=32_768)
def _settle_word(word):
    """One folded word as names keep it: without article, its compound spelled one way, "" when left out altogether.

    A settled word settles to itself.
    """
    if word in _DROPPED_WORDS:
        return ""
    if word.isascii():
        word = _SHORT_FORMS.get(word, word)
        if word.startswith("abd"):
            word = _LATIN_SERVANT_OF.sub("abdal", word)
        return _LATIN_OF_THE_FAITH.sub("aldin", word)
    if word.startswith("ال") and word not in _WITHOUT_ARTICLE:
        article = _ARABIC_ARTICLE.match(word)
        word = word[article.end() :] if article else word
    if word.startswith("اب"):
        father_of = _ARABIC_FATHER_OF.match(word)
        word = "ابو" + word[father_of.end() :] if father_of else word
    return "" if word in _DROPPED_WORDS else word


@lru_cache(maxsize=32_768)
def _may_join(word):
    return _JOINING_WORD(word) is not None


@lru_cache(maxsize=32_768)
def _read_token(token):
    """Of what stands between two spaces: its folded words, those settled, and whether one may join a neighbour."""
    words = fold_letters(token).split()
    settled = [word for word in map(_settle_word, words) if word]
    return words, settled, any(map(_may_join, words + settled))


def _join_compounds(words):
    """Settle words of which some belong together, as عبد and الله do."""
    while True:
        name = " ".join(words)
        for hint, pattern, joined in _LATIN_JOINS if name.isascii() else _ALL_JOINS:
            if hint in name:
                name = pattern.sub(joined, name)
        settled = [word for word in map(_settle_word, name.split()) if word]
        # Once more until nothing moves: a word left out or settled may have stood between two that join.
        if settled == words or not any(map(_may_join, settled)):
            return settled
        words = settled


def _fold_name(name):
    words, settled, may_join = [], [], False
    for token in name.split():
        token_words, token_settled, token_may_join = _read_token(token)
        words += token_words
        settled += token_settled
        may_join = may_join or token_may_join
    if may_join:
        settled = _join_compounds(words)
    # Ben and Al are names when nothing else is left.
    return " ".join(settled or words)


_fold_repeated_name = lru_cache(maxsize=32_768)(_fold_name)


def fold(text):
    """Fold a person's name, stored or searched for, so that its usual spellings become one; None and "" give "".

    Beyond `fold_letters`: compounds are joined (عبد الله, abdul rahman, ابو بكر, نور الدين),
    "bin", titles and articles left out (the attached Latin al- stays: Alia is a name),
    mohd written out. Folding twice changes nothing. Rules and measurements: ksa.md section 5.
    """
    if not text:
        return ""
    return _fold_repeated_name(text) if len(text) <= 255 else _fold_name(text)


# What is put before a name, so that what follows may be only begun; and the beginnings of words put after one.
_BEFORE_NAMES = frozenset("عبد ابو ام abd abu um".split())
_AFTER_NAMES = frozenset("الد الدي الل".split())
_BEGUN_SERVANT_OF = re.compile(r"abd[aeiou]{1,2}(?:l(?P<rest>[a-z]{0,2}))?$")


def begun_forms(folded):
    """What a folded name may stand for whose last word is only begun: itself first, then other beginnings.

    Folding needs to see a few letters more of a word to know its article (محمد الق) or its compound (عبد الر, Abdulr).
    """
    *words, last = folded.split() or [""]
    forms = [folded]
    if last.startswith("ال") and len(last) in (3, 4):
        forms.append(" ".join([*words, last[2:]]))
    servant = _BEGUN_SERVANT_OF.match(last)
    if servant:
        forms.append(" ".join([*words, "abdal" + (servant["rest"] or "")]))
    if words and (words[-1] in _BEFORE_NAMES or last in _AFTER_NAMES):
        forms.append(" ".join([*words[:-1], words[-1] + last]))
    elif words and _BEGUN_SERVANT_OF.match(words[-1]):
        forms.append(" ".join([*words[:-1], "abdal" + last]))
    return tuple(forms)
