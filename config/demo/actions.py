"""The actions of the demo: what each customer's source opened, and what followed."""

import random
from typing import NamedTuple

import orjson

from actions.choices import FIRST_ACTIONS, ActionStatus, ActionType
from config.demo.customers import PRIORITIES
from config.demo.making import make_id, midnight_of, money, picker, repeat, utc
from config.demo.people import OTHER
from customers.choices import PROPERTY_TYPES

# Beyond the seeds of all customers, whose own draws the actions must not disturb.
_ACTION_SEED = 2_000_000


class _Words(NamedTuple):
    """What the actions of a type say, to pick from: often nothing but the title. Metadata as PostgreSQL's text."""

    titles: tuple
    descriptions: tuple
    metadata: tuple
    outcomes: tuple


def _words(titles, descriptions="", metadata=(), outcomes=""):
    """Of tables apart by `/`; `{name}` stands for the customer's. More than half have no description, nor outcome."""
    titles, descriptions, outcomes = (
        [entry.strip() for entry in table.split("/") if entry.strip()] for table in (titles, descriptions, outcomes)
    )
    facts = [orjson.dumps(entry).decode() for entry in metadata]
    return _Words(
        tuple(titles),
        ("",) * (1 + 2 * len(descriptions)) + tuple(descriptions),
        ("{}",) * (1 + len(facts)) + tuple(facts),
        ("",) * (1 + len(outcomes)) + tuple(outcomes),
    )


