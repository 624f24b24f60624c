"""manage.py seed_demo where it may not run, and after a customer of the demo was deleted."""

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from config import demo
from customers.models import Customer
from customers.services import customer as customers
from employees.models import Employee, Organization


def test_it_is_refused_outside_debug(db, settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG=true only"):
        call_command("seed_demo")
    assert not Organization.objects.exists()


def test_it_is_refused_where_a_login_is_taken(db, layla, settings):
    settings.DEBUG = True
    Employee.objects.filter(pk=layla.pk).update(email="admin@hub.test")
    with pytest.raises(CommandError, match="does not fit into this database"), transaction.atomic():
        call_command("seed_demo")
    assert not Organization.objects.filter(pk="org_demo").exists()


def test_a_deleted_customer_does_not_keep_the_demo_from_growing(db, settings):
    settings.DEBUG = True
    call_command("seed_demo", customers=5, verbosity=0)
    gone = Customer.objects.filter(organization_id=demo.DEMO).first()
    customers.delete_customer(gone, actor=Employee.objects.get(email="admin@hub.test"))
    call_command("seed_demo", customers=6, verbosity=0)
    assert Customer.objects.filter(organization_id=demo.DEMO).count() == 6
