"""What has gone on with the customers of the demo: contacts, properties of interest, appointments, reminders."""

import random

import orjson

from config.demo.making import make_id, midnight_of, money, picker, repeat, utc
from config.demo.people import OTHER
from customers.choices import APPOINTMENT_TITLES, PROPERTY_TYPES
from customers.contacts import ANSWERED_WITHIN_HOURS

# Beyond the seeds of customers and their actions, whose own draws must not be disturbed.
_ACTIVITY_SEED = 4_000_000
_DAY, _HOUR = 86_400, 3_600

_WAYS = repeat({"call": 5, "whatsapp": 5, "email": 1, "meeting": 1, "note": 2})
_SAID = {
    "call": ("اتصال للتعريف بالعروض المتاحة", "لم يرد، وأعيد الاتصال مساءً", "سأل عن السعر وطريقة الدفع"),
    "whatsapp": ("أُرسلت له صور العقار وموقعه", "سأل عن موعد المعاينة", "طلب عرض سعر"),
    "email": ("أُرسلت له تفاصيل التمويل", "أُرسلت له نسخة من عقد الوساطة"),
    "meeting": ("زار المكتب وشرح احتياجه", "لقاء مع العميل وعائلته"),
    "site_visit": ("عاين العقار وأبدى إعجابه", "عاين العقار ويريد خياراً آخر"),
    "sms": ("رسالة تذكير بالموعد",),
    "note": ("يفضل التواصل بعد صلاة العصر", "ميزانيته مرنة إذا أعجبه الموقع"),
}
_SENTIMENTS = repeat({"": 6, "positive": 3, "neutral": 2, "negative": 1})
_BEFORE_VIEWING, _AFTER_VIEWING = ("interested", "interested", "viewing_scheduled"), ("viewed", "liked", "rejected")
_REMINDERS = (
    ("follow_up", "الاتصال بالعميل لمعرفة رأيه"),
    ("document", "طلب صورة الهوية من العميل"),
    ("payment", "تذكير العميل بالدفعة القادمة"),
    ("viewing", "تأكيد موعد المعاينة مع المالك"),
    ("general", "إرسال عروض جديدة للعميل"),
)


def make_activity(number, made, staff, now):
    """`{table: rows}` of what has gone on with the customer made of this number, whose totals are set to it."""
    rng = random.Random(_ACTIVITY_SEED + number)
    customer = made.customer
    if customer["organization_id"] == OTHER:
        rng.random()  # The same person has another story there.
    agent = customer["assigned_employee_id"] or made.stage_changes[0]["changed_by_id"]
    ours = {"customer_id": customer["id"], "organization_id": customer["organization_id"]}
    by = {"changed_by": staff.names[agent], "changed_by_id": agent}
    changed = [int(change["changed_at"].timestamp()) for change in made.stage_changes]
    rows = {"interactions": _interactions(rng, customer, ours, agent, staff.names[agent])}
    rows["properties"], viewings = _interests(rng, customer, ours, changed)
    rows["appointments"] = _appointments(rng, ours, agent, staff.names[agent], changed, midnight_of(now))
    rows["reminders"] = _reminders(rng, ours, agent, staff.names[agent], changed, midnight_of(now))
    rows["status_changes"] = [*_statuses(rng, "properties", "interested", rows["properties"], viewings, by)]
    rows["status_changes"] += _statuses(rng, "appointments", "scheduled", rows["appointments"], {}, by)
    visits = sum(row["status"] == "completed" for row in rows["appointments"])
    customer |= {
        "total_interactions": len(rows["interactions"]),
        "total_appointments": len(rows["appointments"]),
        "total_property_views": visits + len(viewings),
    }
    return rows


def _interactions(rng, customer, ours, agent, agent_name):
    """Contacts up to the last one that the customer tells of, and how soon they were answered."""
    if customer["last_contact_at"] is None:
        return []
    pick, created = picker(rng), int(customer["created_at"].timestamp())
    last = int(customer["last_contact_at"].timestamp())
    earlier = sorted(created + int(rng.random() * (last - created)) for _ in range(pick((0, 1, 1, 2, 3, 5))))
    contacts = [(at, pick(_WAYS)) for at in earlier if at < last] + [(last, customer["last_contact_type"])]
    rows = []
    for at, way in contacts:
        rows.append(
            {
                **ours,
                "id": make_id("int", at, rng),
                "type": way,
                "direction": "" if way == "note" else pick(("inbound", "outbound", "outbound")),
                "date": utc(at),
                "duration": 2 + int(rng.random() * 20) if way == "call" else None,
                "notes": pick(_SAID[way]),
                "agent_id": agent,
                "agent_name": agent_name,
                "sentiment": pick(_SENTIMENTS) if way != "note" else "",
                "created_at": utc(at),
                "updated_at": utc(at),
            }
        )
    customer |= _measures(created, [(int(row["date"].timestamp()), row["direction"]) for row in rows])
    return rows


