"""Every write about listings. REST, the importer and whatever comes later all come here.

`values` are columns of the model, already clean: see serializers.listing.ListingInput for the API's
spelling of them. None clears.
"""

from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.audit import recorded
from config.db import lock, save_changes
from config.places import city_key, region_of_city
from config.signals import changed
from customers.choices import ListingStatus
from customers.models import Listing
from customers.search import amenity_key, district_key, type_key

TAKEN_REFERENCE = gettext_lazy("A listing with this reference exists already")
_NULLABLE = {field.name for field in Listing._meta.fields if field.null}


def create_listing(*, actor, values):
    """A new listing of the actor's organization.

    Raises ValidationError: 409 (`duplicate`) when the reference is taken, 422 when the values contradict each other.
    """
    listing = Listing(organization_id=actor.organization_id)
    for name, value in columns_of(values, listing).items():
        setattr(listing, name, value)
    listing.updated_at = listing.created_at
    with _reference_reported(actor, listing.reference), recorded(actor):
        listing.save(force_insert=True)
        changed.send(Listing, rows=[listing], kind="created", changes=[{}], actor=actor)
    return listing


def update_listing(listing, *, actor, values):
    """Change a listing. Raises what create_listing raises, PreconditionFailed (412) for a stale `If-Match`."""
    with _reference_reported(actor, values.get("reference")), recorded(actor):
        listing = lock(listing, among=Listing.objects.visible_to(actor))
        changes = save_changes(listing, **columns_of(values, listing))
        if changes:
            changed.send(Listing, rows=[listing], kind="updated", changes=[changes], actor=actor)
    return listing


def archive_listing(listing, *, actor):
    """Take a listing off the market for good. It stays: interests, matches and actions name it by its id."""
    return update_listing(listing, actor=actor, values={"status": ListingStatus.ARCHIVED})


def columns_of(values, listing):
    """API values as columns of this listing: cleared, and with the columns that follow from them.

    ValidationError (422) when a floor lies above the building.
    """
    values = dict(values)
    if values.get("amenities", ()) is None:
        values["amenities"] = []
    for name, value in values.items():
        if value is None and name not in _NULLABLE:
            values[name] = ""

    def after(name):
        return values.get(name, getattr(listing, name))

    floor, total = after("floor"), after("total_floors")
    if floor is not None and total is not None and floor > total:
        raise ValidationError({"floor": _("Must not be more than %(other)s") % {"other": "totalFloors"}})
    return values | derived_columns(**{name: after(name) for name in ("type", "city", "district", "amenities")})


def derived_columns(*, type, city, district, amenities):
    """What lists and matching look for, as `{column: value}`; keys are those of customers and of their facets."""
    return {
        "type_key": type_key(type)[:100],
        "city_key": city_key(city)[:100],
        "region": region_of_city(city),
        "district_key": district_key(district),
        "amenity_keys": sorted(set(map(amenity_key, amenities))),
    }


@contextmanager
def _reference_reported(actor, reference):
    """Turn a violation of the reference's uniqueness into a 409."""
    try:
        yield
    except IntegrityError as error:
        if "listing_reference_unique" not in str(error):
            raise
        details = {"field": "reference"}
        namesakes = Listing.objects.visible_to(actor).called([reference])
        if existing := namesakes.values_list("pk", flat=True).first():
            details["existingId"] = existing
        raise ValidationError(TAKEN_REFERENCE, code="duplicate", params=details) from None
