"""The properties that a brokerage has to offer."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Trim
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField, VersionedModel
from customers.choices import LISTING_FURNISHING, ListingPurpose, ListingStatus
from customers.querysets import ListingQuerySet


def _generated(sql, **options):
    text = models.TextField(**options)
    expression = models.Func(template=sql, output_field=text)
    return models.GeneratedField(expression=expression, output_field=text, db_persist=True)


def _amount(name):
    return models.DecimalField(name, max_digits=15, decimal_places=2, null=True, blank=True)


def _of_organization(*columns, name):
    return models.Index(fields=["organization", *columns], name=name)


class Listing(VersionedModel):
    """A property that a brokerage offers for sale or for rent, all of it seen by everybody who works there.

    What customers are told of it elsewhere, such as the title of an interest, is copied there: an
    archived listing stays, so that its id keeps meaning something.
    """

    id = PrefixedIDField("prop")
    organization = models.ForeignKey(
        "employees.Organization", models.CASCADE, db_index=False, related_name="listings", editable=False
    )

    reference = models.CharField(_("reference"), max_length=100, blank=True)
    title = models.CharField(_("title"), max_length=255)
    title_en = models.CharField(_("English title"), max_length=255, blank=True)
    type = models.CharField(_("type"), max_length=50)
    purpose = models.CharField(_("purpose"), max_length=20, choices=ListingPurpose)
    status = models.CharField(_("status"), max_length=20, choices=ListingStatus, default=ListingStatus.AVAILABLE)
    # Riyals: the whole price of a sale, a year's rent.
    price = _amount(_("price"))

    city = models.CharField(_("city"), max_length=100, blank=True)
    district = models.CharField(_("district"), max_length=100, blank=True)
    latitude = models.DecimalField(max_digits=10, decimal_places=8, null=True, blank=True)
    longitude = models.DecimalField(max_digits=11, decimal_places=8, null=True, blank=True)

    bedrooms = models.PositiveSmallIntegerField(_("bedrooms"), null=True, blank=True)
    bathrooms = models.PositiveSmallIntegerField(_("bathrooms"), null=True, blank=True)
    # Square metres.
    area = _amount(_("area"))
    # The ground floor is 0, the top one `total_floors`.
    floor = models.SmallIntegerField(_("floor"), null=True, blank=True)
    total_floors = models.PositiveSmallIntegerField(_("floors of the building"), null=True, blank=True)
    furnishing = models.CharField(_("furnishing"), max_length=20, choices=LISTING_FURNISHING, blank=True)
    amenities = ArrayField(models.CharField(max_length=100), verbose_name=_("amenities"), default=list, blank=True)
    description = models.TextField(_("description"), blank=True)
    image_url = models.URLField(_("image"), max_length=1000, blank=True)

    ad_license_number = models.CharField(_("advertising licence"), max_length=50, blank=True)
    ad_license_expiry = models.DateField(_("expiry of the advertising licence"), null=True, blank=True)

    # What lists and matching look for; see services.listing.derived_columns. Keys are those of customers.
    type_key = models.CharField(max_length=100, editable=False, db_collation="C")
    city_key = models.CharField(max_length=100, editable=False, db_collation="C")
    region = models.CharField(max_length=5, editable=False)
    district_key = models.CharField(max_length=100, editable=False, db_collation="C")
    amenity_keys = ArrayField(models.TextField(), default=list, editable=False)
    title_folded = _generated("left(hub_fold(title), 255)", db_collation="C")
    # A line break keeps matches from running across columns.
    searched = _generated(
        "(E'\\n' || hub_fold(title) || E'\\n' || hub_fold(title_en) || E'\\n' || hub_fold(reference))"
    )
    location = _generated(
        "(CASE WHEN city <> '' AND district <> '' THEN city || ' - ' || district ELSE city || district END)"
    )

    objects = ListingQuerySet.as_manager()

    class Meta:
        db_table = "listings"
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower(Trim("reference")),
                condition=~models.Q(reference=""),
                name="listing_reference_unique",
            ),
        ]
        indexes = [
            # What is on offer to somebody: filters of lists, and matching.
            _of_organization("status", "purpose", "type_key", "city_key", "price", "id", name="listing_offer"),
            _of_organization("created_at", "id", name="listing_added"),
            _of_organization("updated_at", "id", name="listing_updated"),
            _of_organization("title_folded", "id", name="listing_title"),
            _of_organization("price", "id", name="listing_price"),
            _of_organization("area", "id", name="listing_area"),
            _of_organization("bedrooms", "id", name="listing_bedrooms"),
            GinIndex(OpClass("searched", name="gin_trgm_ops"), name="listing_searched"),
            GinIndex(fields=["organization", "amenity_keys"], name="listing_amenities"),
        ]

    def __str__(self):
        return self.title
