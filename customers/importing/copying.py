"""Rows as PostgreSQL's COPY takes them."""

from datetime import datetime

import orjson

# What stands for NULL: a control character, which no text of the hub contains.
NULL = "\x01"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED_IN_ARRAYS = str.maketrans({"\\": "\\\\", '"': '\\"'})


def copied_value(value):
    """A column's value as the text that COPY writes."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return array_text(value) if isinstance(value, list) else str(value)


def array_text(texts):
    """A text array as PostgreSQL reads it."""
    return "{" + ",".join([f'"{text.translate(_QUOTED_IN_ARRAYS)}"' for text in texts]) + "}" if texts else "{}"


def line_of(texts):
    """One row of texts as a line of COPY."""
    # A csv.writer looks at every character, which takes longer than everything else that a row needs.
    line = "\t".join(texts)
    if "\\" in line or "\n" in line or "\r" in line or line.count("\t") != len(texts) - 1:
        return "\t".join([text.translate(_ESCAPED) for text in texts])
    return line


def copy(cursor, table, names, lines):
    """COPY lines into a table, over a cursor of psycopg."""
    if not lines:
        return
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT text, NULL '{NULL}')"
    with cursor.copy(statement) as stream:
        stream.write("\n".join([*lines, ""]))


def rewrite(cursor, table, names, rows):
    """Give rows, `(id, *values)` each, other values in the columns of these names, by one UPDATE."""
    columns = ("id", *names)
    cursor.execute("DROP TABLE IF EXISTS import_changes")
    cursor.execute(
        f"CREATE TEMPORARY TABLE import_changes ON COMMIT DROP AS SELECT {', '.join(columns)} FROM {table} LIMIT 0"
    )
    copy(cursor, "import_changes", columns, [line_of([copied_value(value) for value in row]) for row in rows])
    assigned = ", ".join(f"{name} = i.{name}" for name in names)
    cursor.execute(f"UPDATE {table} t SET {assigned} FROM import_changes i WHERE t.id = i.id")
