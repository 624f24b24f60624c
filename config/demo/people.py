"""The two agencies of the demo, who works there, and how Saudi names are made."""

import random
from typing import NamedTuple

from config.demo.making import SEED, pairs, picker, repeat
from employees.choices import Role

PASSWORD = "demo-hub"
DEMO, OTHER = "org_demo", "org_other"
FLOOR_TEAMS, FLOOR_AGENTS = 12, 60


class Person(NamedTuple):
    """An employee of the demo; `team` is the number of the team, 0 being the default one."""

    id: str
    email: str
    name: str
    name_en: str
    role: str
    team: int
    job_title: str
    extension: int

    @property
    def phone(self):
        return f"+966501110{self.extension:03d}"


ORGANIZATIONS = {
    DEMO: {"name": "وساطة الرياض العقارية", "name_en": "Riyadh Real Estate Brokers"},
    OTHER: {"name": "بيوت جدة للعقارات", "name_en": "Jeddah Homes"},
}
# The first is the default team; the second one's agents see other customers.
TEAMS = [
    ("فريق شمال الرياض", "North Riyadh"),
    ("فريق جدة", "Jeddah"),
    ("فريق الشرقية", "Eastern Province"),
    ("فريق مكة", "Makkah"),
    ("فريق المدينة", "Madinah"),
    ("فريق جنوب الرياض", "South Riyadh"),
    ("فريق شرق الرياض", "East Riyadh"),
    ("فريق غرب الرياض", "West Riyadh"),
    ("فريق القصيم", "Qassim"),
    ("فريق عسير", "Asir"),
    ("فريق تبوك", "Tabuk"),
    ("فريق الاستثمار", "Investment"),
]
_MANAGER, _AGENT = Role.SALES_MANAGER, Role.SALES_AGENT
PEOPLE = [
    Person(*words)
    for words in (
        ("emp_admin", "admin@hub.test", "ليلى العتيبي", "Layla Al-Otaibi", Role.ADMIN, 0, "Managing Director", 1),
        ("emp_manager", "manager@hub.test", "فاطمة الزهراني", "Fatima Al-Zahrani", _MANAGER, 0, "Sales Manager", 2),
        ("emp_agent", "agent@hub.test", "أحمد الغامدي", "Ahmed Al-Ghamdi", _AGENT, 0, "Senior Sales Agent", 3),
        ("emp_agent2", "agent2@hub.test", "عمر الدوسري", "Omar Al-Dosari", _AGENT, 1, "Sales Agent", 4),
        ("emp_viewer", "viewer@hub.test", "هدى القحطاني", "Huda Al-Qahtani", Role.VIEWER, 0, "Accountant", 5),
    )
]
OTHER_TEAM = ("فريق المبيعات", "Sales")
OTHER_ADMIN = Person("emp_other_admin", "admin@other.test", "نورة الحربي", "Noura Al-Harbi", Role.ADMIN, 0, "Owner", 6)


def floor():
    """The further agents of a large demo, `emp_demo_001` and on, spread evenly over the teams."""
    for number in range(FLOOR_AGENTS):
        name, name_en, _is_male = saudi_name(random.Random(SEED - 1 - number), short=True)
        key, title = f"{number + 1:03d}", ("Sales Agent", "Senior Sales Agent")[number % 3 == 0]
        team, extension = number % FLOOR_TEAMS, 100 + number
        yield Person(f"emp_demo_{key}", f"agent{key}@hub.test", name, name_en, _AGENT, team, title, extension)


