"""The requests centre in the back office: what a manager does with it in the morning."""

from datetime import timedelta

import pytest
from django.utils import timezone

from actions.models import CustomerAction
from config.testing import AdminClient, make_action, make_customer
from customers.services import activity


def test_the_list_begins_with_what_is_open_and_overdue_is_one_click_away(layla, fatima, ahmed, clock):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    make_action(layla, customer, title="متأخر", due_date=clock.now - timedelta(hours=1))
    make_action(layla, customer, title="لاحق", due_date=clock.now + timedelta(days=3))
    done = make_action(layla, customer, title="منتهٍ")
    client = AdminClient(fatima)
    client.press("/admin/actions/customeraction/?tab=all", "complete", [done.pk], outcome="تم")

    def titles(query):
        return sorted(
            row.title for row in client.get(f"/admin/actions/customeraction/{query}").context["cl"].result_list
        )

    queries = ("?tab=all", "?dueDate=overdue", "?dueDate=all", "?tab=completed")
    assert client.get("/admin/actions/customeraction/").headers["Location"].endswith("?tab=all")
    assert {query: titles(query) for query in queries} == {
        "?tab=all": ["لاحق", "متأخر"],
        "?dueDate=overdue": ["متأخر"],
        "?dueDate=all": ["لاحق", "متأخر", "منتهٍ"],
        "?tab=completed": ["منتهٍ"],
    }


def test_many_are_snoozed_reassigned_and_restored_at_once(layla, fatima, ahmed, clock):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    ids = [make_action(layla, customer).pk for _number in range(3)]
    client, url = AdminClient(fatima), "/admin/actions/customeraction/?tab=all"
    past = client.press(url, "snooze", ids, until="2020-01-01T10:00")
    assert "Must lie in the future" in past.content.decode()
    far = client.press(url, "snooze", ids, until="9999-12-31T23:59")
    assert far.context["form"].errors == {"until": ["Must lie in the years from 1900 to 2200"]}
    assert client.press(url, "snooze", ids, until="2099-01-01T10:00", notes="لاحقا").status_code == 302
    everything = "/admin/actions/customeraction/?dueDate=all"
    assert client.press(everything, "assign", ids, employee=fatima.pk).status_code == 302
    rows = CustomerAction.objects.filter(pk__in=ids)
    assert set(rows.values_list("status", "assigned_to")) == {("snoozed", fatima.pk)}
    assert [note.content for note in rows.first().notes.all()] == ["لاحقا"]
    assert client.press(everything, "restore", ids).status_code == 302
    assert set(rows.values_list("status", flat=True)) == {"pending"}


def test_a_note_is_added_beneath_an_action_and_an_action_beneath_a_customer(layla, fatima, ahmed):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    action, client = make_action(layla, customer), AdminClient(fatima)
    lines = {"notes-TOTAL_FORMS": "1", "notes-0-content": "اتصلت به"}
    assert client.save(f"/admin/actions/customeraction/{action.pk}/change/", **lines).status_code == 302
    assert list(action.notes.values_list("content", "created_by")) == [("اتصلت به", fatima.name)]
    lines = {"actions-TOTAL_FORMS": "1", "actions-0-title": "زيارة", "actions-0-type": "site_visit"}
    assert client.save(f"/admin/customers/customer/{customer.pk}/change/", **lines).status_code == 302
    made = CustomerAction.objects.get(customer=customer, title="زيارة")
    assert (made.type, made.assigned_to_id) == ("site_visit", ahmed.pk)


def test_what_is_not_touched_stays_even_where_nobody_could_choose_it(layla, fatima, ahmed, omar):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    action = make_action(layla, customer, assigned_to_id=omar.pk)
    client, url = AdminClient(fatima), f"/admin/actions/customeraction/{action.pk}/change/"
    page = client.get(url)
    assert f'<option value="{omar.pk}" selected>{omar.name}</option>' in page.content.decode()
    assert client.save(url, title="زيارة").status_code == 302
    action.refresh_from_db()
    assert (action.title, action.assigned_to_id) == ("زيارة", omar.pk)


def test_whose_it_is_stays_where_nobody_touches_it(layla, fatima, ahmed, omar):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    meeting = {"type": "office_meeting", "datetime": timezone.now() + timedelta(days=1), "agent_id": omar.pk}
    rows = [
        activity.add_appointment(customer, actor=layla, values=meeting),
        activity.add_interaction(customer, actor=layla, values={"type": "meeting", "agent_id": omar.pk}),
    ]
    for row in rows:
        url = f"/admin/customers/{row._meta.model_name}/{row.pk}/change/"
        page = AdminClient(fatima).get(url)
        assert f'<option value="{omar.pk}" selected>{omar.name}</option>' in page.content.decode()
        assert AdminClient(fatima).save(url, notes="تم").status_code == 302
        row.refresh_from_db()
        assert (row.notes, row.agent_id) == ("تم", omar.pk)


@pytest.mark.parametrize("term", ["", "سارة"])
def test_whose_action_it_is_can_be_chosen_among_more_than_a_page_the_newest_first(layla, term):
    newest_first = [make_customer(layla, name="سارة").pk for _number in range(25)][::-1]
    asked = {"app_label": "actions", "model_name": "customeraction", "field_name": "customer", "term": term}
    pages = [AdminClient(layla).get("/admin/autocomplete/", asked | {"page": page}).json() for page in (1, 2)]
    assert [choice["id"] for page in pages for choice in page["results"]] == newest_first
