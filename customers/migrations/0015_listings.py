import config.db
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0014_consents'),
        ('employees', '0004_commission_rate'),
    ]

    operations = [
        migrations.CreateModel(
            name='Listing',
            fields=[
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('id', config.db.PrefixedIDField('prop', serialize=False)),
                ('reference', models.CharField(blank=True, max_length=100, verbose_name='reference')),
                ('title', models.CharField(max_length=255, verbose_name='title')),
                ('title_en', models.CharField(blank=True, max_length=255, verbose_name='English title')),
                ('type', models.CharField(max_length=50, verbose_name='type')),
                ('purpose', models.CharField(choices=[('sale', 'For sale'), ('rent', 'For rent')], max_length=20, verbose_name='purpose')),
                ('status', models.CharField(choices=[('available', 'Available'), ('reserved', 'Reserved'), ('sold', 'Sold'), ('rented', 'Rented'), ('archived', 'Archived')], default='available', max_length=20, verbose_name='status')),
                ('price', models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True, verbose_name='price')),
                ('city', models.CharField(blank=True, max_length=100, verbose_name='city')),
                ('district', models.CharField(blank=True, max_length=100, verbose_name='district')),
                ('latitude', models.DecimalField(blank=True, decimal_places=8, max_digits=10, null=True)),
                ('longitude', models.DecimalField(blank=True, decimal_places=8, max_digits=11, null=True)),
                ('bedrooms', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='bedrooms')),
                ('bathrooms', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='bathrooms')),
                ('area', models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True, verbose_name='area')),
                ('floor', models.SmallIntegerField(blank=True, null=True, verbose_name='floor')),
                ('total_floors', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='floors of the building')),
                ('furnishing', models.CharField(blank=True, choices=[('furnished', 'Furnished'), ('unfurnished', 'Unfurnished'), ('semi-furnished', 'Semi-furnished')], max_length=20, verbose_name='furnishing')),
                ('amenities', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None, verbose_name='amenities')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('image_url', models.URLField(blank=True, max_length=1000, verbose_name='image')),
                ('ad_license_number', models.CharField(blank=True, max_length=50, verbose_name='advertising licence')),
                ('ad_license_expiry', models.DateField(blank=True, null=True, verbose_name='expiry of the advertising licence')),
                ('type_key', models.CharField(db_collation='C', editable=False, max_length=100)),
                ('city_key', models.CharField(db_collation='C', editable=False, max_length=100)),
                ('region', models.CharField(editable=False, max_length=5)),
                ('district_key', models.CharField(db_collation='C', editable=False, max_length=100)),
                ('amenity_keys', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, editable=False, size=None)),
                ('title_folded', models.GeneratedField(db_persist=True, expression=models.Func(output_field=models.TextField(db_collation='C'), template='left(hub_fold(title), 255)'), output_field=models.TextField(db_collation='C'))),
                ('searched', models.GeneratedField(db_persist=True, expression=models.Func(output_field=models.TextField(), template="(E'\\n' || hub_fold(title) || E'\\n' || hub_fold(title_en) || E'\\n' || hub_fold(reference))"), output_field=models.TextField())),
                ('location', models.GeneratedField(db_persist=True, expression=models.Func(output_field=models.TextField(), template="(CASE WHEN city <> '' AND district <> '' THEN city || ' - ' || district ELSE city || district END)"), output_field=models.TextField())),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='listings', to='employees.organization')),
            ],
            options={
                'verbose_name': 'listing',
                'verbose_name_plural': 'listings',
                'db_table': 'listings',
                'indexes': [models.Index(fields=['organization', 'status', 'purpose', 'type_key', 'city_key', 'price', 'id'], name='listing_offer'), models.Index(fields=['organization', 'created_at', 'id'], name='listing_added'), models.Index(fields=['organization', 'updated_at', 'id'], name='listing_updated'), models.Index(fields=['organization', 'title_folded', 'id'], name='listing_title'), models.Index(fields=['organization', 'price', 'id'], name='listing_price'), models.Index(fields=['organization', 'area', 'id'], name='listing_area'), models.Index(fields=['organization', 'bedrooms', 'id'], name='listing_bedrooms'), django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass('searched', name='gin_trgm_ops'), name='listing_searched'), django.contrib.postgres.indexes.GinIndex(fields=['organization', 'amenity_keys'], name='listing_amenities')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('reference', ''), _negated=True), fields=('organization', 'reference'), name='listing_reference_unique')],
            },
        ),
        audited(
            "listings",
            columns=[
                "reference", "title", "title_en", "type", "purpose", "status", "price", "city", "district", "latitude",
                "longitude", "bedrooms", "bathrooms", "area", "floor", "total_floors", "furnishing", "amenities",
                "description", "image_url", "ad_license_number", "ad_license_expiry",
            ],
            hidden=[
                "type_key", "city_key", "region", "district_key", "amenity_keys", "title_folded", "searched",
                "location",
            ],
        ),
    ]
