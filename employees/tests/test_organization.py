"""`/organization`: how a brokerage works, read by its people, set by its admins."""

import pytest

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, nothing_changes


def test_everybody_reads_how_their_organization_works(as_, organization, huda, noura):
    shown = data_of(as_(huda).get("organization"))["organization"]
    assert shown == {
        "id": organization.pk,
        "name": "وساطة الرياض",
        "nameEn": "Riyadh Brokers",
        "timeZone": "Asia/Riyadh",
        "weekend": [5, 6],
        "holidays": [],
        "workStarts": "09:00:00",
        "workEnds": "17:00:00",
        "agentsMayClaim": True,
        "opensFirstAction": True,
        "commissionRate": 2.5,
        "gatePreset": "standard",
        "gateRules": {},
        "idCopies": "warn",
    }
    assert data_of(as_(noura).get("organization"))["organization"]["nameEn"] == "Jeddah Homes"


def test_an_admin_sets_it_and_the_audit_knows(as_, layla, organization):
    body = {
        "workStarts": "08:30",
        "weekend": [6, "٥", 6],
        "holidays": ["1447-09-01", "2026-09-23", "2026-02-18"],
        "commissionRate": "٢٫٧٥",
        "falLicenseNumber": "1200012345",
        "falLicenseExpiry": "2027-01-01",
        "gatePreset": "strict",
        "gateRules": {"DEED_REQUIRED": "off"},
        "idCopyDays": 365,
        "deletedDays": 180,
        "id": "org_other",
    }
    shown = data_of(as_(layla).patch("organization", body))["organization"]
    assert {name: shown[name] for name in body} == {
        **body,
        "id": organization.pk,
        "workStarts": "08:30:00",
        "weekend": [5, 6],
        "holidays": ["2026-02-18", "2026-09-23"],
        "commissionRate": 2.75,
    }
    entry = AuditEntry.objects.filter(table_name="organizations", operation="update").get()
    assert entry.actor_id == layla.pk
    assert entry.changes["gate_preset"] == ["standard", "strict"]
    # The next request of an agent goes by it at once.
    data_of(as_(layla).patch("organization", {"falLicenseExpiry": None, "agentsMayClaim": False}))
    assert "falLicenseExpiry" not in data_of(as_(layla).get("organization"))["organization"]


@pytest.mark.parametrize(
    "body, field",
    [
        ({"timeZone": "Riyadh"}, "timeZone"),
        ({"timeZone": "localtime"}, "timeZone"),
        ({"weekend": [0]}, "weekend"),
        ({"weekend": [1, 2, 3, 4, 5, 6, 7]}, "weekend"),
        ({"holidays": ["tomorrow"]}, "holidays"),
        ({"workStarts": "25:00"}, "workStarts"),
        ({"workEnds": "08:00"}, "workEnds"),
        ({"commissionRate": 101}, "commissionRate"),
        ({"commissionRate": -1}, "commissionRate"),
        ({"name": ""}, "name"),
        ({"gatePreset": "lax"}, "gatePreset"),
        ({"gateRules": {"DEED_REQUIRED": "maybe"}}, "gateRules.DEED_REQUIRED"),
        ({"gateRules": {"NO_SUCH_RULE": "off"}}, "gateRules"),
        ({"gateRules": []}, "gateRules"),
        ({"idCopies": "sometimes"}, "idCopies"),
        ({"idCopyDays": 0}, "idCopyDays"),
        ({"deletedDays": 0}, "deletedDays"),
        ({"agentsMayClaim": "perhaps"}, "agentsMayClaim"),
    ],
)
def test_what_cannot_be_is_refused_by_name(as_, layla, body, field):
    with nothing_changes():
        assert field in {name.removesuffix(".0") for name in fields_of(as_(layla).patch("organization", body))}


def test_the_licence_is_read_in_any_digits_and_cleared_by_null(as_, layla):
    for number, shown in (("١٢٠٠٠١٢٣٤٥", "1200012345"), (None, None), ("۱۲۰۰۰۱۲۳۴۵", "1200012345"), ("", None)):
        answer = data_of(as_(layla).patch("organization", {"falLicenseNumber": number}))["organization"]
        assert answer.get("falLicenseNumber") == shown


def test_hours_are_those_of_the_organization_and_take_no_offset(as_, layla):
    for hour in ("08:30+03:00", "08:30Z", "08:30-05", "2030-01-01T08:30", 830, "25:00"):
        with nothing_changes():
            assert fields_of(as_(layla).patch("organization", {"workStarts": hour})) == ["workStarts"]
    for hour in ("08:30", "٠٨:٣٠", "08:30:00"):
        assert (
            data_of(as_(layla).patch("organization", {"workStarts": hour}))["organization"]["workStarts"] == "08:30:00"
        )


def test_nobody_else_sets_it(as_, fatima, ahmed, huda):
    for employee in (fatima, ahmed, huda):
        error = error_of(as_(employee).patch("organization", {"gatePreset": "relaxed"}), 403, "PERMISSION_DENIED")
        assert error["details"]["requiredPermission"] == "settings.write"


def test_of_two_who_change_it_the_second_is_told(as_, layla):
    admin = as_(layla)
    etag = admin.get("organization").headers["ETag"]
    data_of(admin.patch("organization", {"commissionRate": 2}, headers={"If-Match": etag}))
    error_of(admin.patch("organization", {"commissionRate": 3}, headers={"If-Match": etag}), 412)
    assert data_of(admin.get("organization"))["organization"]["commissionRate"] == 2
