"""What matching keeps: what customers look for, what suits them, which districts are near, and what waits for it.

All of it follows from customers and listings. Rows name them without foreign keys: they are no part of a customer that
a merge would move, and are worked out anew for whoever changes.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.choices import ListingPurpose


def _key(**options):
    return models.CharField(max_length=50, db_collation="C", **options)


def _word():
    return models.CharField(max_length=100, db_collation="C")


def _words():
    return ArrayField(models.TextField(), default=list)


class MatchKey(models.Model):
    """Where one kind of what a customer looks for would be found, and what else the customer wishes of it.

    One row for each purpose, type and city of a customer who is still looking. The type is "" where any will do.
    Prices between `lowest` and `highest` are looked at; `districts` are the wanted ones of this city.
    """

    customer_id = _key()
    organization_id = _key()
    purpose = models.CharField(max_length=20, choices=ListingPurpose)
    type_key = _word()
    city_key = _word()
    lowest = models.FloatField()
    highest = models.FloatField()
    budget_min = models.FloatField(null=True)
    budget_max = models.FloatField(null=True)
    districts = _words()
    bedrooms = models.SmallIntegerField(null=True)
    area_min = models.FloatField(null=True)
    area_max = models.FloatField(null=True)
    amenities = _words()
    bathrooms = models.SmallIntegerField(null=True)
    furnishing = models.CharField(max_length=20, blank=True)
    floor = models.CharField(max_length=20, blank=True)

    class Meta:
        db_table = "match_keys"
        verbose_name = _("wish of a customer")
        verbose_name_plural = _("wishes of customers")
        indexes = [
            models.Index(
                fields=["organization_id", "purpose", "type_key", "city_key", "highest"],
                name="match_key_offer",
                include=["lowest", "customer_id"],
            ),
            models.Index(fields=["customer_id"], name="match_key_customer"),
        ]


class PropertyMatch(models.Model):
    """One of the best available listings for a customer who is still looking.

    `parts` say in hundredths how well it does by each of matching.WEIGHTS, null where one does not apply; `extras`
    count the smaller wishes that it meets.
    """

    pk = models.CompositePrimaryKey("customer_id", "listing_id")
    customer_id = _key()
    listing_id = _key()
    score = models.SmallIntegerField()
    extras = models.SmallIntegerField(default=0)
    parts = ArrayField(models.SmallIntegerField(null=True))
    matched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "property_matches"
        verbose_name = _("property match")
        verbose_name_plural = _("property matches")
        indexes = [models.Index(fields=["listing_id"], name="property_match_listing")]


class DistrictNeighbours(models.Model):
    """The districts of a city that lie near one of them, as far as an organization's listings tell where they are."""

    organization_id = _key()
    city_key = _word()
    district_key = _word()
    near = _words()

    class Meta:
        db_table = "district_neighbours"
        verbose_name = _("neighbours of a district")
        verbose_name_plural = _("neighbours of districts")
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "city_key", "district_key"], name="district_neighbours_of"
            )
        ]


class MatchRequest(models.Model):
    """A listing or a customer that has changed and waits to be matched; a listing may be news to customers."""

    listing_id = _key(null=True)
    customer_id = _key(null=True)
    is_news = models.BooleanField(default=False)

    class Meta:
        db_table = "match_requests"
        verbose_name = _("row to be matched")
        verbose_name_plural = _("rows to be matched")
        indexes = [
            models.Index(
                fields=["listing_id"],
                name="match_request_listing",
                condition=models.Q(listing_id__isnull=False),
            )
        ]
