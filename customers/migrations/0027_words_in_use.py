"""Whoever writes a name holds its words, so that nobody forgets one before the name is there to be seen."""

from django.db import migrations

NOTE_SQL = """
CREATE OR REPLACE FUNCTION note_name_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_words (organization_id, word, slips)
    SELECT organization_id, word, hub_slips(word)
      FROM (SELECT DISTINCT organization_id, substr(key, 2) AS word
              FROM new_rows, unnest(name_keys) AS key WHERE key LIKE '=%' ORDER BY 1, 2) AS news
     WHERE NOT EXISTS (
        SELECT FROM name_words known
         WHERE known.organization_id = news.organization_id AND known.word = news.word {held}
     );
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_changed_name_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_words (organization_id, word, slips)
    SELECT NEW.organization_id, word, hub_slips(word)
      FROM (SELECT DISTINCT substr(key, 2) AS word FROM unnest(NEW.name_keys) AS key
             WHERE key LIKE '=%' ORDER BY 1) AS news
     WHERE NOT EXISTS (
        SELECT FROM name_words known
         WHERE known.organization_id = NEW.organization_id AND known.word = news.word {held}
     );
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0026_names_in_the_back_office")]
    operations = [
        migrations.RunSQL(NOTE_SQL.format(held="FOR KEY SHARE"), NOTE_SQL.format(held="")),
    ]
