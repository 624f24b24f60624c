"""What people call the columns of listing spreadsheets and the words that they write in them, Arabic and English."""

from customers.choices import AMENITIES, LISTING_FURNISHING, ListingPurpose, ListingStatus
from customers.importing.words import key_of, lines_of, spellings_of

PURPOSES = spellings_of(
    ListingPurpose,
    sale="بيع، للبيع، sell، buy، شراء، تمليك",
    rent="إيجار، للإيجار، تأجير، للتأجير، lease، for lease",
)
STATUSES = spellings_of(
    ListingStatus,
    available="متاح، متاحة، متوفر، متوفرة، شاغر، شاغرة، active، vacant",
    reserved="محجوز، محجوزة، حجز، booked، hold",
    sold="مباع، مباعة، تم البيع، بيعت",
    rented="مؤجر، مؤجرة، تم التأجير، leased",
    archived="مؤرشف، مؤرشفة، أرشيف، غير متاح، ملغي، off market، off_market، inactive، withdrawn",
)
_FURNISHING_WORDS = {
    "furnished": "مفروش، مفروشة، مؤثث، مؤثثة، yes، نعم",
    "unfurnished": "غير مفروش، غير مفروشة، غير مؤثث، غير مؤثثة، بدون أثاث، no، لا",
    "semi-furnished": "شبه مفروش، شبه مفروشة، مفروش جزئيا، نصف مفروش، partly furnished، semi furnished",
}
FURNISHINGS = {key_of(word): word for word, _label in LISTING_FURNISHING} | {
    key_of(text): word for word, texts in _FURNISHING_WORDS.items() for text in texts.split("، ")
}
AMENITY_WORDS = {key_of(name): word for word, name in AMENITIES.items()} | {
    key_of(word.replace("_", " ")): word for word in AMENITIES
}
FLOORS = {key_of(text): "0" for text in ("أرضي", "الدور الأرضي", "ground", "ground floor")}

# As in words.py; the first Arabic name is what `--help` tells.
LISTING_HEADERS = """
    id: Listing ID, property id | المعرف, معرف العقار
    reference: Reference, reference number, ref, ref no, code, property code, listing code, unit code
        | رقم العقار, الرقم المرجعي, المرجع, الكود, كود العقار, رقم الوحدة, الرمز
    title: Title, name, listing title, property title, property name | العنوان, اسم العقار, عنوان الإعلان, العقار, الاسم
    title_en: English title, title in english, english name
        | العنوان بالإنجليزي, العنوان بالإنجليزية, العنوان الإنجليزي, الاسم بالإنجليزي
    type: Property type, unit type, category | نوع العقار, النوع, نوع الوحدة, التصنيف
    purpose: Purpose, offer, offer type, listing type, transaction | الغرض, نوع العرض, نوع العملية, نوع الإعلان, العرض
    status: Status, availability, state of listing | الحالة, حالة العقار, التوفر
    price: Price, price sar, amount, rent, annual rent, yearly rent, asking price
        | السعر, سعر العقار, الإيجار السنوي, الإيجار, المبلغ, القيمة, سعر البيع
    city: City, town | المدينة
    district: District, neighborhood, neighbourhood | الحي
    latitude: Latitude, lat | خط العرض
    longitude: Longitude, lng, lon, long | خط الطول
    bedrooms: Bedrooms, rooms, beds | غرف النوم, عدد الغرف, عدد غرف النوم, الغرف
    bathrooms: Bathrooms, baths | دورات المياه, عدد دورات المياه, الحمامات, عدد الحمامات
    area: Area, area sqm, size, space, sqm, m2 | المساحة, مساحة العقار, المساحة بالمتر
    floor: Floor, floor number, level | الدور, رقم الدور, الطابق
    total_floors: Floors, total floors, number of floors, storeys | عدد الأدوار, الأدوار, عدد الطوابق
    furnishing: Furnishing, furnished, furniture | التأثيث, الفرش, مفروش
    amenities: Amenities, features, facilities | المرافق, المميزات, المزايا, الخدمات
    description: Description, details, notes, remarks | الوصف, التفاصيل, وصف العقار, ملاحظات
    image_url: Image, photo, picture, image link, photo link | الصورة, رابط الصورة, صورة العقار
    ad_license_number: Ad licence, ad license, ad license no, advertising license, license number, licence number
        | رقم ترخيص الإعلان, ترخيص الإعلان, رخصة الإعلان, رقم الترخيص, رقم رخصة الإعلان
    ad_license_expiry: Ad licence expiry, ad license expiry date, license expiry, licence expiry
        | تاريخ انتهاء الترخيص, انتهاء الترخيص, تاريخ انتهاء ترخيص الإعلان, انتهاء رخصة الإعلان
    created_at: Created, created on, date added, added, date | تاريخ الإضافة, تاريخ الإنشاء, التاريخ
"""


def columns_told():
    """The columns in one sentence, each with its first Arabic name."""
    return ", ".join(f"{name} ({arabic[0]})" for name, _english, arabic in lines_of(LISTING_HEADERS))
