"""The licence that every advertisement of a property needs: what should be known of it, which never refuses a write."""

import re
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from config.api.labels import notice
from config.clock import current_minute, zone_of
from customers.choices import ListingStatus

# How long before its end a licence is said to expire.
NOTICE = timedelta(days=30)
# 71 and eight digits for individuals, 72 for establishments, as the authority's register shows them.
_NUMBER = re.compile(r"7[12]\d{8}", re.ASCII).fullmatch

MESSAGES = {
    "AD_LICENSE_MISSING": _("A property may be advertised only with an advertising licence; this one has none"),
    "AD_LICENSE_FORMAT": _("An advertising licence has ten digits that begin with 71 or 72"),
    "AD_LICENSE_EXPIRED": _("The advertising licence has expired"),
    "AD_LICENSE_EXPIRING": _("The advertising licence expires within thirty days"),
}


def warnings_of(listing, organization):
    """The notices about a listing on this day of the organization's calendar."""
    today = current_minute().astimezone(zone_of(organization)).date()
    return [notice(code, field, MESSAGES[code]) for code, field in _codes(listing, today)]


def _codes(listing, today):
    number, expiry = listing.ad_license_number, listing.ad_license_expiry
    if not number and listing.status == ListingStatus.AVAILABLE:
        yield "AD_LICENSE_MISSING", "adLicenseNumber"
    if number and not _NUMBER(number):
        yield "AD_LICENSE_FORMAT", "adLicenseNumber"
    if expiry and expiry < today:
        yield "AD_LICENSE_EXPIRED", "adLicenseExpiry"
    elif expiry and expiry <= today + NOTICE:
        yield "AD_LICENSE_EXPIRING", "adLicenseExpiry"
