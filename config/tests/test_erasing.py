"""After a person was erased, or removed for good, nothing of theirs is in the database, the storage or Valkey."""

import pytest
from django.contrib.postgres.fields import ArrayField
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models

from actions.models import ActionNote, CustomerAction
from config.arabic import fold
from config.audit import recorded
from config.counts import check
from config.models import AuditEntry
from config.testing import _redis, data_of, error_of, fields_of, make_action, make_customer, make_phone, nothing_changes
from config.tests.test_permission_matrix import make_children
from customers.counting import TABLES
from customers.models import Customer, CustomerWord, Interaction, NameWord, PrivacyRequest, StageChange
from customers.models.child import CustomerChild
from customers.services import erasing, transfer
from customers.transferring import run_next
from documents.models import Document
from documents.tests.files import pdf, stored, upload
from realtime.models import Event

ARABIC, LATIN = "كنارغريب", "zqxwcanary"
TEXT = f"{ARABIC} {LATIN}"
PHONE, WHATSAPP, NATIONAL_ID, OTHER_PHONE = "+966512399871", "+966512399872", "1000000008", "+966512399873"
OURS = {"agent_name", "agent_id", "created_by", "created_by_id", "recorded_by", "recorded_by_id", "uploaded_by",
        "uploaded_by_id", "identity_verified_by", "identity_verified_by_id", "storage_key", "mime_type", "origin",
        "rule", "customer_assignee", "city_key", "region", "last_contact_type"}  # fmt: skip


def merge_a_twin(client, body, path):
    """The same person, written down twice, with all that hangs on the second."""
    twin = {**body, "phone": OTHER_PHONE, "whatsapp": None, "nationalId": None}
    key = data_of(client.post("customers", twin), 201)["customer"]["id"]
    data_of(client.post(f"customers/{key}/interactions", {"type": "note", "notes": TEXT}), 201)
    data_of(client.post(f"{path}/merge", {"mergedId": key, "reason": TEXT}))


def leave_files(actor):
    """An export with the person in it, and an import whose error file names them."""
    transfer.start_export(actor=actor, what="customers")
    text = f"name,phone\n{TEXT},{PHONE}\n{TEXT},051\n"
    file = SimpleUploadedFile(f"{LATIN}.csv", text.encode())
    transfer.check(transfer.start_import(actor=actor, file=file, what="customers"), actor=actor)
    while run_next():
        pass


@pytest.fixture
def person(transactional_db, as_, layla, ahmed):
    """Somebody who has left something in every column and every place."""
    client = as_(layla)
    body = {
        "name": TEXT, "nameEn": LATIN, "phone": PHONE, "whatsapp": WHATSAPP, "email": f"{LATIN}@example.com",
        "nationalId": NATIONAL_ID, "nationality": TEXT, "occupation": TEXT, "customerType": TEXT, "notes": TEXT,
        "address": TEXT, "city": TEXT, "district": TEXT, "tags": [TEXT], "sourceDetails": {"campaign": TEXT},
        "preferences": {"propertyType": [TEXT], "preferredAreas": [TEXT], "notes": TEXT},
        "assignedEmployeeId": ahmed.pk,
    }  # fmt: skip
    made = client.post("customers", body, HTTP_IDEMPOTENCY_KEY="made")
    customer = Customer.objects.get(pk=data_of(made, 201)["customer"]["id"])
    path = f"customers/{customer.pk}"
    make_children(layla, customer, title=TEXT)
    data_of(client.patch(f"{path}/stage", {"toStage": "negotiation", "reason": TEXT, "notes": TEXT}))
    data_of(client.post(f"{path}/assign", {"employeeId": layla.pk, "notes": TEXT}))
    call = {"type": "call", "notes": TEXT, "outcome": TEXT, "followUpRequired": True}
    data_of(client.post(f"{path}/interactions", call, HTTP_IDEMPOTENCY_KEY="called"), 201)
    gone = data_of(client.post(f"{path}/interactions", call), 201)["interaction"]["id"]
    data_of(client.delete(f"{path}/interactions/{gone}"))
    data_of(upload(client, customer, pdf(b"% zqxwcanary"), name=TEXT, description=TEXT), 201)
    removed = data_of(upload(client, customer, pdf(b"% zqxwcanary"), name=TEXT), 201)["document"]["id"]
    data_of(client.delete(f"{path}/documents/{removed}"))
    fill_every_text(customer, layla)
    make_action(layla, customer, title=TEXT, description=TEXT, notes=TEXT, metadata={"k": TEXT})
    done = make_action(layla, customer, title=TEXT)
    options = {"notes": TEXT, "outcome": TEXT}
    data_of(client.post(f"customers/actions/{done.pk}/complete", options, HTTP_IDEMPOTENCY_KEY="completed"))
    data_of(client.patch(path, {"name": f"{TEXT} ثان", "email": f"{LATIN}2@example.com", "notes": f"{TEXT} ثان"}))
    merge_a_twin(client, body, path)
    leave_files(layla)
    client.post(f"{path}/privacy-requests", {"kind": "destroy", "outcome": TEXT, "identityVerified": True})
    for read in (path, "customers", f"{path}/timeline", f"{path}/interactions", "customers/actions",
                 "customers/filters", f"{path}/compliance", f"{path}/documents"):  # fmt: skip
        data_of(client.get(read))
    customer.refresh_from_db()
    return customer


