"""How fast `import_customers` is: 50,000 rows into 200,000 customers with the audit on.

Prints rows a second and peak memory, and ends with 1 when either misses its limit.
Runs on embedded servers in a temporary folder unless --database-url names a database,
which keeps what the benchmark seeds there, under an organization of its own.
"""

import argparse
import csv
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

ROWS, EXISTING = 50_000, 200_000
BAD_PERCENT, DUPLICATE_PERCENT = 2, 5
LEAST_ROWS_PER_SECOND = 10_000
MOST_MEGABYTES = 400

HEADERS = (
    "الاسم;الاسم بالإنجليزي;الجوال;البريد;المدينة;الحي;المصدر;الأولوية;نوع العقار;الميزانية من;الميزانية إلى;"
    "تاريخ الإضافة;ملاحظات"
).split(";")
GIVEN = (
    "محمد أحمد خالد فهد سعد عبدالله عبدالرحمن تركي ناصر وليد سلطان ماجد مشعل إبراهيم نورة سارة هند منيرة ريم أمل"
).split()
FATHERS = "محمد أحمد فهد سعد عبدالله خالد صالح علي حسن يوسف عبدالعزيز إبراهيم سليمان ناصر".split()
FAMILIES = (
    "العتيبي القحطاني الدوسري الشمري الحربي الغامدي المطيري السبيعي البقمي الزهراني الجهني العنزي المالكي القرني"
).split()
CITIES = [
    "الرياض",
    "جدة",
    "جده",
    "Riyadh",
    "Jeddah",
    "مكة",
    "المدينة المنورة",
    "الدمام",
    "الخبر",
    "أبها",
    "تبوك",
    "بريدة",
]
DISTRICTS = ["", "حي النرجس", "حي الملقا", "حي الياسمين", "حي العليا", "حي الشاطئ"]
SOURCES = ["", "استفسار", "واتساب", "إحالة", "يدوي", "inquiry", "Referral"]
PRIORITIES = ["", "عالية", "متوسطة", "منخفضة", "عاجلة", "high"]
TYPES = ["فيلا", "شقة", "فيلا، شقة", "أرض", "تجاري", "villa"]
BUDGETS = [400, 600, 800, 1200, 1800, 2500, 4000]
DATES = ["", "2026-03-14", "14/03/2026", "2026-03-14 16:20", "1447-09-25"]
NOTES = ["", "عميل جاد", "يفضل الاتصال مساءً", '=HYPERLINK("x")']
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PHONE_FORMS = (
    "0{0}", "{0}", "966{0}", "00966{0}", "+966{0}", "\u202a+966 {1} {2}\u202c", "0{1} {3} {4}", "arabic",
)  # fmt: skip


def name(number):
    chosen = random.Random(number)
    return " ".join(
        (chosen.choice(GIVEN), "بن", chosen.choice(FATHERS), chosen.choice(FATHERS), chosen.choice(FAMILIES))
    )


def phone(number, form):
    """The mobile number 5n as people type it, in one of eight forms."""
    digits = f"5{number:08d}"
    if form == "arabic":
        return f"0{digits}".translate(ARABIC_DIGITS)
    return form.format(digits, digits[:2], digits[2:], digits[2:5], digits[5:])


def row(number):
    lower = random.choice(BUDGETS) * 1000
    return [
        name(number),
        "",
        phone(number, PHONE_FORMS[number % 8]),
        f"c{number}@mail.example" if number % 5 < 2 else "",
        random.choice(CITIES),
        random.choice(DISTRICTS),
        random.choice(SOURCES),
        random.choice(PRIORITIES),
        random.choice(TYPES),
        random.choice(["", str(lower), f"{lower:,}", str(lower).translate(ARABIC_DIGITS)]),
        random.choice(["", str(lower * 2), f"{lower * 2:,}"]),
        random.choice(DATES),
        random.choice(NOTES),
    ]