def _measures(created, contacts):
    """What customers.contacts computes of the same rows."""
    answered, waits, inbound = None, [], []
    for at, direction in [*reversed(contacts), (created, "created")]:
        if direction == "outbound":
            answered = at
        elif direction:
            hours = None if answered is None else (answered - at) / _HOUR
            waits += [] if hours is None else [hours]
            inbound += [hours is not None and hours <= ANSWERED_WITHIN_HOURS] if direction == "inbound" else []
    return {
        "response_rate": round(100 * sum(inbound) / len(inbound), 2) if inbound else None,
        "avg_response_time": round(sum(waits) / len(waits), 2) if waits else None,
    }


def _interests(rng, customer, ours, changed):
    """`(rows, {id: second it was seen})`: from the matching of properties on, of the kinds and areas wished for."""
    wishes, rank = orjson.loads(customer["preferences"]), len(changed) - 1
    wished = [(kind, area) for kind in wishes["propertyType"] for area in wishes["preferredAreas"]]
    if rank < 2 or not wished:
        return [], {}
    pick, rows, viewings = picker(rng), [], {}
    price = wishes.get("budgetMax") or 900_000
    for place, (kind, area) in enumerate(wished[:3]):
        at = changed[2] + int(rng.random() * 7_200)
        key = make_id("prop_int", at, rng)
        status = pick(_AFTER_VIEWING if rank > 2 else _BEFORE_VIEWING)
        if rank > 3 and not place:
            status = "offer_made"
        if rank > 2:
            viewings[key] = changed[3] + 60 + place
        rows.append(
            {
                **ours,
                "id": key,
                "property_id": f"prop_{customer['id'][-6:]}_{place + 1}",
                "property_title": f"{PROPERTY_TYPES.get(kind, kind)} في {area.partition(' - ')[2]}",
                "property_type": kind,
                "property_location": area,
                "property_price": money(price * (0.8 + 0.3 * rng.random())),
                "status": status,
                "rating": 1 + int(rng.random() * 5) if key in viewings and rng.random() < 0.5 else None,
                "viewed_at": utc(viewings[key]) if key in viewings else None,
                "added_at": utc(at),
                "created_at": utc(at),
                "updated_at": utc(viewings.get(key, at)),
            }
        )
    return rows, viewings


def _appointments(rng, ours, agent, agent_name, changed, midnight):
    """A visit that took place where the customer has come as far as that, and perhaps one that is to come."""
    rank, rows, planned = len(changed) - 1, [], []
    if rank > 3:
        planned.append((changed[3] + 60, "site_visit", "completed", changed[3]))
    if 3 <= rank < 7 and rng.random() < 0.4:
        ahead = midnight + _DAY * (2 + int(rng.random() * 10)) + 8 * _HOUR + 1_800 * int(rng.random() * 18)
        kind = "contract_signing" if rank > 4 else picker(rng)(("site_visit", "site_visit", "office_meeting"))
        planned.append((ahead, kind, picker(rng)(("scheduled", "confirmed")), changed[-1]))
    for at, kind, status, made_at in planned:
        title, title_en = APPOINTMENT_TITLES[kind]
        rows.append(
            {
                **ours,
                "id": make_id("apt", made_at, rng),
                "title": title,
                "title_en": title_en,
                "type": kind,
                "datetime": utc(at),
                "duration": 60,
                "status": status,
                "agent_id": agent,
                "agent_name": agent_name,
                "created_at": utc(made_at),
                "updated_at": utc(made_at),
            }
        )
    return rows


def _reminders(rng, ours, agent, agent_name, changed, midnight):
    """At times one for the days ahead, or one that was seen to."""
    if rng.random() > 0.3:
        return []
    kind, title = picker(rng)(_REMINDERS)
    is_done, made_at = rng.random() < 0.4, changed[-1]
    at = made_at + 60 if is_done else midnight + _DAY * (1 + int(rng.random() * 14)) + 9 * _HOUR
    return [
        {
            **ours,
            "id": make_id("rem", made_at, rng),
            "title": title,
            "type": kind,
            "datetime": utc(at),
            "priority": picker(rng)(("medium", "high")),
            "status": "completed" if is_done else "pending",
            "completed_at": utc(at) if is_done else None,
            "created_by": agent_name,
            "created_by_id": agent,
            "created_at": utc(made_at),
            "updated_at": utc(made_at),
        }
    ]


def _statuses(rng, collection, first, rows, moments, by):
    """The first status of each row, and the one that followed."""
    for row in rows:
        made_at = int(row["created_at"].timestamp())
        changes = [(None, first, made_at)]
        if row["status"] != first:
            changes.append((first, row["status"], moments.get(row["id"], made_at + 60)))
        for before, after, at in changes:
            yield {
                "id": make_id("status", at, rng),
                "customer_id": row["customer_id"],
                "collection": collection,
                "item_id": row["id"],
                "from_status": before,
                "to_status": after,
                "recorded_at": utc(at),
                **by,
            }
