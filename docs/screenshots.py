"""Takes the pictures in docs/screenshots again, of a hub of its own with the demo in it: make screenshots.

python docs/screenshots.py [word…]      only the pictures whose names contain one of the words
"""

import io
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "true"}
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
from PIL import Image  # noqa: E402

django.setup()

from config.tests.browser import MISSING, browser, installed  # noqa: E402
from config.tests.hub import PASSWORD, running_hub  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
WINDOWS = {1366: 1500, 390: 1700}  # width: the height at which a picture ends
LANGUAGES, SCHEMES = ("ar", "en"), ("light", "dark")
CUSTOMERS = "/admin/customers/customer/"
# Two rows that are right, and one of each mistake that agencies make.
FILE = """الاسم,رقم الجوال,المدينة,المرحلة
سارة الحربي,0551234567,الرياض,عميل جديد
خالد العتيبي,0559876543,جدة,مؤهل
,0551112223,الدمام,عميل جديد
نورة القحطاني,12345,الرياض,عميل جديد
فهد الدوسري,0551234567,الرياض,مؤهل
منى الشهري,0553334445,أبها,مرحلة غير معروفة
"""


def customer_of(page, url):
    """Where the first customer of the list has its page."""
    page.open(f"{url}{CUSTOMERS}?stage=negotiation")
    return page.evaluate("document.querySelector('#result_list tbody th a').href")


def import_of(page, url, file):
    """Where an import of a file is shown, after it was checked."""
    page.open(f"{url}/admin/customers/transfer/add/")
    page.attach("#id_file", file)
    page.click("#content [type=submit]")
    page.click("[name=check]")
    while not page.evaluate("!!document.querySelector('[name=confirm]')"):
        page.open(page.evaluate("location.href"))
    return page.evaluate("location.href")


def pictures(url, file, chosen):
    """`(name, PNG)` of each page in each language, scheme and width."""
    with browser() as chromium, chromium.page() as page:
        page.open(f"{url}/admin/login/")
        page.fill("#id_username", "manager@hub.test")
        page.fill("#id_password", PASSWORD)
        page.click("[type=submit]")
        pages = {
            "dashboard": f"{url}/admin/",
            "customers": f"{url}{CUSTOMERS}",
            "customer": customer_of(page, url),
            "import": import_of(page, url, file),
        }
        for name, address in pages.items():
            for language in LANGUAGES:
                page.set_cookie(f"{url}/admin/", "django_language", language)
                for width, height in WINDOWS.items():
                    for scheme in SCHEMES:
                        picture = f"{name}-{language}-{scheme}-{width}"
                        if any(word in picture for word in chosen):
                            page.look(width=width, height=600, dark=scheme == "dark")
                            page.open(address)
                            full = page.evaluate("document.documentElement.scrollHeight")
                            page.look(width=width, height=min(full, height), dark=scheme == "dark")
                            yield picture, page.picture()


def smaller(png):
    """The same picture with 256 colours."""
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        file, "PNG", optimize=True
    )
    return file.getvalue()


def main(chosen):
    if not installed():
        sys.exit(MISSING)
    FOLDER.mkdir(exist_ok=True)
    with running_hub(HUB_RATE_LIMITS="off") as hub, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "عملاء.csv"
        file.write_text(FILE, encoding="utf-8-sig")
        for name, png in pictures(hub.url, file, chosen):
            (FOLDER / f"{name}.png").write_bytes(smaller(png))
            print(name)


if __name__ == "__main__":
    main(sys.argv[1:] or [""])
