"""What one would write with FastAPI and asyncpg for the same answers, on the hub's own tables.

It reads POOL, JWT_SIGNING_KEY and the PG* variables.
"""

import base64
import json
import os
import re
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import asyncpg
import jwt
import orjson
from fastapi import Depends, FastAPI, HTTPException, Request, Response

# --- Columns and names ---------------------------------------------------------------------


def camel(name):
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def columns(alias, names):
    return ", ".join(f'{alias}.{name} AS "{camel(name)}"' for name in names.split())


CUSTOMER = columns(
    "c",
    "id name name_en phone whatsapp email national_id nationality gender date_of_birth source source_details stage "
    "preferences lead_score ai_insights priority customer_type tags assigned_employee_id total_deal_value "
    "expected_revenue paid_amount created_at updated_at last_contact_at last_contact_type next_follow_up_date address "
    "city district notes family_size occupation latitude longitude total_interactions total_appointments "
    "total_property_views response_rate avg_response_time",
)
_EMPLOYEE = {
    "id": "id", "name": "name", "nameEn": "name_en", "email": "email", "phone": "phone", "whatsapp": "whatsapp",
    "role": "job_title", "roleKey": "role", "avatar": "avatar", "isActive": "is_active",
}  # fmt: skip
EMPLOYEE = ", ".join(f'e.{column} AS "e_{name}"' for name, column in _EMPLOYEE.items())
HISTORY = columns(
    "h", "id from_stage to_stage changed_by changed_by_id changed_at reason notes auto_generated overridden"
)
RELATIONS = {
    "properties": (
        "property_interests",
        "added_at",
        "id property_id property_title property_title_en property_image property_price property_type "
        "property_location status added_at viewed_at feedback rating notes",
    ),
    "interactions": (
        "interactions",
        "date",
        "id type direction date duration notes outcome agent_name agent_id sentiment follow_up_required follow_up_date",
    ),
    "appointments": (
        "appointments",
        "datetime",
        "id title title_en type datetime duration location property_id property_title status priority notes "
        "agent_name agent_id outcome created_at updated_at",
    ),
}
ACTION = (
    columns(
        "a",
        "id customer_id type title description priority status source due_date snoozed_until created_at updated_at "
        "completed_at dismissed_at outcome reason metadata",
    )
    + ', a.assigned_to_id AS "assignedTo", a.completed_by_id AS "completedBy"'
)
SUMMARY = "id name name_en phone whatsapp email city stage priority lead_score preferences".split()
NOTE = columns("n", "id content created_by created_by_id created_at")
FROM = "FROM customers c LEFT JOIN employees e ON e.id = c.assigned_employee_id"


def with_employee(row):
    row = dict(row)
    employee = {name: row.pop(f"e_{name}") for name in _EMPLOYEE}
    row["assignedEmployee"] = employee if employee["id"] else None
    return row


async def grouped(connection, sql, ids):
    groups = {key: [] for key in ids}
    for row in map(dict, await connection.fetch(sql, ids)):
        groups[row.pop("of")].append(row)
    return groups


async def whole_customers(connection, rows):
    histories = await grouped(
        connection,
        f"SELECT h.customer_id AS of, {HISTORY} FROM stage_history h WHERE h.customer_id = ANY($1) "
        "ORDER BY h.changed_at, h.id",
        [row["id"] for row in rows],
    )
    return [{**with_employee(row), "stageHistory": histories[row["id"]]} for row in rows]


# --- Conditions and pages ---------------------------------------------------------------------


def conditions(first, org, query, filters):
    params, parts = [org], [first]
    for name, column in filters.items():
        if values := query.getlist(name):
            params.append(values)
            parts.append(f"{column} = ANY(${len(params)})")
    return params, " AND ".join(parts)


def page_of(query):
    return max(1, int(query.get("page", 1))), min(100, int(query.get("limit", 20)))


def pagination(page, limit, total):
    return {
        "currentPage": page,
        "pageSize": limit,
        "totalPages": -(-total // limit),
        "totalItems": total,
        "hasNextPage": page * limit < total,
        "hasPreviousPage": page > 1,
    }


# --- The application ----------------------------------------------------------------------------


async def prepare(connection):
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
        )
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=float, format="text")


@asynccontextmanager
async def lifespan(app):
    size = int(os.environ["POOL"])
    # Without the hub's triggers: what they cost is not this program's to pay.
    app.state.pool = await asyncpg.create_pool(
        min_size=size, max_size=size, init=prepare, server_settings={"session_replication_role": "replica"}
    )
    yield


app = FastAPI(lifespan=lifespan)
AT = "/api/v1/customers"


