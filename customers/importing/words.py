"""What people call the columns of customer spreadsheets and the words that they write in them, Arabic and English."""

import re
from functools import cache

from config.arabic import fold_letters
from customers.choices import CHANNELS, PROPERTY_TYPES, Gender, Priority, Purpose, Source, Stage, Timeline


def key_of(text):
    """What the spellings of a header or a word share: letters, digits and plus, without articles and brackets."""
    words = fold_letters(re.sub(r"\(.*?\)|\[.*?\]", " ", text).replace("+", "plus")).split()
    return "".join(word[2:] if word.startswith("ال") and len(word) >= 4 else word for word in words)


def spellings_of(enum, **others):
    """`{spelling: word}` of an enum: its words, their labels in English, and what else people write."""
    spellings = {key_of(word): word for word in enum.values}
    for member in enum:
        spellings[key_of(_english(member.label))] = member.value
    for word, texts in others.items():
        spellings |= {key_of(text): word for text in texts.split("، ")}
    return spellings


def _english(label):
    return label._proxy____args[0] if hasattr(label, "_proxy____args") else str(label)


STAGES = spellings_of(
    Stage,
    new_lead="عميل جديد، جديد، عميل محتمل، new، lead",
    qualified="مؤهل، عميل مؤهل",
    property_matching="مطابقة العقارات، مطابقة، مطابقة عقارات، matching",
    site_visit="معاينة، زيارة، زيارة الموقع، معاينة العقار، viewing، visit",
    negotiation="تفاوض، مفاوضة، مفاوضات",
    contract_prep="إعداد العقد، تجهيز العقد، العقد، عقد، contract",
    down_payment="الدفعة الأولى، دفعة أولى، عربون، deposit",
    closing="إتمام الصفقة، إغلاق، إتمام، الإغلاق، closed، close",
    post_sale="ما بعد البيع، بعد البيع، after sale",
)
PRIORITIES = spellings_of(
    Priority,
    low="منخفضة، منخفض، ضعيفة",
    medium="متوسطة، متوسط، عادية، عادي، normal",
    high="عالية، عالي، مرتفعة، مرتفع، مهم",
    urgent="عاجلة، عاجل، طارئة، طارئ، عاجل جدا",
)
SOURCES = spellings_of(
    Source,
    inquiry="استفسار، استعلام، enquiry",
    manual="يدوي، إدخال يدوي، مباشر",
    whatsapp="واتساب، واتس اب، واتس، wa",
    referral="إحالة، توصية، ترشيح، عن طريق صديق",
    **{"import": "استيراد، مستورد، imported"},
)
SOURCES |= {key_of(channel): channel for channel in CHANNELS if key_of(channel) not in SOURCES}
for _channel, _texts in {
    "website": "الموقع، موقع، الموقع الإلكتروني، موقع إلكتروني",
    "phone": "هاتف، الهاتف، جوال",
    "call": "اتصال، مكالمة",
    "email": "بريد، البريد الإلكتروني، بريد إلكتروني، ايميل",
    "instagram": "انستقرام، انستغرام، انستجرام",
    "snapchat": "سناب شات، سناب",
    "tiktok": "تيك توك",
    "facebook": "فيسبوك، فيس بوك",
    "twitter": "تويتر، x",
    "ads": "إعلان، إعلانات",
    "walk_in": "زيارة المكتب، زيارة مكتب",
    "sms": "رسالة نصية",
}.items():
    SOURCES |= {key_of(text): _channel for text in _texts.split("، ")}
TYPES = {key_of(name): word for word, name in PROPERTY_TYPES.items()} | {
    key_of(text): word
    for word, texts in {
        "villa": "villa، villas، فلة، فله، فلل، فيلل",
        "apartment": "apartment، apartments، flat، شقه، شقق",
        "land": "land، plot، أراضي، قطعة أرض",
        "commercial": "commercial، تجارية، محل تجاري، عقار تجاري",
    }.items()
    for text in texts.split("، ")
}
GENDERS = spellings_of(Gender, male="ذكر، رجل، m", female="أنثى، انثي، امرأة، f")
PURPOSES = spellings_of(Purpose, buy="شراء، تملك، purchase", rent="إيجار، استئجار، تأجير", invest="استثمار، investment")
TIMELINES = spellings_of(
    Timeline,
    immediate="فوري، فورا، حالا، الآن، now",
    **{
        "1-3months": "1-3 أشهر، ١-٣ شهور، 1-3 شهور، من 1 إلى 3 أشهر، 1-3",
        "3-6months": "3-6 أشهر، 3-6 شهور، من 3 إلى 6 أشهر، 3-6",
        "6months+": "أكثر من 6 أشهر، 6+ أشهر، 6 أشهر فأكثر، more than 6 months، 6+ months",
    },
)