_CONTACT_TIMES = [{"preferredContactTime": time} for time in ("morning", "afternoon", "evening")]
_ACTION_WORDS = {
    ActionType.NEW_INQUIRY.value: _words(
        "استفسار جديد",
        "يسأل عن الأسعار وطريقة الدفع / يريد تفاصيل أكثر قبل المعاينة / وصل من الإعلان ويطلب اتصالاً",
        _CONTACT_TIMES,
        "تم التواصل والعميل جاد / أرسلت له الخيارات على الواتساب / تم تحديد احتياجه وميزانيته",
    ),
    ActionType.CALLBACK_REQUEST.value: _words(
        "طلب معاودة الاتصال / العميل {name} يطلب الاتصال به / معاودة الاتصال بخصوص السعر / اتصال لم يُرد عليه",
        "اتصل ولم نتمكن من الرد / يريد الاستفسار عن التمويل / لديه سؤال عن رسوم السعي",
        _CONTACT_TIMES,
        "تم الاتصال والرد على استفساره / لم يرد وأرسلت له رسالة / طلب عرض سعر مكتوب",
    ),
    ActionType.PROPERTY_MATCH.value: _words(
        "عقار مطابق لطلب العميل / عرض جديد مناسب / إرسال خيارات مناسبة للعميل {name}",
        "ضمن الميزانية وفي الحي المطلوب / المالك مستعد للتفاوض / يحتاج تأكيد توفر العقار قبل الإرسال",
        (),
        "أعجبه العقار ويريد المعاينة / العقار بعيد عن عمله / السعر أعلى من ميزانيته",
    ),
    ActionType.FOLLOW_UP.value: _words(
        "متابعة العميل {name} / متابعة طلب العميل / متابعة قرار العميل / متابعة موافقة البنك / متابعة العرض المرسل",
        "ينتظر رأي العائلة / وعد بالرد هذا الأسبوع / السؤال عن موعد بيع عقاره الحالي",
        _CONTACT_TIMES,
        "ما زال مهتماً وسيرد قريباً / طلب مهلة أسبوع / تم الاتفاق على الخطوة التالية",
    ),
    ActionType.DOCUMENT_REQUIRED.value: _words(
        "استكمال مستندات العقد / مطلوب صورة الهوية الوطنية / مطلوب صورة الصك / تعريف بالراتب للبنك / توقيع عقد الوساطة",
        "ناقص صورة الهوية سارية المفعول / البنك يطلب كشف حساب لثلاثة أشهر / المالك يحتاج الوكالة الشرعية",
        [
            {"documents": ["الهوية الوطنية", "صك الملكية"]},
            {"documents": ["تعريف بالراتب", "كشف حساب"]},
            {"documents": ["عقد الوساطة"]},
        ],
        "تم استلام المستندات كاملة / وُقع العقد / رُفعت المستندات للبنك",
    ),
    ActionType.PAYMENT_DUE.value: _words(
        "استحقاق دفعة العربون / تحصيل دفعة السعي / استحقاق الدفعة الأولى / متابعة شيك الإفراغ",
        "حسب جدول الدفعات في العقد / الشيك المصدق جاهز لدى البنك / تذكير العميل قبل الموعد بيوم",
        (),
        "تم استلام المبلغ / حوّل المبلغ وأرسل الإيصال / تم تأجيل الدفعة باتفاق الطرفين",
    ),
    ActionType.SITE_VISIT.value: _words(
        "موعد معاينة / معاينة العقار مع العميل {name} / تنسيق معاينة مع المالك / معاينة ثانية مع العائلة",
        "المفتاح عند حارس العقار / تأكيد الموعد قبل ساعة / يريد المعاينة بعد صلاة العصر",
        (),
        "تمت المعاينة وأعجبه العقار / تمت المعاينة ويريد خياراً آخر / اعتذر العميل وحُدد موعد جديد",
    ),
    ActionType.WHATSAPP_INCOMING.value: _words(
        "رسالة واتساب من {name} / استفسار عبر الواتساب / صورة إيصال عبر الواتساب / رسالة صوتية من العميل",
        "السلام عليكم، هل العقار ما زال متاحاً؟ / كم آخر سعر؟ / ممكن موقع العقار؟",
        _CONTACT_TIMES,
        "تم الرد على رسالته / أُرسل له الموقع والصور",
    ),
    ActionType.AI_RECOMMENDED.value: _words(
        "توصية: تواصل مع العميل اليوم / توصية: أرسل عروضاً مشابهة / توصية: اقترح موعد معاينة / توصية: راجع الميزانية",
        "لم يتم التواصل معه منذ أسبوعين / احتمال الإغلاق مرتفع / تصفح عقارات مشابهة عدة مرات",
        [{"confidence": 0.71}, {"confidence": 0.84}, {"confidence": 0.92}],
        "توصية مفيدة / تم التنفيذ",
    ),
}
_FIRST_ACTIONS = {source.value: (kind.value, title) for source, (kind, title) in FIRST_ACTIONS.items()}
# What entering a stage calls for, and what happens between stages.
_CALLED_FOR = [
    (),
    repeat({"follow_up": 4, "callback_request": 2, "ai_recommended": 2, "property_match": 2}),
    repeat({"property_match": 7, "ai_recommended": 3}),
    repeat({"site_visit": 8, "follow_up": 2}),
    repeat({"follow_up": 5, "callback_request": 3, "whatsapp_incoming": 2}),
    repeat({"document_required": 1}),
    repeat({"payment_due": 7, "document_required": 3}),
    repeat({"document_required": 5, "payment_due": 5}),
    repeat({"follow_up": 5, "payment_due": 3, "document_required": 2}),
]
_MEANWHILE = repeat(
    {"whatsapp_incoming": 30, "callback_request": 25, "follow_up": 25, "ai_recommended": 15, "property_match": 5}
)
_PENDING, _COMPLETED = ActionStatus.PENDING.value, ActionStatus.COMPLETED.value
_DISMISSED, _SNOOZED = ActionStatus.DISMISSED.value, ActionStatus.SNOOZED.value


def _standings(*shares):
    """How actions stand, by shares of pending, in progress, completed, dismissed and snoozed."""
    return repeat(dict(zip(ActionStatus.values, shares, strict=True)))