def caller(request: Request):
    try:
        token = request.headers.get("authorization", "")[7:]
        return jwt.decode(token, os.environ["JWT_SIGNING_KEY"], algorithms=["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(401) from None


Caller = Annotated[dict, Depends(caller)]


def answer(data):
    meta = {"timestamp": datetime.now(UTC), "requestId": f"req_{uuid.uuid4().hex[:8]}"}
    body = orjson.dumps({"success": True, "data": data, "meta": meta}, option=orjson.OPT_UTC_Z)
    return Response(body, media_type="application/json")


@app.get(AT)
async def list_customers(request: Request, user: Caller):
    query = request.query_params
    params, where = conditions(
        "c.organization_id = $1 AND c.deleted_at IS NULL",
        user["organizationId"],
        query,
        {"stage": "c.stage", "priority": "c.priority", "city": "c.city_key"},
    )
    (page, limit), n = page_of(query), len(params)
    select, order = f"SELECT {CUSTOMER}, {EMPLOYEE} {FROM} WHERE {where}", "ORDER BY c.created_at DESC, c.id DESC"
    async with app.state.pool.acquire() as connection:
        if query.get("cursor"):
            at, key = json.loads(base64.urlsafe_b64decode(query["cursor"] + "=="))
            rows = await connection.fetch(
                f"{select} AND (c.created_at, c.id) < (${n + 1}, ${n + 2}) {order} LIMIT ${n + 3}",
                *params, datetime.fromisoformat(at), key, limit + 1,
            )  # fmt: skip
            customers, has_next = await whole_customers(connection, rows[:limit]), len(rows) > limit
            last = [customers[-1]["createdAt"].isoformat(), customers[-1]["id"]] if has_next else None
            cursor = base64.urlsafe_b64encode(json.dumps(last).encode()).decode().rstrip("=") if last else None
            return answer(
                {"customers": customers, "pagination": {"nextCursor": cursor, "hasNext": has_next, "limit": limit}}
            )
        rows = await connection.fetch(
            f"{select} {order} LIMIT ${n + 1} OFFSET ${n + 2}", *params, limit, (page - 1) * limit
        )
        total = await connection.fetchval(f"SELECT count(*) FROM customers c WHERE {where}", *params)
        customers = await whole_customers(connection, rows)
    return answer({"customers": customers, "pagination": pagination(page, limit, total)})


@app.get(AT + "/actions")
async def list_actions(request: Request, user: Caller):
    query = request.query_params
    params, where = conditions(
        "a.organization_id = $1 AND c.deleted_at IS NULL",
        user["organizationId"],
        query,
        {"status": "a.status", "type": "a.type", "priority": "a.priority", "city": "c.city_key"},
    )
    if query.get("dueDate") == "week":
        today = "date_trunc('day', now(), 'Asia/Riyadh')"
        where += f" AND a.due_date >= {today} AND a.due_date < {today} + interval '8 days'"
    (page, limit), n = page_of(query), len(params)
    source = "FROM customer_actions a JOIN customers c ON c.id = a.customer_id"
    summary = ", ".join(f"c.{name} AS c_{name}" for name in SUMMARY)
    async with app.state.pool.acquire() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {ACTION}, t.name AS "assignedToName", b.name AS "completedByName", {summary}, {EMPLOYEE} {source}
            LEFT JOIN employees e ON e.id = c.assigned_employee_id LEFT JOIN employees t ON t.id = a.assigned_to_id
            LEFT JOIN employees b ON b.id = a.completed_by_id WHERE {where}
            ORDER BY a.created_at DESC, a.id DESC LIMIT ${n + 1} OFFSET ${n + 2}
            """,
            *params, limit, (page - 1) * limit,
        )  # fmt: skip
        total = await connection.fetchval(f"SELECT count(*) {source} WHERE {where}", *params)
        notes = await grouped(
            connection,
            f"SELECT n.action_id AS of, {NOTE} FROM action_notes n WHERE n.action_id = ANY($1) "
            "ORDER BY n.created_at, n.id",
            [row["id"] for row in rows],
        )
    actions = []
    for row in map(with_employee, rows):
        customer = {camel(name): row.pop(f"c_{name}") for name in SUMMARY}
        wishes = customer["preferences"]
        customer["preferences"] = {
            name: wishes.get(name) for name in ("propertyType", "budgetMin", "budgetMax", "preferredAreas")
        }
        customer["assignedEmployee"] = row.pop("assignedEmployee")
        actions.append({**row, "customerName": customer["name"], "customer": customer, "notes": notes[row["id"]]})
    return answer({"actions": actions, "pagination": pagination(page, limit, total)})


@app.get(AT + "/actions/stats")
async def action_statistics(user: Caller):
    org = user["organizationId"]
    of_org = "FROM customer_actions WHERE organization_id = $1 AND NOT customer_deleted"
    still_open = "AND status IN ('pending', 'in_progress')"
    day, month = (f"date_trunc('{unit}', now(), 'Asia/Riyadh')" for unit in ("day", "month"))

    def due(start, length):
        return f"due_date >= {start} AND due_date < {start} + interval '{length}'"

    async with app.state.pool.acquire() as connection:

        async def counts(column, condition):
            rows = await connection.fetch(f"SELECT {column}, count(*) {of_org} {condition} GROUP BY 1", org)
            return dict(map(tuple, rows))

        statuses = await counts("status", "")
        by_type, by_priority, by_source = [
            await counts(column, still_open) for column in ("type", "priority", "source")
        ]
        due_dates = await connection.fetchrow(
            f"""
            SELECT count(*) FILTER (WHERE due_date < now()) AS overdue,
              count(*) FILTER (WHERE {due(day, "1 day")}) AS today,
              count(*) FILTER (WHERE {due(day, "8 days")}) AS "thisWeek",
              count(*) FILTER (WHERE {due(month, "1 month")}) AS "thisMonth",
              count(*) FILTER (WHERE due_date IS NULL) AS "noDueDate" {of_org} {still_open}
            """,
            org,
        )
        timeline = await connection.fetchrow(
            f"""
            SELECT avg(extract(epoch FROM completed_at - created_at)) FILTER (WHERE status = 'completed') / 3600
                AS "avgCompletionTime",
              100.0 * count(*) FILTER (WHERE status = 'completed') / greatest(count(*), 1) AS "completionRate" {of_org}
            """,
            org,
        )
    words = ("pending", "in_progress", "completed", "dismissed", "snoozed")
    return answer(
        {
            "stats": {
                "total": {camel(word): statuses.get(word, 0) for word in words},
                "byType": by_type,
                "byPriority": by_priority,
                "bySource": by_source,
                "dueDates": dict(due_dates),
                "timeline": dict(timeline),
            }
        }
    )


@app.post(AT + "/actions/bulk/complete")
async def bulk_complete(request: Request, user: Caller):
    ids = orjson.loads(await request.body())["actionIds"]
    async with app.state.pool.acquire() as connection:
        rows = await connection.fetch(
            """
            UPDATE customer_actions SET status = 'completed', completed_at = now(), completed_by_id = $3,
              updated_at = now(), version = version + 1
            WHERE organization_id = $1 AND id = ANY($2) AND completed_at IS NULL RETURNING id
            """,
            user["organizationId"], ids, user["userId"],
        )  # fmt: skip
    done = {row["id"] for row in rows}
    return answer(
        {
            "updatedCount": len(done),
            "completedCount": len(done),
            "failed": [key for key in ids if key not in done],
            "actions": [{"id": key, "status": "success"} for key in done],
        }
    )


@app.post(AT + "/search")
async def search(request: Request, user: Caller):
    body = orjson.loads(await request.body())
    org, text, limit = user["organizationId"], body["query"], body.get("limit", 20)
    found = "FROM names_of_peers c WHERE c.organization_id = $1 AND hub_fold($2) <% c.name"
    async with app.state.pool.acquire() as connection:
        ranked = await connection.fetch(
            f"SELECT c.id, word_similarity(hub_fold($2), c.name) AS score {found} "
            "ORDER BY score DESC, c.id LIMIT $3",
            org, text, limit,
        )  # fmt: skip
        total = await connection.fetchval(f"SELECT count(*) {found}", org, text)
        rows = await connection.fetch(
            f"SELECT {CUSTOMER}, {EMPLOYEE} {FROM} WHERE c.id = ANY($1)", [row["id"] for row in ranked]
        )
        customers = {customer["id"]: customer for customer in await whole_customers(connection, rows)}
    results = [{"customer": customers[row["id"]], "score": row["score"], "matchedFields": ["name"]} for row in ranked]
    return answer({"results": results, "total": total})


@app.get(AT + "/{key}")
async def get_customer(key: str, request: Request, user: Caller):
    async with app.state.pool.acquire() as connection:
        rows = await connection.fetch(
            f"SELECT {CUSTOMER}, {EMPLOYEE} {FROM} WHERE c.organization_id = $1 AND c.id = $2 AND c.deleted_at IS NULL",
            user["organizationId"], key,
        )  # fmt: skip
        if not rows:
            raise HTTPException(404)
        (customer,) = await whole_customers(connection, rows)
        for name in filter(None, request.query_params.get("include", "").split(",")):
            table, order, names = RELATIONS[name]
            related = await connection.fetch(
                f"SELECT {columns('r', names)} FROM {table} r WHERE customer_id = $1 "
                f"ORDER BY {order} DESC, id DESC LIMIT 50",
                key,
            )
            customer[name] = list(map(dict, related))
    return answer({"customer": customer})