# What the columns are called, apart from their API names: `model's or preference's name: English | Arabic`.
CUSTOMER_HEADERS = """
    name: full name, customer, customer name, client, client name
        | الاسم, الاسم الكامل, اسم العميل, العميل, الاسم بالعربي, الاسم العربي, الاسم الثلاثي, الاسم الرباعي
    name_en: english name, name in english, name english
        | الاسم بالإنجليزي, الاسم بالإنجليزية, الاسم الإنجليزي, الاسم اللاتيني
    phone: phone number, phone no, mobile, mobile number, mobile no, cell, tel, telephone
        | الجوال, رقم الجوال, الهاتف, رقم الهاتف, الموبايل, رقم الموبايل, جوال العميل, التلفون
    whatsapp: whatsapp number | واتساب, رقم الواتساب, الواتس, واتس اب
    email: e-mail, email address, mail | البريد, البريد الإلكتروني, الإيميل, بريد إلكتروني
    national_id: id number, national id number, iqama, iqama number
        | رقم الهوية, الهوية, الهوية الوطنية, رقم الهوية الوطنية, رقم الإقامة, الإقامة, السجل المدني
    nationality: | الجنسية
    gender: sex | الجنس, النوع
    date_of_birth: birth date, birthday, dob | تاريخ الميلاد, الميلاد
    occupation: job, profession | المهنة, الوظيفة, العمل
    family_size: family members
        | حجم الأسرة, عدد أفراد الأسرة, أفراد الأسرة, حجم العائلة, عدد أفراد العائلة
    customer_type: client type | نوع العميل, تصنيف العميل
    source: lead source | المصدر, مصدر العميل
    stage: status, pipeline stage, lifecycle stage | المرحلة, الحالة, مرحلة العميل
    priority: | الأولوية, الأهمية
    tags: labels | الوسوم, التصنيفات, العلامات
    notes: note, comments, comment, remarks | ملاحظات, الملاحظات, ملاحظة, تعليق, تعليقات
    assigned_employee_id: assigned employee, assignee, assigned to, agent, sales agent, employee, owner
        | الموظف, الموظف المسؤول, المسؤول, المندوب, مسند إلى, الموظف المعين
    total_deal_value: deal value, deal | قيمة الصفقة, إجمالي قيمة الصفقة, إجمالي الصفقة
    city: town | المدينة
    district: neighborhood, neighbourhood, area | الحي, المنطقة
    address: full address | العنوان, العنوان الكامل
    created_at: created, created on, creation date, date, date added, added
        | تاريخ الإضافة, تاريخ الإنشاء, التاريخ, تاريخ التسجيل
    propertyType: property types, property, unit type | نوع العقار, العقار, أنواع العقار, نوع الوحدة
    budgetMin: min budget, minimum budget, budget from
        | الميزانية من, أقل ميزانية, الحد الأدنى للميزانية, الميزانية الأدنى, الميزانية الدنيا
    budgetMax: max budget, maximum budget, budget to, budget
        | الميزانية إلى, أعلى ميزانية, الحد الأعلى للميزانية, الميزانية الأعلى, الميزانية القصوى, الميزانية
    bedrooms: rooms, beds | غرف النوم, عدد الغرف, عدد غرف النوم, الغرف
    bathrooms: baths | دورات المياه, عدد دورات المياه, الحمامات, عدد الحمامات
    purpose: | الغرض, الهدف, الغرض من الشراء
    timeline: time frame | الإطار الزمني, المدة, موعد الشراء, الجدول الزمني
"""


@cache
def columns_by_key(headers):
    """`{key of a header: name of the column}` of a table of headers. A column is also called by its own name."""
    by_key = {}
    for line in re.sub(r"\n +\|", " |", headers.strip()).splitlines():
        name, _colon, others = line.strip().partition(":")
        for text in (name, *re.split(r"[,|]", others)):
            if text.strip():
                by_key[key_of(text)] = name
    return by_key
