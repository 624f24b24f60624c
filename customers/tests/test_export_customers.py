"""manage.py export_customers."""

import csv
import io
import json
import os

import pytest
from django.core.management import CommandError, call_command

from config.models import AuditEntry
from config.testing import make_customer
from customers.models import Customer, Interaction, Reminder, StageChange
from customers.tests.imports import reasons, run_import


@pytest.fixture
def run(tmp_path, organization):
    """Export to a file; gives its path and what was said."""

    def run(name="out.csv", **options):
        out, said = io.StringIO(), io.StringIO()
        options = {"organization": organization.pk, "stdout": out, "stderr": said, **options}
        call_command("export_customers", str(tmp_path / name), **options)
        return tmp_path / name, out.getvalue() + said.getvalue()

    return run


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


def test_the_customers_of_an_organization_are_written(run, layla, noura):
    make_customer(layla, name="سارة", city="جدة", stage="closing")
    make_customer(layla, name="هند", city="الرياض")
    make_customer(noura, name="غريبة", city="جدة")
    path, said = run(filter="city=Jeddah&stage=closing", language="ar")
    assert [(row["الاسم"], row["المرحلة"]) for row in rows_of(path)] == [("سارة", "إتمام الصفقة")]
    assert "Customers written: 1" in said or "1" in said
    assert path.stat().st_mode & 0o777 == 0o600
    entry = AuditEntry.objects.get(operation="read")
    assert (entry.table_name, entry.organization_id, entry.actor_id, entry.changes) == (
        "customers",
        layla.organization_id,
        "system",
        {"rows": 1},
    )


def test_whoever_was_erased_stays_out_and_the_file_comes_in_again(run, as_, layla, tmp_path):
    gone, kept = make_customer(layla), make_customer(layla, name="باق")
    as_(layla).post(f"customers/{gone.pk}/erase", {"confirm": gone.pk})
    for name in ("out.csv", "out.json"):
        path, _said = run(name, filter=f"ids={gone.pk},{kept.pk}")
        code, summary, found = run_import(
            "import_customers", tmp_path / name, path.read_bytes(), "", organization=layla.organization_id, upsert=True
        )
        assert (code, summary["unchanged"], summary["updated"], reasons(found)) == (0, 1, 0, [])


def test_a_dry_run_counts_and_writes_nothing(run, layla):
    make_customer(layla)
    path, said = run(dry_run=True)
    assert "1 customers would be written" in said and not path.exists()
    assert not AuditEntry.objects.filter(operation="read").exists()


def test_a_file_that_is_there_is_written_over_only_when_told(run, layla, tmp_path):
    make_customer(layla)
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(CommandError, match="--force writes over it"):
        run()
    assert (tmp_path / "out.csv").read_text() == "mine"
    path, _said = run(force=True)
    assert len(rows_of(path)) == 1


def test_an_export_that_is_interrupted_leaves_what_was_there(run, layla, tmp_path, monkeypatch):
    make_customer(layla)
    (tmp_path / "out.csv").write_text("mine")

    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("customers.exporting.writers.CSVWriter.write", interrupt)
    with pytest.raises(CommandError, match="Interrupted: nothing was written"):
        run(force=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.csv", "mine")]
    assert not AuditEntry.objects.filter(operation="read").exists()


@pytest.mark.parametrize("breaks", [BrokenPipeError(32, "Broken pipe"), KeyboardInterrupt()])
def test_an_export_to_standard_output_that_breaks_off_is_in_the_audit(layla, monkeypatch, breaks):
    make_customer(layla)

    def break_off(*_args):
        raise breaks

    monkeypatch.setattr("customers.exporting.writers.CSVWriter.write", break_off)
    with pytest.raises(CommandError):
        call_command("export_customers", "-", organization=layla.organization_id, stderr=io.StringIO())
    assert AuditEntry.objects.get(operation="read").changes == {"rows": 1}


def test_pipes_and_links_stay_what_they_are(run, layla, tmp_path):
    make_customer(layla, name="سارة")
    os.mkfifo(tmp_path / "pipe")
    with open(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8-sig") as reader:
        run("pipe")
        assert "سارة" in reader.read()
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    run("link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert [row["Name"] for row in rows_of(tmp_path / "target.csv")] == ["سارة"]
    with pytest.raises(CommandError, match="target.csv is there already; --force writes over it"):
        run("link.csv")
    run("link.csv", force=True)
    assert (tmp_path / "link.csv").is_symlink()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"filter": "stage=nowhere"}, "stage: Must be one of: new_lead"),
        ({"filter": "colour=blue"}, "colour: Unknown filter"),
        ({"organization": "org_none"}, "no organization org_none"),
        ({"name": "."}, "is a folder"),
        ({"name": "none/out.csv"}, "No such file"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(run, layla, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        run(**options)


def test_standard_output_holds_the_file_alone(layla, capfdbinary):
    make_customer(layla, name="سارة")
    call_command("export_customers", "-", organization=layla.organization_id, format="json")
    assert [customer["name"] for customer in json.loads(capfdbinary.readouterr().out)["customers"]] == ["سارة"]


@pytest.mark.parametrize("upsert", [False, True])
def test_json_holds_all_that_hangs_on_a_customer_and_comes_in_again(run, as_, layla, ahmed, tmp_path, upsert):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk, stage="qualified", tags=["vip"], nationality="Saudi")
    client = as_(layla)
    for number in range(60):
        body = {"type": "call", "date": "2026-01-01T10:00:00Z", "notes": f"مكالمة {number}"}
        assert client.post(f"customers/{customer.pk}/interactions", body).status_code == 201
    body = {"title": "عقد", "datetime": "2030-01-01T10:00:00Z", "priority": "high", "type": "document"}
    assert client.post(f"customers/{customer.pk}/reminders", body).status_code == 201
    path, _said = run("out.json")
    content = json.loads(path.read_text())
    assert [len(content["customers"][0][name]) for name in ("interactions", "reminders", "stageHistory")] == [60, 1, 1]
    assert {employee["id"] for employee in content["employees"]} == {layla.pk, ahmed.pk}
    tables = (Customer, StageChange, Interaction, Reminder)
    before = [list(model.objects.order_by("pk").values()) for model in tables]
    code, summary, found = run_import(
        "import_customers", tmp_path / "in.json", content, "utf-8", organization=layla.organization_id, upsert=upsert
    )
    assert (code, summary["inserted"], summary["updated"], summary["unchanged"], found) == (0, 0, 0, 1, [])
    assert [list(model.objects.order_by("pk").values()) for model in tables] == before