_JUST_ASKED, _NOT_YET_REACHED = _standings(74, 16, 6, 1, 3), _standings(40, 8, 33, 10, 9)
_OF_NOW, _OF_EARLIER = _standings(32, 9, 43, 8, 8), _standings(8, 2, 464, 25, 1)
# Days from today on which open ones are due: -1 has passed, None is no date.
_DUE_DAYS = repeat({None: 14, -1: 15, 0: 36} | dict.fromkeys(range(1, 8), 8) | dict.fromkeys(range(8, 28), 2))
_DISMISSALS = ["العميل غير جاد", "رقم الجوال لا يعمل", "طلب مكرر", "اشترى عن طريق مكتب آخر", "العقار لم يعد متاحاً",
               "خارج نطاق عملنا", "أجل العميل القرار"]  # fmt: skip
_NOTES = ["اتصلت ولم يرد، سأحاول مساءً", "طلب إرسال الصور على الواتساب", "مهتم ويحتاج وقتاً للتفكير",
          "يفضل التواصل بعد صلاة المغرب", "تم إرسال الموقع", "الميزانية أقل مما ذكر سابقاً", "سيحضر مع زوجته للمعاينة",
          "ينتظر رد البنك على طلب التمويل", "تواصلت مع المالك وأكد السعر", "طلب خصماً على السعي"]  # fmt: skip
_BUILDINGS = PROPERTY_TYPES | dict.fromkeys(("commercial", PROPERTY_TYPES["commercial"]), "محل تجاري")


def make_actions(number, made, staff, now):
    """`(actions, notes)` of the customer made of this number, as of `now`: what its source opened, then what followed.

    Nothing lies ahead but due dates and the ends of snoozes.
    """
    rng = random.Random(_ACTION_SEED + number)
    uniform, pick = rng.random, picker(rng)
    customer = made.customer
    if customer["organization_id"] == OTHER:
        uniform()  # The same person has another story there.
    # No customer comes, and none moves, within the minute before now.
    latest, midnight = int(now.timestamp()) - 60, midnight_of(now)
    owner, mover = customer["assigned_employee_id"], made.stage_changes[0]["changed_by_id"]
    actions, notes, offers = [], [], None
    for kind, title, at, standings in _asked(rng, pick, made, latest, midnight):
        words, is_first, chance = _ACTION_WORDS[kind], bool(title), uniform()
        if chance < 0.04:
            assignee = staff.mover(pick(staff.shares), mover)
        else:
            assignee = owner if owner == mover else mover if chance < 0.5 else None
        worker, key, created = assignee or mover, make_id("action", at, rng), utc(at)
        title = title or pick(words.titles).replace("{name}", customer["name"])
        metadata = pick(words.metadata)
        if kind in ("property_match", "site_visit"):
            offers = offers or _offers(customer["preferences"])
            offered, metadata = pick(offers)
            title += offered
        elif kind == "payment_due" and customer["total_deal_value"]:
            metadata = f'{{"amount":{money(customer["total_deal_value"] * 0.1)}}}'
        status = pick(standings)
        action = {
            "id": key,
            "organization_id": customer["organization_id"],
            "customer_id": customer["id"],
            "customer_assignee": owner,
            "city_key": customer["city_key"],
            "region": customer["region"],
            "type": kind,
            "title": title,
            "description": pick(words.descriptions),
            "priority": customer["priority"] if is_first or uniform() < 0.75 else pick(PRIORITIES),
            "status": status,
            "source": customer["source"] if is_first or uniform() < 0.8 else _source_of(kind),
            "assigned_to_id": assignee,
            "metadata": metadata,
            "version": 1 if status == _PENDING else 2,
            "created_at": created,
            "updated_at": created,
        }
        until = latest
        if status in (_COMPLETED, _DISMISSED):
            until = _end(uniform, at, latest, midnight, is_of_now=standings is _OF_NOW)
            due = at + 43_200 * int(1 + 10 * uniform()) if uniform() < 0.93 else None
            action["completed_at"] = action["updated_at"] = utc(until)
            action["completed_by_id"] = worker
            if status == _COMPLETED:
                action["outcome"] = pick(words.outcomes)
            else:
                action["reason"], action["dismissed_at"] = pick(_DISMISSALS), action["completed_at"]
        else:
            due = _due(uniform, pick, at, latest, midnight)
            if status != _PENDING:
                action["updated_at"] = utc(_end(uniform, at, latest, midnight))
            if status == _SNOOZED:
                action["snoozed_until"] = utc(midnight + 86_400 * int(1 + 20 * uniform()) + 32_400)
        if is_first:
            due = at + (86_400 if customer["priority"] in ("urgent", "high") else 172_800)
        action["due_date"] = utc(due) if due else None
        actions.append(action)
        if uniform() < 0.25:
            for _ in range(pick((1, 1, 2))):
                written = at + int(uniform() * (until - at))
                notes.append(
                    {
                        "id": make_id("note", written, rng),
                        "action_id": key,
                        "customer_id": customer["id"],
                        "content": pick(_NOTES),
                        "created_by": staff.names[worker],
                        "created_by_id": worker,
                        "created_at": utc(written),
                    }
                )
    return actions, notes


