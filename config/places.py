"""Saudi regions and main cities: what they are called, and which one a person means.

The names are facts of our own table. Regions are called as the frontend calls them; their
codes are those of ISO 3166-2. Where a name occurs twice in the country, as بدر does, the
larger place is meant. Everything read from text is memoised: an import names few places
many times.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from config.arabic import fold_letters, fold_text


class Region(NamedTuple):
    """One of the thirteen regions; `code` is its ISO 3166-2 code."""

    code: str
    name: str
    name_en: str


class City(NamedTuple):
    """One city; `slug` is stored with customers and never changes, `region` is the code of its region."""

    slug: str
    name: str
    name_en: str
    region: str


# code: English name, other spellings | Arabic name, other spellings
_REGION_TABLE = """
    SA-01: Riyadh | الرياض
    SA-02: Makkah, Mecca | مكة المكرمة, مكة
    SA-03: Madinah, Medina | المدينة المنورة, المدينة
    SA-04: Eastern Province, Eastern, Sharqia, Ash Sharqiyah | الشرقية
    SA-05: Qassim, Al Qasim, Qaseem | القصيم
    SA-06: Hail, Hael | حائل
    SA-07: Tabuk | تبوك
    SA-08: Northern Borders, Northern Frontier | الحدود الشمالية
    SA-09: Jazan, Jizan | جازان, جيزان
    SA-10: Najran | نجران
    SA-11: Al Bahah, Al Baha | الباحة
    SA-12: Al Jawf, Al Jouf | الجوف
    SA-14: Asir, Aseer | عسير
