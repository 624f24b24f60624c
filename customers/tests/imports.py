"""How tests run the import commands and read what they say."""

import csv
import io
import json
import zipfile

import openpyxl
from django.core.management import call_command


def run_import(command, path, content, encoding, **options):
    """Import text, bytes or an object; gives `(exit code, {summary}, [error rows])`."""
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content, ensure_ascii=False)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    out, code = io.StringIO(), 0
    try:
        call_command(command, str(path), **{"stdout": out, "stderr": io.StringIO(), **options})
    except SystemExit as end:
        code = end.code
    counts = dict(line.split(": ") for line in out.getvalue().splitlines() if line.count(": ") == 1)
    summary = {name: int(count) for name, count in counts.items() if count.isdigit()}
    errors = path.with_name(f"{path.name}.errors.csv")
    found = []
    if errors.exists():
        assert errors.read_bytes().startswith(b"\xef\xbb\xbf")
        found = list(csv.DictReader(io.StringIO(errors.read_text("utf-8-sig"))))
    return code, summary, found


def reasons(found, severity="error"):
    return [(line["row"], line["column"], line["reason"]) for line in found if line["severity"] == severity]


def workbook(*rows, sheet=None):
    """The bytes of an xlsx file with these rows; `sheet` is its XML, where openpyxl would not write such a thing."""
    book, content, changed = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    if sheet is None:
        return content.getvalue()
    with zipfile.ZipFile(content) as before, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else before.read(name))
    return changed.getvalue()