def fill_every_text(customer, actor):
    """Put the canary into every text column of every row that hangs on the customer, so that none is forgotten."""
    children = [r.related_model for r in Customer._meta.related_objects if issubclass(r.related_model, CustomerChild)]
    with recorded(actor):
        for model in [*children, CustomerAction, ActionNote]:
            rows = model.objects.filter(customer=customer)
            assert rows.exists() or model is ActionNote, model
            for row in rows:
                values = {field.name: _canary(field) for field in model._meta.concrete_fields if _is_text(field)}
                model.objects.filter(pk=row.pk).update(**values)
        Customer.objects.filter(pk=customer.pk).update(ai_insights={"aiNotes": TEXT})


def _is_text(field):
    if field.primary_key or field.is_relation or field.generated or field.choices or field.name in OURS:
        return False
    if isinstance(field, ArrayField):
        return not field.base_field.choices
    return isinstance(field, models.CharField | models.TextField | models.JSONField)


def _canary(field):
    if isinstance(field, ArrayField):
        return [TEXT]
    if isinstance(field, models.JSONField):
        return {"k": TEXT}
    return TEXT[: field.max_length]


def dump():
    """Every row of every table as text, as a backup would hold it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f'SELECT \'{name}: \' || "{name}"::text FROM "{name}"' for name in tables))
        return "\n".join(row.lower() for (row,) in cursor.fetchall())


def kept_in_valkey():
    kept = []
    for key in _redis.scan_iter():
        kind = _redis.type(key)
        reader = {b"string": _redis.get, b"hash": _redis.hgetall, b"set": _redis.smembers}.get(kind)
        kept.append(f"{key!r} {reader(key) if kind != b'string' else reader(key).decode(errors='replace')}")
    return "\n".join(kept).lower()


def forms_of(customer):
    """What the person could be known by: texts, their folded forms and keys by sound, numbers."""
    forms = {ARABIC, fold(ARABIC), LATIN, PHONE[1:], WHATSAPP[1:], PHONE[4:], NATIONAL_ID, OTHER_PHONE[1:]}
    return forms | {key.lstrip("=") for key in customer.name_keys if len(key) > 3 and "ثان" not in key}


def assert_nothing_is_left(forms, places):
    for place, text in places.items():
        for form in forms:
            at = text.find(form)
            assert at < 0, f"{form} in the {place}: {text[max(0, at - 200) : at + 100]}"


@pytest.mark.parametrize("how", ["erased", "erased after deleting", "removed for good"])
def test_nothing_of_a_person_is_left_anywhere(as_, layla, person, how):
    client, forms = as_(layla), forms_of(person)
    before = {"database": dump(), "valkey": kept_in_valkey()}
    assert all(form in before["database"] for form in forms)
    assert LATIN in before["valkey"] and ARABIC in before["valkey"]
    files = set(Document.objects.values_list("storage_key", flat=True))
    assert len(files) == 2 and files <= stored().keys()
    # A document, an export, and what was uploaded to be imported.
    assert sum(LATIN.encode() in content for content in stored().values()) == 3
    if how == "erased after deleting":
        data_of(client.delete(f"customers/{person.pk}"))
    if how == "removed for good":
        data_of(client.delete(f"customers/{person.pk}?permanent=true"))
    else:
        data_of(client.post(f"customers/{person.pk}/erase", {"confirm": person.pk}))
    assert not files & stored().keys() and not any(LATIN.encode() in content for content in stored().values())
    assert_nothing_is_left(forms, {"database": dump(), "valkey": kept_in_valkey()})
    for read in ("customers", "customers/actions", "customers/filters"):
        data_of(client.get(read))
    assert check(TABLES) == []
    assert_nothing_is_left(forms, {"valkey": kept_in_valkey()})


def test_what_is_left_is_a_pseudonym_with_its_stage_history_and_counts(as_, layla, person):
    client = as_(layla)
    before = {model: model.objects.count() for model in (Interaction, StageChange, CustomerAction, PrivacyRequest)}
    numbers = data_of(client.get("customers/stats"))["stats"]
    erased = data_of(client.post(f"customers/{person.pk}/erase", {"confirm": person.pk}))["customer"]
    assert (erased["name"], erased["nameEn"]) == ("عميل محذوف", "Erased customer")
    assert erased["phone"].startswith("erased:") and len(erased["phone"]) == 19
    assert erased["stage"] == "negotiation" and erased["doNotContact"] is True and erased["erasedAt"]
    gone = {"whatsapp", "email", "nationalId", "nationality", "city", "district", "address", "notes", "sourceDetails"}
    assert not gone & erased.keys() and (erased["tags"], erased["documents"], erased["aiInsights"]) == ([], [], {})
    assert erased["preferences"] == {"propertyType": [], "preferredAreas": []}
    assert {model: model.objects.count() for model in before} == before
    after = data_of(client.get("customers/stats"))["stats"]
    assert (after["total"], after["byStage"]) == (numbers["total"], numbers["byStage"])
    actions = data_of(client.get("customers/actions", {"customerId": person.pk}))["actions"]
    assert {action["title"] for action in actions} == {"إجراء لعميل محذوف"}
    assert {action["status"] for action in actions} == {"completed", "dismissed"}
    assert {note["content"] for action in actions for note in action["notes"]} == {""}
    (entry,) = AuditEntry.objects.filter(row_id=person.pk, operation="erase")
    assert (entry.changes, entry.actor_id, entry.door) == (None, layla.pk, "api")
    told = data_of(client.get(f"customers/{person.pk}/history", {"entity": "customer"}))["history"]
    assert told[0]["operation"] == "erased" and all(row["changes"] == [] for row in told)
    assert Event.objects.latest("id").event == "resync_required"
    assert not CustomerWord.objects.filter(word__contains=LATIN).exists()
    words = NameWord.objects.filter(organization_id=layla.organization_id).values_list("word", flat=True)
    assert set(words) == {"عميل", "محذوف", "erased", "customer"}
    assert not Document.objects.exists()


def test_a_city_of_the_table_stays_for_the_numbers_and_the_phone_is_free(as_, layla):
    client, customer = as_(layla), make_customer(layla, city="الرياض", district="النرجس", phone=PHONE)
    other = make_customer(layla)
    for row in (customer, other):
        erased = data_of(client.post(f"customers/{row.pk}/erase", {"confirm": row.pk}))["customer"]
    assert "city" not in erased
    shown = data_of(client.get(f"customers/{customer.pk}"))["customer"]
    assert shown["city"] == "الرياض" and "district" not in shown
    data_of(client.post("customers", {"name": "الجديد", "phone": PHONE}), 201)


def test_erasing_again_changes_nothing_and_a_wrong_confirmation_is_refused(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    path = f"customers/{customer.pk}/erase"
    with nothing_changes():
        for body in ({}, {"confirm": "cust_other"}, {"confirm": True}, {"confirm": None}):
            assert fields_of(client.post(path, body)) == ["confirm"]
        assert fields_of(client.post(path, {"confirm": customer.pk, "requestId": "priv_none"}), 422) == ["requestId"]
    first = data_of(client.post(path, {"confirm": customer.pk}))["customer"]
    with nothing_changes():
        assert data_of(client.post(path, {"confirm": customer.pk}))["customer"] == first


def test_the_request_of_the_person_is_closed_by_it_if_they_were_who_they_said(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    path = f"customers/{customer.pk}"
    ask = {"kind": "destroy", "outcome": "طلب خطي"}
    key = data_of(client.post(f"{path}/privacy-requests", ask), 201)["privacyRequest"]["id"]
    body = {"confirm": customer.pk, "requestId": key}
    with nothing_changes():
        assert fields_of(client.post(f"{path}/erase", body), 422) == ["identityVerified"]
    data_of(client.patch(f"{path}/privacy-requests/{key}", {"identityVerified": True}))
    data_of(client.post(f"{path}/erase", body))
    (kept,) = data_of(client.get(f"{path}/privacy-requests"))["privacyRequests"]
    assert (kept["status"], kept["customerName"], "outcome" in kept) == ("done", "عميل محذوف", False)
    assert kept["closedAt"] and kept["identityVerifiedById"] == layla.pk


def test_nobody_adds_to_an_erased_customer_by_any_door(as_, layla, ahmed):
    client, customer = as_(layla), make_customer(layla)
    action = make_action(layla, customer)
    erased = data_of(client.post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}))["customer"]
    path, erased_at = f"customers/{customer.pk}", f"{erased['erasedAt'][:-4]}Z"  # to the millisecond
    with nothing_changes():
        for method, place, body in (
            ("patch", path, {"notes": "من جديد"}),
            ("patch", f"{path}/stage", {"toStage": "closing"}),
            ("post", f"{path}/assign", {"employeeId": ahmed.pk}),
            ("post", f"{path}/claim", {}),
            ("post", f"{path}/interactions", {"type": "note", "notes": "من جديد"}),
            ("post", f"{path}/consents", {"purpose": "service", "status": "granted"}),
            ("put", f"{path}/compliance/wafi-license", {"status": "planning"}),
            ("post", "customers/actions", {"customerId": customer.pk, "type": "follow_up", "title": "اتصال"}),
            ("post", f"customers/actions/{action.pk}/restore", {}),
            ("post", f"customers/actions/{action.pk}/notes", {"content": "من جديد"}),
            ("patch", f"customers/actions/{action.pk}", {"title": "من جديد"}),
        ):
            error = error_of(getattr(client, method)(place, body), 409, "CONFLICT")
            assert error["details"] == {"erasedAt": erased_at}
        bulk = {"customerIds": [customer.pk], "operation": "tags", "addTags": ["vip"]}
        assert data_of(client.post("customers/bulk", bulk))["updatedCount"] == 0
    data_of(client.delete(path))
    assert data_of(client.get("customers"))["customers"] == []


def test_an_employee_with_an_erased_customer_can_leave(as_, layla, ahmed):
    customer = make_customer(ahmed)
    make_action(ahmed, customer)
    data_of(as_(layla).post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}))
    data_of(as_(layla).post(f"employees/{ahmed.pk}/deactivate", {"successorId": layla.pk}))
    customer.refresh_from_db()
    assert customer.assigned_employee_id == layla.pk


def test_only_admins_erase_and_only_their_own(as_, layla, fatima, ahmed, noura):
    customer = make_customer(ahmed, phone=make_phone())
    with nothing_changes():
        for viewer in (fatima, ahmed):
            error = error_of(as_(viewer).post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}), 403)
            assert error["details"]["requiredPermission"] == "customers.erase"
        error_of(as_(noura).post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}), 404)
    assert erasing.pseudonymous_phone(customer.pk) != erasing.pseudonymous_phone("cust_other")


def test_answers_of_other_organizations_stay_in_the_cache(as_, layla, noura):
    theirs = make_customer(noura)
    data_of(as_(noura).get(f"customers/{theirs.pk}"))
    kept = [key for key in _redis.scan_iter() if noura.organization_id.encode() in key]
    customer = make_customer(layla)
    data_of(as_(layla).post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}))
    assert kept and all(_redis.exists(key) for key in kept)
