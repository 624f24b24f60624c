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
        "1-3months": "من شهر إلى 3 أشهر، 1-3 أشهر، ١-٣ شهور، 1-3 شهور، من 1 إلى 3 أشهر، 1-3",
        "3-6months": "3-6 أشهر، 3-6 شهور، من 3 إلى 6 أشهر، 3-6",
        "6months+": "أكثر من 6 أشهر، 6+ أشهر، 6 أشهر فأكثر، more than 6 months، 6+ months",
    },
)

# What the columns are called, apart from their API names: `model's or preference's name: English | Arabic`.
# The first of each is what exports, and the pages of the back office, call them.
CUSTOMER_HEADERS = """
    name: Name, full name, customer, customer name, client, client name
        | الاسم, الاسم الكامل, اسم العميل, العميل, الاسم بالعربي, الاسم العربي, الاسم الثلاثي, الاسم الرباعي
    name_en: English name, name in english, name english
        | الاسم بالإنجليزي, الاسم بالإنجليزية, الاسم الإنجليزي, الاسم اللاتيني
    phone: Phone, phone number, phone no, mobile, mobile number, mobile no, cell, tel, telephone
        | الجوال, رقم الجوال, الهاتف, رقم الهاتف, الموبايل, رقم الموبايل, جوال العميل, التلفون
    whatsapp: WhatsApp, whatsapp number | واتساب, رقم الواتساب, الواتس, واتس اب
    email: E-mail, email address, mail | البريد الإلكتروني, البريد, الإيميل, بريد إلكتروني
    national_id: National ID, id number, national id number, iqama, iqama number
        | رقم الهوية, الهوية, الهوية الوطنية, رقم الهوية الوطنية, رقم الإقامة, الإقامة, السجل المدني
    nationality: Nationality | الجنسية
    gender: Gender, sex | الجنس, النوع
    date_of_birth: Date of birth, birth date, birthday, dob | تاريخ الميلاد, الميلاد
    occupation: Occupation, job, profession | المهنة, الوظيفة, العمل
    family_size: Family size, family members
        | حجم الأسرة, عدد أفراد الأسرة, أفراد الأسرة, حجم العائلة, عدد أفراد العائلة
    customer_type: Customer type, client type | نوع العميل, تصنيف العميل
    source: Source, lead source | المصدر, مصدر العميل
    stage: Stage, status, pipeline stage, lifecycle stage | المرحلة, الحالة, مرحلة العميل
    priority: Priority | الأولوية, الأهمية
    tags: Tags, labels | الوسوم, التصنيفات, العلامات
    notes: Notes, note, comments, comment, remarks | ملاحظات, الملاحظات, ملاحظة, تعليق, تعليقات
    assigned_employee_id: Assigned employee, assignee, assigned to, agent, sales agent, employee, owner
        | الموظف المسؤول, الموظف, المسؤول, المندوب, مسند إلى, الموظف المعين
    total_deal_value: Deal value, deal | قيمة الصفقة, إجمالي قيمة الصفقة, إجمالي الصفقة
    city: City, town | المدينة
    district: District, neighborhood, neighbourhood, area | الحي, المنطقة
    address: Address, full address | العنوان, العنوان الكامل
    created_at: Created, created on, creation date, date, date added, added
        | تاريخ الإضافة, تاريخ الإنشاء, التاريخ, تاريخ التسجيل
    propertyType: Property types, property, unit type | نوع العقار, العقار, أنواع العقار, نوع الوحدة
    budgetMin: Budget from, min budget, minimum budget
        | الميزانية من, أقل ميزانية, الحد الأدنى للميزانية, الميزانية الأدنى, الميزانية الدنيا
    budgetMax: Budget to, max budget, maximum budget, budget
        | الميزانية إلى, أعلى ميزانية, الحد الأعلى للميزانية, الميزانية الأعلى, الميزانية القصوى, الميزانية
    bedrooms: Bedrooms, rooms, beds | غرف النوم, عدد الغرف, عدد غرف النوم, الغرف
    bathrooms: Bathrooms, baths | دورات المياه, عدد دورات المياه, الحمامات, عدد الحمامات
    purpose: Purpose | الغرض, الهدف, الغرض من الشراء
    timeline: Timeline, time frame | الإطار الزمني, المدة, موعد الشراء, الجدول الزمني
"""


@cache
def columns_by_key(headers):
    """`{key of a header: name of the column}` of a table of headers. A column is also called by its own name."""
    named = lines_of(headers)
    return {key_of(text): name for name, *languages in named for text in (name, *languages[0], *languages[1])}


@cache
def labels_by_column(headers, language):
    """`{name of the column: what people call it}` of a table of headers, in its order."""
    return {name: (arabic if language == "ar" else english)[0] for name, english, arabic in lines_of(headers)}


@cache
def lines_of(headers):
    """`[(name of the column, English names, Arabic names)]` of a table of headers."""
    lines = re.sub(r"\n +\|", " |", headers.strip()).splitlines()
    parts = [re.split(r"[:|]", line) for line in lines]
    return [(name.strip(), *([text.strip() for text in texts.split(",")] for texts in both)) for name, *both in parts]
