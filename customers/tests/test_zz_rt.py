import json
import pytest
from django.core.management import call_command
from config.testing import data_of, HubClient

IGN = {"leadScore", "aiInsights"}

def diff(path, a, b, out):
    if isinstance(a, dict) and isinstance(b, dict):
        for k in a:
            if k in IGN: continue
            if k not in b: out.append((path + "." + k, a[k], "MISSING"))
            else: diff(path + "." + k, a[k], b[k], out)
        for k in b:
            if k not in a and k not in IGN: out.append((path + "." + k, "EXTRA", b[k]))
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b): out.append((path, len(a), len(b)))
        for i, (x, y) in enumerate(zip(a, b)): diff(f"{path}[{i}]", x, y, out)
    elif a != b: out.append((path, a, b))

@pytest.mark.django_db
def test_rt(layla, capsys):
    f = "/work/shared/data/customers.json"
    try:
        call_command("import_customers", f, organization=layla.organization_id, errors="/tmp/rt.errors.csv")
    except SystemExit as e:
        print("exit", e.code)
    src = json.load(open(f))["customers"]
    out = []
    client = HubClient(layla)
    for c in src:
        got = data_of(client.get(f"customers/{c['id']}"))["customer"]
        diff(c["id"], c, got, out)
    from collections import Counter
    import re
    k = Counter(re.sub(r"\[\d+\]|cust_\d+", "", p) + ("+" if a == "EXTRA" else "-" if b == "MISSING" else "") for p, a, b in out)
    for x in k.most_common(60): print(x)
    seen = set()
    for p, a, b in out:
        key = re.sub(r"\[\d+\]|cust_\d+", "", p)
        if key not in seen:
            seen.add(key); print(p, repr(a)[:90], repr(b)[:90])
    try:
        call_command("import_customers", f, organization=layla.organization_id, errors="/tmp/rt2.errors.csv")
    except SystemExit as e:
        print("exit", e.code)
    try:
        call_command("import_customers", f, organization=layla.organization_id, upsert=True, errors="/tmp/rt2.errors.csv")
    except SystemExit as e:
        print("exit", e.code)
    assert 0