def _asked(rng, pick, made, latest, midnight):
    """`[(type, title or "", second, shares of how it stands)]` of what a customer has asked for; about three."""
    uniform = rng.random
    changed = [int(change["changed_at"].timestamp()) for change in made.stage_changes]
    created, rank = changed[0], len(changed) - 1
    # The same at any time of the day, and so is how often chance is asked.
    age_days = (midnight - created) // 86_400 + 1
    standings = _OF_EARLIER if rank else _JUST_ASKED if age_days < 2 else _NOT_YET_REACHED
    asked = [(*_FIRST_ACTIONS[made.customer["source"]], created, standings)]
    for place in range(1, rank + 1):
        if uniform() < 0.62:
            at = changed[place] + int(uniform() * min(10_800, latest - changed[place]))
            asked.append((pick(_CALLED_FOR[place]), "", at, _OF_NOW if place == rank else _OF_EARLIER))
    if uniform() < 0.4:
        days, share = int(uniform() ** 2 * age_days), uniform()
        at = midnight - days * 86_400 + 32_400 + int(share * 43_200)
        if not created <= at <= latest:
            at = created + int(share * (latest - created))
        asked.append((pick(_MEANWHILE), "", at, _OF_NOW if days < 30 else _OF_EARLIER))
    return asked


def _end(uniform, at, latest, midnight, *, is_of_now=False):
    """The second at which somebody took up or ended what was asked for at another: in at most five days."""
    # So that there is always somebody who has got something done today.
    if is_of_now and uniform() < 0.1 and at < midnight < latest:
        return midnight + 1 + int(uniform() * (latest - midnight))
    return at + 1 + int(uniform() ** 2 * min(latest - at, 432_000))


def _due(uniform, pick, at, latest, midnight):
    """The second by which something open is due, if any; after it was asked for."""
    day, share = pick(_DUE_DAYS), uniform()
    if day is None:
        return None
    if day < 0:
        return latest - int(share * share * min(latest - at, 1_209_600))
    # Full and half hours of the working day.
    return max(midnight + day * 86_400 + 28_800 + 1_800 * int(28 * share), at + 1_800)


def _source_of(kind):
    """Where an action came from that did not come with its customer."""
    return {"whatsapp_incoming": "whatsapp", "callback_request": "inquiry"}.get(kind, "manual")


def _offers(preferences):
    """`[(end of a title, metadata)]` of properties such as the customer wishes, to pick from; at times of none."""
    wishes = orjson.loads(preferences)
    offers = [("", "{}")]
    for area in wishes["preferredAreas"]:
        city, district = area.split(" - ")
        for kind in wishes["propertyType"]:
            name = f"{_BUILDINGS.get(kind, kind)} في {district}"
            place = f"{city} - {district.removeprefix('حي ')}"
            facts = {"propertyTitle": name, "propertyLocation": place}
            offers.append((f": {name}", orjson.dumps(facts).decode()))
    return offers
