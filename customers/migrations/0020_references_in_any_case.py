from django.db import migrations, models
from django.db.models.functions import Lower, Trim

# Of references that differ in nothing else the oldest stays; the others carry the id of their listing from now on.
_TELL_APART = """
    UPDATE listings SET reference = left(reference, 49) || ' ' || id
      FROM (SELECT id AS repeated, row_number() OVER (
                PARTITION BY organization_id, lower(btrim(reference)) ORDER BY created_at, id
            ) AS place FROM listings WHERE reference <> '') AS namesakes
     WHERE id = repeated AND place > 1
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0019_names_of_compliance")]
    operations = [
        migrations.RemoveConstraint("listing", "listing_reference_unique"),
        migrations.RunSQL(_TELL_APART, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "listing",
            models.UniqueConstraint(
                "organization",
                Lower(Trim("reference")),
                condition=~models.Q(reference=""),
                name="listing_reference_unique",
            ),
        ),
    ]
