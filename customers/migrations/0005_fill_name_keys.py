"""The keys of names that are there already, and the triggers that write down the words of new ones."""

from django.db import migrations

from config.arabic import fold
from customers.names import terms_of

BATCH = 5_000

WORDS_SQL = """
CREATE FUNCTION hub_slips(word text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT left(word, place - 1) || substr(word, place + 1)) || word
      FROM generate_series(1, length(word)) AS place
$$;

-- Not unique on purpose: two who write the same new word at once need not wait for each other.
CREATE FUNCTION note_name_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_words (organization_id, word, slips)
    SELECT organization_id, word, hub_slips(word)
      FROM (SELECT DISTINCT organization_id, substr(key, 2) AS word
              FROM new_rows, unnest(name_keys) AS key WHERE key LIKE '=%') AS news
     WHERE NOT EXISTS (
        SELECT FROM name_words known WHERE known.organization_id = news.organization_id AND known.word = news.word
     );
    RETURN NULL;
END $$;
CREATE TRIGGER note_name_words AFTER INSERT ON customers
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_name_words();

CREATE FUNCTION note_changed_name_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_words (organization_id, word, slips)
    SELECT NEW.organization_id, substr(key, 2), hub_slips(substr(key, 2)) FROM unnest(NEW.name_keys) AS key
     WHERE key LIKE '=%' AND NOT EXISTS (
        SELECT FROM name_words known WHERE known.organization_id = NEW.organization_id AND known.word = substr(key, 2)
     );
    RETURN NULL;
END $$;
CREATE TRIGGER note_changed_name_words AFTER UPDATE OF name_keys ON customers FOR EACH ROW
    WHEN (OLD.name_keys IS DISTINCT FROM NEW.name_keys) EXECUTE FUNCTION note_changed_name_words();
"""
NO_WORDS_SQL = """
DROP TRIGGER note_name_words ON customers;
DROP TRIGGER note_changed_name_words ON customers;
DROP FUNCTION note_name_words();
DROP FUNCTION note_changed_name_words();
DROP FUNCTION hub_slips(text);
"""


def fill(apps, schema_editor):
    """Fold names by the rules of today, a batch at a time."""
    last = ""
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT id, name, name_en FROM customers WHERE id > %s ORDER BY id LIMIT %s", [last, BATCH])
            rows = cursor.fetchall()
            if not rows:
                break
            last = rows[-1][0]
            folded = [(fold(name)[:255], fold(name_en)[:255]) for _id, name, name_en in rows]
            keys = ["{" + ",".join(terms_of(*names)) + "}" for names in folded]
            cursor.execute(
                """
                UPDATE customers c SET name_folded = f.name, name_en_folded = f.name_en, name_keys = f.keys::text[]
                  FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS f (id, name, name_en, keys)
                 WHERE c.id = f.id
                """,
                [[row[0] for row in rows], *map(list, zip(*folded, strict=True)), keys],
            )
        cursor.execute(
            "INSERT INTO name_words (organization_id, word, slips) SELECT organization_id, word, hub_slips(word) FROM "
            "(SELECT DISTINCT organization_id, substr(key, 2) AS word FROM customers, unnest(name_keys) AS key "
            "WHERE key LIKE '=%') AS words"
        )


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_name_keys")]
    operations = [
        migrations.RunSQL(WORDS_SQL, NO_WORDS_SQL),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