"""

# slug: English name, other spellings | Arabic name, other spellings
_CITY_TABLES = {
    "SA-01": """
        riyadh: Riyadh, Riyad, Riad | الرياض
        kharj: Al Kharj, As Sih | الخرج, السيح
        diriyah: Diriyah | الدرعية
        majmaah: Al Majmaah | المجمعة
        dawadmi: Ad Dawadmi, Ad Duwadimi | الدوادمي
        zulfi: Az Zulfi | الزلفي
        wadi-ad-dawasir: Wadi Ad Dawasir | وادي الدواسر
        shaqra: Shaqra | شقراء
        afif: Afif, Afeef | عفيف
        muzahimiyah: Al Muzahimiyah, Muzahmiya | المزاحمية
        quwaiiyah: Al Quwayiyah | القويعية
        layla: Layla, Al Aflaj | ليلى, الأفلاج
        hawtat-bani-tamim: Hotat Bani Tamim | حوطة بني تميم, الحوطة
    """,
    "SA-02": """
        jeddah: Jeddah, Jiddah, Jedda, Jidda, Djeddah, Djedda, Gedda, Gidda | جدة
        makkah: Makkah, Mecca, Makka, Mekka, Mekkah, Makkah al Mukarramah, Meca | مكة, مكة المكرمة
        taif: Taif, Taef, Tayif | الطائف
        rabigh: Rabigh, Rabegh | رابغ
        kaec: King Abdullah Economic City | مدينة الملك عبدالله الاقتصادية
        qunfudhah: Al Qunfudhah, Qunfudah, Al Qunfidhah | القنفذة
        lith: Al Lith, Al Laith | الليث
        khulais: Khulais, Khulays | خليص
        jumum: Al Jumum, Al Jamoum | الجموم
        turbah: Turabah, Turaba | تربة
        ranyah: Ranyah, Rania City, Ranya | رنية
        khurmah: Al Khurmah, Khurma | الخرمة
    """,
    "SA-03": """
        madinah: Madinah, Medina, Madina, Al Madinah Al Munawwarah, Al Madinah al Monawara | المدينة, المدينة المنورة
        yanbu: Yanbu, Yanbu al Bahr, Yanbo, Yambo | ينبع, ينبع البحر, ينبع الصناعية
        ula: AlUla, Al Ola | العلا
        khaybar: Khaybar, Khaibar | خيبر
        badr: Badr, Badr Hunayn | بدر, بدر حنين
        mahd: Mahd Adh Dhahab, Mahd Al Thahab | مهد الذهب, المهد
    """,
    "SA-04": """
        dammam: Dammam, Damam, Damman | الدمام
        khobar: Al Khobar, Al Khubar, Al Khobhar | الخبر
        dhahran: Dhahran, Az Zahran, Dahran, Dhahraan | الظهران
        jubail: Al Jubail, Al Jubayl, Jubail Industrial City | الجبيل, الجبيل الصناعية
        ahsa: Al Ahsa, Al Hasa, Al Hassa | الأحساء, الحسا
        hofuf: Al Hofuf, Al Hufuf, Al Hafuf, Hofof | الهفوف
        mubarraz: Al Mubarraz, Al Mubaraz | المبرز
        qatif: Al Qatif, Katif, Al Kateef, Qateef | القطيف
        saihat: Saihat, Sayhat | سيهات
        safwa: Safwa | صفوى, صفوا
        tarout: Tarout, Tarut | تاروت
        hafar-al-batin: Hafar Al Batin, Hafr Al Batin, Hafr Albatin | حفر الباطن, حفرالباطن
        ras-tanura: Ras Tanura, Ras Tannurah, Ras Tanurah | رأس تنورة
        abqaiq: Abqaiq, Buqayq, Baqaiq | بقيق
        khafji: Al Khafji, Ras Al Khafji | الخفجي
        nuayriyah: An Nuayriyah, Nairyah | النعيرية
    """,
    "SA-05": """
        buraydah: Buraydah, Buraidah, Buraida, Burayda, Buraydah Qassim | بريدة
        unayzah: Unaizah, Onaizah, Unaiza | عنيزة
        rass: Ar Rass, Ar Ras | الرس
        bukayriyah: Al Bukayriyah, Bukairiyah | البكيرية
        midhnab: Al Mithnab | المذنب
        badaya: Al Badayea, Al Badai | البدائع
    """,
    "SA-06": """
        hail: Hail, Hael, Hayil | حائل
    """,
    "SA-07": """
        tabuk: Tabuk, Tabouk, Tabook, Tabuuk | تبوك
        umluj: Umluj, Umm Lajj, Omluj | أملج
        wajh: Al Wajh | الوجه
        duba: Duba, Dhuba | ضباء
        tayma: Tayma, Taima | تيماء
        haql: Haql, Hagl | حقل
        neom: NEOM | نيوم
    """,
    "SA-08": """
        arar: Arar | عرعر
        rafha: Rafha | رفحاء
        turaif: Turaif, Turayf, Tarif | طريف
    """,
    "SA-09": """
        jazan: Jazan, Jizan, Gizan, Jaizan, Gazan, Jeezan | جازان, جيزان
        sabya: Sabya, Sabia | صبيا
        abu-arish: Abu Arish, Abo Arish | أبو عريش
        samtah: Samtah, Samta | صامطة
        baish: Baish, Baysh | بيش
        darb: Ad Darb | الدرب
    """,
    "SA-10": """
        najran: Najran, Nejran, Nagran | نجران
        sharurah: Sharurah, Sharoura, Sharourah | شرورة
    """,
    "SA-11": """
        bahah: Al Bahah, Al Baha | الباحة
        baljurashi: Baljurashi, Biljurashi, Baljorashi | بلجرشي
        mikhwah: Al Makhwah, Al Mukhwah | المخواة
    """,
    "SA-12": """
        sakaka: Sakaka, Sakakah, Skaka | سكاكا, سكاكه
        qurayyat: Al Qurayyat, Gurayat, Al Gurayyat, Qurayat | القريات
        dumat-al-jandal: Dumat Al Jandal, Dawmat Al Jandal, Domat Aljandal | دومة الجندل
        tabarjal: Tabarjal, Tubarjal | طبرجل
    """,
    "SA-14": """
        khamis-mushait: Khamis Mushait, Khamis Mushayt, Khamis Mushyt, Khamees Mushait | خميس مشيط, الخميس
        abha: Abha, Ebha | أبها
        bishah: Bisha, Beesha | بيشة
        muhayil: Muhayil, Mahayel, Muhayil Asir, Mahail | محايل عسير, محايل
        namas: An Namas | النماص
        ahad-rafidah: Ahad Rafidah, Ahad Rifaydah, Ahad Rufaidah | أحد رفيدة
        sarat-abidah: Sarat Abidah, Sarat Obeidah | سراة عبيدة
        dhahran-al-janub: Dhahran Al Janub, Dhahran Al Janoub | ظهران الجنوب
        rijal-almaa: Rijal Almaa, Rijal Alma, Rijal Al Ma | رجال ألمع
    """,
}

# What says only what kind of place follows or went before.
_KIND_BEFORE = re.compile(
    r"^(?:(?:المنطقه|منطقه|مدينه|محافظه|(?:city|region|province|governorate|emirate)(?: of)?) )+(?=\S)"
)
_KIND_AFTER = re.compile(r"(?<=\S)(?: (?:city|region|province|governorate|ksa|saudi arabia|السعوديه))+$")
# Latin spellings of the article, assimilated (Ar Riyadh, Ash Sharqiyah) or not.
_ARTICLES = frozenset("ال al el ar er as ash ad adh ed az at ath et an".split())
# A district or the country often follows: "الرياض - حي النرجس", "Riyadh, Saudi Arabia".
_BETWEEN_PLACES = re.compile(r"\s[-–—]\s|[،,/|]")


@lru_cache(maxsize=8192)
def place_key(text):
    """Reduce the name of a place to what its spellings share: no article, no "city of", no spaces; "" for None."""
    name = _KIND_AFTER.sub("", _KIND_BEFORE.sub("", fold_letters(text)))
    words = name.replace("عبد ال", "عبدال").split()  # one name, not a word and its article
    return "".join(_without_arabic_article(word) for word in words if word not in _ARTICLES) or "".join(words)


def _without_arabic_article(word):
    return word[2:] if word.startswith("ال") and len(word) >= 4 else word


def _read_names(line):
    """Split "key: first, second | اول, ثان" into the key and its Latin and Arabic names."""
    key, names = line.strip().split(": ")
    latin, arabic = names.split(" | ")
    return key, latin.split(", "), arabic.split(", ")


def _read_tables():
    """Build the regions, the cities, and for each of them an index from place key to row."""
    regions, cities, region_by_key, city_by_key = {}, {}, {}, {}

    def index(by_key, row, spellings):
        for spelling in spellings:
            if by_key.setdefault(place_key(spelling), row) is not row:
                raise ValueError(f"{spelling} is already another place")

    for line in _REGION_TABLE.strip().splitlines():
        code, latin, arabic = _read_names(line)
        regions[code] = Region(code, arabic[0], latin[0])
        index(region_by_key, regions[code], [code, *latin, *arabic])
    for code, table in _CITY_TABLES.items():
        for line in table.strip().splitlines():
            slug, latin, arabic = _read_names(line)
            cities[slug] = City(slug, arabic[0], latin[0], regions[code].code)
            # The slug is a spelling too, so no text that folds to it can mean another place.
            index(city_by_key, cities[slug], [slug, *latin, *arabic])
    return regions, cities, region_by_key, city_by_key


REGIONS, CITIES, _REGION_BY_KEY, _CITY_BY_KEY = _read_tables()


def _find(text, by_key):
    """The row that the text, or the first part of it that is a place at all, names."""
    for part in _BETWEEN_PLACES.split(text or ""):
        key = place_key(part)
        row = by_key.get(key)
        if row is None and key.startswith("al"):
            row = by_key.get(key[2:])  # Alkhobar, Alahsa
        if row is not None:
            return row
    return None


@lru_cache(maxsize=8192)
def resolve_city(text):
    """Return the City that the text names, in Arabic or English, alone or before its district; None when unknown."""
    return _find(text, _CITY_BY_KEY)


@lru_cache(maxsize=8192)
def resolve_region(text):
    """Return the Region named in Arabic, English, by its official or short name or ISO code; None when unknown."""
    return _find(text, _REGION_BY_KEY)


@lru_cache(maxsize=8192)
def city_key(text):
    """Return what cities are grouped and filtered by: the slug of a known city, else the folded text, "" for none."""
    city = resolve_city(text)
    return city.slug if city else fold_text(text)


@lru_cache(maxsize=8192)
def region_of_city(text):
    """Return the code of the region a city lies in, or "" when unknown; a region typed as a city is itself."""
    city = resolve_city(text)
    if city:
        return city.region
    region = resolve_region(text)
    return region.code if region else ""


def _spellings_of_cities():
    """`{slug: what a search may find it by}`: names with their articles, and the keys of all spellings."""
    spellings = {slug: {fold_letters(city.name), fold_letters(city.name_en)} for slug, city in CITIES.items()}
    for key, city in _CITY_BY_KEY.items():
        spellings[city.slug].add(key)
    return spellings


_SPELLINGS = _spellings_of_cities()


def find_cities(text="", region=None):
    """The Cities of a Region, or of all, that are called so: first those of which a name begins with the text.

    Any spelling of ours will do, with its article or without; "" finds all.
    """
    letters, key = fold_letters(text), place_key(text)
    if text and not letters:
        return []
    begins, contains = [], []
    for city in CITIES.values():
        if region and city.region != region.code:
            continue
        names = _SPELLINGS[city.slug]
        if any(name.startswith((letters, key)) for name in names):
            begins.append(city)
        elif any(letters in name or key in name for name in names):
            contains.append(city)
    return begins + contains
