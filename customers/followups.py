"""When a customer is to be followed up next: the day that somebody has set, else that of the earliest thing planned."""

# SQL of the earliest moment of each kind, over the customer {row} and moment.minute. The actions app adds its own.
PLANNED = [
    "SELECT min(datetime) FROM reminders WHERE customer_id = {row}.id AND status = 'pending'",
    "SELECT min(datetime) FROM appointments WHERE customer_id = {row}.id AND status IN ('scheduled', 'confirmed') "
    "AND datetime >= moment.minute",
]


def next_follow_up_sql(row):
    """SQL of the day, in the organization's zone, over the customer `row`."""
    earliest = ", ".join(f"({planned.format(row=row)})" for planned in PLANNED)
    zone = f"(SELECT time_zone FROM organizations WHERE id = {row}.organization_id)"
    return f"coalesce({row}.next_follow_up_date, (least({earliest}) AT TIME ZONE {zone})::date)"