class Staff:
    """Who the customers of an organization are assigned to, in which proportion (None is nobody), and by whom."""

    def __init__(self, names, shares, deciders):
        self.names, self.shares, self.deciders = names, repeat(shares), deciders

    def mover(self, owner, decider):
        """Who moves a customer along its stages: the owner, unless that is nobody or one who may only look."""
        return decider if owner in (None, "emp_viewer") else owner

    @classmethod
    def of_core(cls):
        shares = {"emp_agent": 44, "emp_agent2": 30, "emp_manager": 12, "emp_viewer": 6, None: 8}
        return cls({person.id: person.name for person in PEOPLE}, shares, ("emp_manager", "emp_admin"))

    @classmethod
    def of_floor(cls):
        """The manager's team has a tenth, the other teams the rest; agents from 0.1 to 2.7 percent, agent@ a few."""
        shares, names = {None: 80, "emp_agent": 1, "emp_agent2": 4}, {person.id: person.name for person in PEOPLE}
        for number, person in enumerate(floor()):
            names[person.id] = person.name
            among_five = (1, 14, 18, 19, 23)[number // FLOOR_TEAMS]
            shares[person.id] = among_five + 4 * (person.team == 0 and among_five > 1)
        return cls(names, shares, ("emp_manager", "emp_admin"))

    @classmethod
    def of_other(cls):
        return cls({OTHER_ADMIN.id: OTHER_ADMIN.name}, {OTHER_ADMIN.id: 9, None: 1}, (OTHER_ADMIN.id,))


MEN = pairs("""
    محمد Mohammed, عبدالله Abdullah, أحمد Ahmed, عبدالرحمن Abdulrahman, خالد Khalid, فهد Fahad, سعد Saad, سعود Saud,
    سلطان Sultan, فيصل Faisal, عبدالعزيز Abdulaziz, ناصر Nasser, ماجد Majed, تركي Turki, بندر Bandar, نواف Nawaf,
    مشعل Mishal, طلال Talal, يوسف Yousef, إبراهيم Ibrahim, علي Ali, حسن Hassan, حسين Hussain, عمر Omar, سامي Sami,
    صالح Saleh, سليمان Sulaiman, راشد Rashid, منصور Mansour, وليد Waleed, هاني Hani, ياسر Yasser, رائد Raed, زياد Ziyad,
    عادل Adel, بدر Badr, حمد Hamad, مساعد Musaed, عبدالملك Abdulmalik, عبدالإله Abdulelah, أنس Anas, باسل Basel,
    معاذ Muath, حمزة Hamza, ريان Rayan, متعب Mutaib, غازي Ghazi, عصام Essam, جابر Jaber, مبارك Mubarak
""")
_WOMEN = pairs("""
    فاطمة Fatimah, نورة Noura, سارة Sarah, ريم Reem, هدى Huda, منى Mona, أمل Amal, هند Hind, لطيفة Latifa, مها Maha,
    عائشة Aisha, خديجة Khadija, مريم Maryam, شهد Shahad, لمى Lama, دانة Dana, غادة Ghada, أسماء Asma, وفاء Wafa,
    ابتسام Ibtisam, حصة Hessa, الجوهرة Aljawharah, العنود Alanoud, رهف Rahaf, جواهر Jawaher, سمية Sumayyah,
    نجلاء Najla, عبير Abeer, بشاير Bashayer, أروى Arwa
""")
_FAMILIES = pairs("""
    القحطاني Al-Qahtani, العتيبي Al-Otaibi, الغامدي Al-Ghamdi, الزهراني Al-Zahrani, الحربي Al-Harbi, الشمري Al-Shammari,
    الدوسري Al-Dosari, المطيري Al-Mutairi, العنزي Al-Anazi, الشهري Al-Shehri, السبيعي Al-Subaie, البقمي Al-Buqami,
    الرشيدي Al-Rashidi, الجهني Al-Juhani, البلوي Al-Balawi, العسيري Al-Asiri, اليامي Al-Yami, المالكي Al-Malki,
    الثقفي Al-Thaqafi, السلمي Al-Sulami, الأحمدي Al-Ahmadi, العمري Al-Amri, الخالدي Al-Khaldi, التميمي Al-Tamimi,
    الراشد Al-Rashed, السديري Al-Sudairi, العجمي Al-Ajmi, الهاجري Al-Hajri, المري Al-Marri, القرني Al-Qarni,
    الأسمري Al-Asmari, البيشي Al-Bishi, الشريف Al-Sharif, الفيفي Al-Faifi, الحازمي Al-Hazmi, العوفي Al-Oufi,
    الصاعدي Al-Saedi, المولد Al-Muwallad, باوزير Bawazir, باجابر Bajaber, الحسيني Al-Husseini,
    الخليفة Al-Khalifa, النعيمي Al-Nuaimi, الفهد Al-Fahad, السالم Al-Salem, الصالح Al-Saleh, المنصور Al-Mansour,
    العيسى Al-Issa, الموسى Al-Mousa, السعيد Al-Saeed, الحمدان Al-Hamdan, الربيعة Al-Rabiah, الفوزان Al-Fawzan,
    العثيمين Al-Uthaymeen, الجاسر Al-Jasser, الداود Al-Dawood, الخضير Al-Khudair, المهنا Al-Muhanna, الشايع Al-Shaya
""")


def saudi_name(rng, *, short=False):
    """`(Arabic, Latin, is male)`: given name, often the father's, family name; spelled as people spell."""
    pick = picker(rng)
    is_male = rng.random() < 0.72
    given, father, family = pick(MEN if is_male else _WOMEN), pick(MEN), pick(_FAMILIES)
    style = 1 if short else rng.random()
    if style < 0.3:
        son = ("بنت", "bint") if not is_male else ("بن", "bin")
        return f"{given[0]} {son[0]} {father[0]} {family[0]}", f"{given[1]} {son[1]} {father[1]} {family[1]}", is_male
    if style < 0.5:
        return f"{given[0]} {father[0]} {family[0]}", f"{given[1]} {father[1]} {family[1]}", is_male
    name, latin = f"{given[0]} {family[0]}", f"{given[1]} {family[1]}"
    if style < 0.58:
        name = name.replace("عبدال", "عبد ال").replace("أ", "ا").replace("إ", "ا")
    return name, latin, is_male
