"""How tests run the import commands and read what they say."""

import csv
import io
import json

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
