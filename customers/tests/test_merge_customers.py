"""POST /customers/:id/merge: one of two customers goes into the other, with all that hangs on it."""

from datetime import timedelta

from actions import refreshing as actions
from actions.models import ActionNote, CustomerAction
from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_action, make_customer, nothing_changes
from customers import refreshing
from customers.models import Assignment, Customer, CustomerMerge, PropertyInterest, StageChange, WafiLicense
from customers.pictures import kinds
from customers.services import customer as customers
from customers.tests.two import merge
from realtime.models import Event

# --- Whose value stands -------------------------------------------------------------------------


def test_the_survivor_s_values_stand_and_the_other_s_fill_what_is_missing(as_, layla, ahmed, omar):
    survivor = make_customer(
        ahmed, name="سالم", email="s@hub.test", notes="", total_deal_value=None, stage="site_visit"
    )
    other = make_customer(
        omar, name="سالم ٢", email="o@hub.test", notes="ملاحظة", total_deal_value=5, stage="closing", priority="urgent",
        nationality="Saudi", national_id="1000000008",
    )  # fmt: skip
    shown = merge(as_(layla), survivor, other)["customer"]
    expected = {
        "id": survivor.pk, "name": "سالم", "email": "s@hub.test", "phone": survivor.phone, "notes": "ملاحظة",
        "totalDealValue": 5, "stage": "site_visit", "priority": "medium", "nationality": "Saudi",
        "nationalId": "1000000008", "assignedEmployeeId": ahmed.pk,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected


def test_tags_and_lists_of_preferences_are_united_and_bounds_stay_pairs(as_, layla):
    survivor = make_customer(
        layla, tags=["vip", "نقد"], preferences={"preferredAreas": ["النرجس"], "budgetMin": 900_000, "bedrooms": 3}
    )
    other = make_customer(
        layla, tags=["نقد", "مستثمر"],
        preferences={"preferredAreas": ["الملقا", "النرجس"], "budgetMax": 500_000, "bathrooms": 2, "bedrooms": 5},
    )  # fmt: skip
    shown = merge(as_(layla), survivor, other)["customer"]
    assert shown["tags"] == ["vip", "نقد", "مستثمر"]
    assert shown["preferences"] == {
        "propertyType": [], "preferredAreas": ["النرجس", "الملقا"], "budgetMin": 900_000, "bedrooms": 3, "bathrooms": 2,
    }  # fmt: skip
    survivor.refresh_from_db()
    assert {"tag:مستثمر", "area:الملقا"} <= set(survivor.facets)


def test_a_place_is_filled_within_its_city_and_never_put_together_of_two(as_, layla):
    client = as_(layla)
    for city, district in (("Riyadh", "حي الملقا"), ("جدة", None)):
        survivor = make_customer(layla, city="الرياض")
        other = make_customer(layla, city=city, district="حي الملقا")
        shown = merge(client, survivor, other)["customer"]
        assert (shown["city"], shown.get("district")) == ("الرياض", district)
    survivor, other = make_customer(layla), make_customer(layla, city="جدة", district="الشاطئ")
    shown = merge(client, survivor, other)["customer"]
    assert (shown["city"], shown["district"]) == ("جدة", "الشاطئ")


def test_each_field_may_be_chosen_by_word_or_by_id(as_, layla, ahmed, omar):
    survivor = make_customer(ahmed, name="أول", notes="", tags=["a"], source="inquiry")
    other = make_customer(
        omar, name="ثان", notes="ملاحظة", tags=["b"], source="referral", source_details={"campaign": "x"}
    )
    fields = {
        "name": other.pk, "phone": "merged", "notes": survivor.pk, "tags": "survivor", "source": "merged",
        "assignedEmployeeId": "merged",
    }  # fmt: skip
    shown = merge(as_(layla), survivor, other, fields=fields)["customer"]
    expected = {
        "name": "ثان", "phone": other.phone, "tags": ["a"], "source": "referral", "sourceDetails": {"campaign": "x"},
        "assignedEmployeeId": omar.pk,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected and "notes" not in shown
    hand_over = Assignment.objects.filter(customer=survivor).latest("assigned_at")
    assert (hand_over.from_employee_id, hand_over.to_employee_id) == (ahmed.pk, omar.pk)


def test_a_stage_that_is_chosen_brings_its_history_along(as_, layla):
    survivor, other = make_customer(layla), make_customer(layla)
    customers.change_stage(other, actor=layla, to_stage="closing")
    other.refresh_from_db()
    before = list(StageChange.objects.filter(customer=other).order_by("changed_at", "id"))
    shown = merge(as_(layla), survivor, other, fields={"stage": "merged"})["customer"]
    assert shown["stage"] == "closing" and [change["id"] for change in shown["stageHistory"]] == [
        row.pk for row in before
    ]
    survivor.refresh_from_db()
    assert (survivor.closed_at, survivor.stage_entered_at) == (other.closed_at, other.stage_entered_at)
    assert refreshing.check() == []


def test_created_is_the_earlier_day_and_a_wish_not_to_be_contacted_holds(as_, layla, clock):
    other = make_customer(layla, do_not_contact=True)
    clock.move(days=40)
    survivor = make_customer(layla)
    offer = make_action(layla, survivor, type="property_match")
    shown = merge(as_(layla), survivor, other)["customer"]
    survivor.refresh_from_db()
    assert survivor.created_at == other.created_at and shown["doNotContact"] is True
    offer.refresh_from_db()
    assert offer.status == "dismissed" and refreshing.check() == [] and actions.check() == []


# --- What hangs on them ---------------------------------------------------------------------------


def test_what_hangs_on_customers_is_all_named_by_the_model(survivor):
    """A new kind of row is part of merging by its foreign key; who adds one sees here that it was thought of."""
    assert {kind.table for kind in kinds()} == {
        "action_notes", "appointments", "assignments", "brokerage_contracts", "brokerage_licenses", "consents",
        "customer_actions", "documents", "ejar_contracts", "escrow_milestones", "handover_defects", "interactions",
        "mortgage_infos", "payments", "privacy_requests", "property_interests", "registry_infos", "reminders",
        "sakani_eligibilities", "stage_history", "status_changes", "wafi_licenses",
    }  # fmt: skip
    assert all(kind.of(survivor).exists() for kind in kinds())


def test_every_row_of_the_other_is_the_survivor_s_but_what_a_customer_has_once(as_, layla, survivor, other):
    had = {kind.table: set(kind.of(other).values_list("pk", flat=True)) for kind in kinds()}
    done = merge(as_(layla), survivor, other)
    left = {kind.table: set(kind.of(other).values_list("pk", flat=True)) for kind in kinds()}
    singles = {"brokerage_licenses", "wafi_licenses", "sakani_eligibilities", "registry_infos", "mortgage_infos"}
    # Both have the same property, and the same milestone of the same project.
    stay = singles | {"property_interests", "escrow_milestones", "stage_history", "assignments"}
    for table, keys in had.items():
        if table == "status_changes":
            assert len(keys) == 2 and len(left[table]) == 1  # of the interest that stays
        else:
            assert left[table] == (keys if table in stay else set()), table
    assert done["merge"]["moved"]["interactions"] == 1 and "properties" not in done["merge"]["moved"]
    assert (done["customer"]["totalInteractions"], done["customer"]["totalAppointments"]) == (2, 2)
    assert len(done["customer"]["reminders"]) == 2 and len(done["customer"]["properties"]) == 1


def test_a_single_part_may_be_chosen_and_is_taken_where_there_is_none(as_, layla, survivor, other):
    WafiLicense.objects.filter(customer=survivor).update(notes="للباقي")
    WafiLicense.objects.filter(customer=other).update(notes="للمدموج")
    shown = merge(as_(layla), survivor, other, fields={"wafiLicense": "merged"})["customer"]
    assert shown["ksaCompliance"]["wafiLicense"]["notes"] == "للمدموج"
    assert WafiLicense.objects.get(customer=other).notes == "للباقي"
    bare = make_customer(layla)
    assert merge(as_(layla), bare, survivor)["customer"]["ksaCompliance"]["wafiLicense"]["notes"] == "للمدموج"


def test_properties_and_statuses_that_do_not_clash_move_together(as_, layla, survivor, other):
    interest = PropertyInterest.objects.get(customer=other)
    PropertyInterest.objects.filter(pk=interest.pk).update(property_id="another")
    shown = merge(as_(layla), survivor, other)["customer"]
    assert {row["propertyId"] for row in shown["properties"]} == {"prop_1", "another"}
    entries = data_of(as_(layla).get(f"customers/{survivor.pk}/timeline?types=property_added"))["timeline"]
    assert len(entries) == 2 and all(entry["actor"]["id"] == layla.pk for entry in entries)


def test_actions_follow_with_their_notes_copies_and_hands(as_, layla, ahmed, omar, survivor, other):
    (action,) = CustomerAction.objects.filter(customer=other)
    assert action.assigned_to_id == omar.pk
    merge(as_(layla), survivor, other)
    action.refresh_from_db()
    assert (action.customer_id, action.customer_assignee, action.assigned_to_id) == (survivor.pk, ahmed.pk, ahmed.pk)
    assert action.customer_deleted is False
    assert ActionNote.objects.get(action=action).customer_id == survivor.pk
    assert {row["id"] for row in data_of(as_(ahmed).get("customers/actions"))["actions"]} >= {action.pk}
    assert data_of(as_(omar).get("customers/actions"))["actions"] == []
    assert refreshing.check() == [] and actions.check() == []


# --- Where the other is -----------------------------------------------------------------------------


def test_the_other_leaves_lists_numbers_and_search_like_a_deleted_one(as_, layla, survivor, other):
    client = as_(layla)
    merge(client, survivor, other)
    assert [row["id"] for row in data_of(client.get("customers"))["customers"]] == [survivor.pk]
    assert data_of(client.get("customers/stats"))["stats"]["total"] == 1
    assert data_of(client.post("customers/search", {"query": other.phone}))["results"] == []
    assert data_of(client.get("customers?deleted=only"))["customers"] == []
    (told,) = data_of(client.get(f"customers/{survivor.pk}/merges"))["merges"]
    assert (told["mergedId"], told["merged"]["name"], told["canBeUndone"]) == (other.pk, other.name, True)
    assert [change["toStage"] for change in told["merged"]["stageHistory"]] == ["new_lead"]


def test_the_old_id_answers_for_the_survivor_along_chains_and_refuses_writes(as_, layla, ahmed, survivor, other):
    client, last = as_(layla), make_customer(ahmed)
    merge(client, survivor, other)
    merge(client, last, survivor)
    assert data_of(client.get(f"customers/{other.pk}"))["customer"]["id"] == last.pk
    new = client.get(f"customers/{last.pk}/interactions")
    for _again in range(2):  # the second time from what is kept
        assert data_of(client.get(f"customers/{other.pk}/interactions")) == data_of(new)
    row = data_of(new)["interactions"][0]["id"]
    assert data_of(client.get(f"customers/{other.pk}/interactions/{row}"))["interaction"]["id"] == row
    assert data_of(client.get(f"customers/{other.pk}/timeline"))["timeline"]
    assert data_of(client.get(f"customers/{other.pk}/compliance"))["ksaCompliance"]
    data_of(client.patch(f"customers/{last.pk}", {"notes": "جديد"}))
    assert data_of(client.get(f"customers/{other.pk}"))["customer"]["notes"] == "جديد"
    writes = [
        ("patch", "", {"notes": "x"}), ("delete", "", None), ("delete", "?permanent=true", None),
        ("post", "/restore", {}), ("patch", "/stage", {"toStage": "closing"}), ("post", "/claim", {}),
        ("post", "/interactions", {"type": "call"}), ("patch", f"/interactions/{row}", {"notes": "x"}),
        ("delete", f"/interactions/{row}", None), ("patch", "/compliance/wafi-license", {"notes": "x"}),
        ("post", "/merge", {"mergedId": last.pk}),
    ]  # fmt: skip
    with nothing_changes():
        for method, path, body in writes:
            error = error_of(client.call(method, f"customers/{other.pk}{path}", body), 409, "CONFLICT")
            assert error["details"] == {"mergedInto": last.pk}, path


def test_who_does_not_see_the_survivor_is_told_nothing_of_it(as_, layla, ahmed, omar, noura, survivor, other):
    merge(as_(layla), survivor, other)
    for stranger in (omar, noura):
        error_of(as_(stranger).get(f"customers/{other.pk}"), 404)
        error_of(as_(stranger).get(f"customers/{other.pk}/interactions"), 404)
        error_of(as_(stranger).patch(f"customers/{other.pk}", {"notes": "x"}), 404)
    assert data_of(as_(ahmed).get(f"customers/{other.pk}"))["customer"]["id"] == survivor.pk


def test_reading_a_customer_who_is_there_asks_the_database_no_more_than_before(
    as_, layla, ahmed, survivor, django_assert_num_queries
):
    client = as_(ahmed)
    client.get(f"customers/{survivor.pk}?fields=id")
    with django_assert_num_queries(2):  # is it visible, and the row
        data_of(client.get(f"customers/{survivor.pk}?fields=name"))


def test_a_survivor_that_is_removed_for_good_takes_those_with_it_who_went_into_it(as_, layla, survivor, other):
    client, last = as_(layla), make_customer(layla)
    merge(client, survivor, other)
    merge(client, last, survivor)
    data_of(client.delete(f"customers/{last.pk}?permanent=true"))
    assert not Customer.objects.exists() and not CustomerMerge.objects.exists()
    gone = AuditEntry.objects.filter(row_id__in=[survivor.pk, other.pk, last.pk])
    assert gone.exists() and not gone.exclude(changes=None).exists()


# --- What is told ------------------------------------------------------------------------------------


def test_both_customers_are_told_of_and_audited(as_, layla, ahmed):
    survivor, other = make_customer(ahmed), make_customer(ahmed)
    make_action(layla, other)
    Event.objects.all().delete()
    AuditEntry.objects.all().delete()
    done = merge(as_(layla), survivor, other, reason="سجل مكرر")
    told = {(event.event, event.row_id): event.data for event in Event.objects.all()}
    assert told["customer.deleted", other.pk] == {"mergedInto": survivor.pk}
    (action,) = CustomerAction.objects.all()
    assert told["action.updated", action.pk]["changes"]["customerId"] == survivor.pk
    assert "updatedAt" in told["customer.updated", survivor.pk]["changes"]
    entries = {(entry.row_id, entry.operation): entry.changes for entry in AuditEntry.objects.all()}
    assert entries[other.pk, "update"]["merged_into_id"] == [None, survivor.pk]
    assert entries[survivor.pk, "update"] == {"merges": [None, done["merge"]["id"]]}
    assert entries[done["merge"]["id"], "insert"] is None
    assert done["merge"]["reason"] == "سجل مكرر" and done["merge"]["mergedById"] == layla.pk


# --- Refusals ----------------------------------------------------------------------------------------


def test_malformed_bodies_name_the_field(as_, layla, survivor, other):
    client, path = as_(layla), f"customers/{survivor.pk}/merge"
    with nothing_changes():
        assert fields_of(client.post(path, {})) == ["mergedId"]
        assert fields_of(client.post(path, {"mergedId": 5 * "x" * 50})) == ["mergedId"]
        body = {"mergedId": other.pk, "fields": {"colour": "merged", "name": "cust_else", "leadScore": "merged"}}
        assert set(fields_of(client.post(path, body))) == {"fields.colour", "fields.name", "fields.leadScore"}
        assert fields_of(client.post(path, {"mergedId": other.pk, "fields": []})) == ["fields"]
        assert fields_of(client.post(path, {"mergedId": survivor.pk}), 422) == ["mergedId"]


def test_customers_who_are_gone_or_not_the_caller_s_are_not_merged(as_, layla, fatima, omar, noura, survivor, other):
    client, mine, third = as_(layla), make_customer(layla), make_customer(layla)
    theirs, gone = make_customer(noura), make_customer(layla)
    customers.delete_customer(gone, actor=layla)
    merge(client, mine, third)
    with nothing_changes():
        for key in (theirs.pk, "cust_nobody"):
            error = error_of(client.post(f"customers/{survivor.pk}/merge", {"mergedId": key}), 404)
            assert error["details"] == {"resourceType": "customer", "resourceId": key}
            error_of(client.post(f"customers/{key}/merge", {"mergedId": survivor.pk}), 404)
        for one, another in ((survivor, gone), (gone, survivor)):
            error = error_of(client.post(f"customers/{one.pk}/merge", {"mergedId": another.pk}), 409, "CONFLICT")
            assert error["details"] == {"deletedId": gone.pk}
        error = error_of(client.post(f"customers/{survivor.pk}/merge", {"mergedId": third.pk}), 409, "CONFLICT")
        assert error["details"] == {"mergedInto": mine.pk}
        # Omar's customer is out of Fatima's scope, whichever of both is named first.
        for one, another in ((survivor, other), (other, survivor)):
            error_of(as_(fatima).post(f"customers/{one.pk}/merge", {"mergedId": another.pk}), 404)
        error_of(as_(omar).post(f"customers/{other.pk}/merge", {"mergedId": survivor.pk}), 403)


def test_too_many_tags_together_ask_for_a_choice(as_, layla):
    survivor = make_customer(layla, tags=[f"a{n}" for n in range(30)])
    other = make_customer(layla, tags=[f"b{n}" for n in range(30)])
    with nothing_changes():
        path = f"customers/{survivor.pk}/merge"
        assert fields_of(as_(layla).post(path, {"mergedId": other.pk}), 422) == ["fields.tags"]
    assert merge(as_(layla), survivor, other, fields={"tags": "merged"})["customer"]["tags"] == other.tags


def test_a_stale_version_is_refused(as_, layla, survivor, other):
    client = as_(layla)
    etag = client.get(f"customers/{survivor.pk}")["ETag"]
    data_of(client.patch(f"customers/{survivor.pk}", {"notes": "تغير"}))
    with nothing_changes():
        path, headers = f"customers/{survivor.pk}/merge", {"If-Match": etag}
        error_of(client.post(path, {"mergedId": other.pk}, headers=headers), 412, "PRECONDITION_FAILED")


def test_measures_are_those_of_all_contacts_together(as_, layla, clock):
    client = as_(layla)
    other = make_customer(layla)
    clock.move(hours=10)
    survivor = make_customer(layla)
    first, later = clock.now - timedelta(hours=8), clock.now - timedelta(hours=1)
    for customer, moment in ((other, first), (survivor, later)):
        body = {"type": "call", "direction": "outbound", "date": moment.isoformat()}
        data_of(client.post(f"customers/{customer.pk}/interactions", body), 201)
    shown = merge(client, other, survivor)["customer"]
    assert shown["avgResponseTime"] == 2.0 and shown["totalInteractions"] == 2
    assert shown["lastContactAt"][:19] == later.isoformat()[:19]