def spoil(cells, kind):
    column, text = ((2, "0512345"), (0, ""), (7, "فورية"), (11, "31/02/2026"), (9, "مليون"), (3, "not-an-email"))[
        kind % 6
    ]
    return [*cells[:column], text, *cells[column + 1 :]]


def write_file(path, first):
    """50,000 rows from the number `first` on; half of the duplicates repeat a row, half a customer that exists."""
    random.seed(first)
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file, delimiter=";")
        lines.writerow(HEADERS)
        every_bad, every_duplicate = 100 // BAD_PERCENT, 100 // DUPLICATE_PERCENT
        for index in range(ROWS):
            if index % every_bad == 1:
                lines.writerow(spoil(row(first + index), index))
            elif index % every_duplicate == 3:
                lines.writerow(row(first + index - 3) if index % (2 * every_duplicate) == 3 else row(index))
            else:
                lines.writerow(row(first + index))


def seed(organization):
    """Fill the organization up to 200,000 customers, by COPY."""
    from django.db import connection, transaction
    from django.utils import timezone

    from customers.importing.columns import SheetRows
    from customers.importing.copying import copy, line_of
    from customers.models import Customer

    count = Customer.objects.filter(organization=organization).count()
    if count >= EXISTING:
        return
    source = SheetRows(HEADERS, organization=organization, employees={}, stranger="", now=timezone.now())
    random.seed(0)
    for start in range(count, EXISTING, 10_000):
        lines = [line_of(source.copied(source.read(row(number)))) for number in range(start, start + 10_000)]
        with transaction.atomic(), connection.cursor() as cursor:
            copy(cursor.cursor, "customers", source.columns, lines)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE customers")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database-url", help="a database to use instead of an embedded one")
    parser.add_argument("--runs", type=int, default=1, help="the best of so many counts (default: 1)")
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="hub-benchmark-")).resolve()
    folder.chmod(0o711)
    os.environ |= {
        "DEBUG": "true",
        "HUB_DATA": str(folder / "data"),
        "DATABASE_URL": options.database_url or "",
        "REDIS_URL": "",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    from django.conf import settings

    from config import embedded

    try:
        with embedded.running(settings.HUB_DATA, database=settings.EMBEDDED_DATABASE):
            from django.db import connections

            try:
                return run(folder, options.runs)
            finally:
                connections.close_all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(folder, runs):
    import django

    django.setup()
    from django.core.management import call_command

    from config.models import AuditEntry
    from customers.models import Customer
    from employees.models import Organization
    from employees.services import create_organization

    call_command("migrate", verbosity=0)
    organization = Organization.objects.filter(name="Benchmark").first() or create_organization(name="Benchmark")
    print("Seeding up to", EXISTING, "customers", flush=True)
    seed(organization)
    best = 0
    for _attempt in range(runs):
        before = Customer.objects.filter(organization=organization).count()
        path = folder / "rows.csv"
        write_file(path, 30_000_000 + 2 * before)
        started = time.perf_counter()
        try:
            call_command("import_customers", str(path), organization=organization.pk)
        except SystemExit as end:
            if end.code != 2:
                raise
        seconds = time.perf_counter() - started
        inserted = Customer.objects.filter(organization=organization).count() - before
        audited = AuditEntry.objects.filter(table_name="customers", operation="insert", actor_id="system").count()
        if audited < inserted:
            print(f"Only {audited} of {inserted} customers are in the audit")
            return 1
        best = max(best, ROWS / seconds)
        print(f"{ROWS} rows in {seconds:.2f} s: {ROWS / seconds:.0f} rows/s, {inserted} inserted", flush=True)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    print(
        f"rows/s {best:.0f} (at least {LEAST_ROWS_PER_SECOND}), peak memory {megabytes:.0f} MB (under {MOST_MEGABYTES})"
    )
    return 0 if best >= LEAST_ROWS_PER_SECOND and megabytes < MOST_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
