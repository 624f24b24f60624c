"""`Idempotency-Key`: of a POST that is sent several times under one key, one is carried out and all get its answer.

The key is inserted first, in the transaction of the change: a repeat waits for it by the unique index, and what a
crash undoes, it undoes with its key. Answers are kept for a day and forgotten with the rows that they show.
"""

import hashlib
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import orjson
from django.core.exceptions import ValidationError as RuleViolation
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.api.renderers import dumps
from config.db import removed
from config.models import IdempotencyKey
from config.signals import changed

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
KEPT = timedelta(days=1)
WAIT_SECONDS = 5
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
_LOCK_TIMEOUT, _STATEMENT_TIMEOUT = "55P03", "57014"


def answered_once(view, handler):
    """The handler of a POST, carried out once for each key; the handler itself where the caller names none.

    Only what succeeds is kept: a refusal has changed nothing, and the same request may succeed later. Raises
    ValidationError: 400 for a key that is none, 422 for one that stood over another request, 409 while that
    still runs after WAIT_SECONDS and when its answer was forgotten.
    """
    key = view.request.headers.get(HEADER)
    if key is None:
        return handler
    if not _VISIBLE.fullmatch(key):
        raise ValidationError({HEADER: _("Must be 1 to 255 visible ASCII characters")})

    def answer(request, *args, **kwargs):
        fingerprint = _fingerprint(request, reads_body=view.action in view.bodies)
        with transaction.atomic():
            row = _claimed(request, key, fingerprint)
            if row.status is None:
                response = handler(request, *args, **kwargs)
                _keep(row, response)
                return response
        if row.fingerprint != fingerprint:
            raise RuleViolation({HEADER: _("This key was used for another request")})
        return _replayed(view, row)

    return answer


def used_before(moment):
    """Keys that were used before a moment."""
    return IdempotencyKey.objects.filter(created_at__lt=moment)


def prune_keys(before=None):
    """Remove keys that were used before a moment, by default a day ago; yields how many, a batch at a time."""
    yield from removed(used_before(before or timezone.now() - KEPT))


@receiver(changed)
def forget_answers(rows, kind, once=(), **_message):
    """Forget the answers that name rows which are removed or erased; their keys stay, so that nothing is done again."""
    if kind not in ("purged", "erased") or not rows:
        return
    named = rf"\y(?:{'|'.join(map(re.escape, [*(row.pk for row in rows), *once]))})\y"
    answers = IdempotencyKey.objects.filter(organization_id__in={row.organization_id for row in rows})
    answers.filter(Q(path__regex=named) | Q(data__regex=named)).update(data=None, head=None)


def _claimed(request, key, fingerprint):
    """The row of a key: without a status when it is this request's own, else that of the request that succeeded."""
    mine = {"employee_id": request.user.pk, "key": key}
    row = IdempotencyKey(
        **mine, organization_id=request.user.organization_id, path=request.path_info, fingerprint=fingerprint
    )
    try:
        with _patience():
            IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) not in (_LOCK_TIMEOUT, _STATEMENT_TIMEOUT):
            raise
        conflict = RuleViolation(_("The first request with this key is still being carried out"), code="conflict")
        conflict.wait = WAIT_SECONDS
        raise conflict from None
    return IdempotencyKey.objects.get(**mine)


@contextmanager
def _patience():
    """Statements inside wait for others at most WAIT_SECONDS, those after as long as before."""
    with connection.cursor() as cursor:
        wait = "SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)"
        cursor.execute(wait, [f"{WAIT_SECONDS}s"])
        before, _now = cursor.fetchone()
        yield
        cursor.execute(wait, [before])


def _fingerprint(request, *, reads_body):
    """A hash of what is asked for. Of a form its fields, as clients draw a new boundary each time."""
    body = request.data if reads_body else None
    if isinstance(body, MultiValueDict):
        body = {name: [_hashable(value) for value in values] for name, values in body.lists()}
    asked = [request.method, request.path_info, request.META.get("QUERY_STRING", ""), body]
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _hashable(value):
    if isinstance(value, str):
        return value
    digest = hashlib.file_digest(value.file, "sha256").hexdigest()
    value.file.seek(0)
    return [value.name, value.content_type, digest]


def _keep(row, response):
    data = dumps(response.data)
    response.data = orjson.Fragment(data)
    version = getattr(response, "row_version", 0)
    row.status, row.data = response.status_code, data.decode()
    row.head = {
        "message": response.message and str(response.message),
        "location": response.get("Location"),
        "version": version,
        "updatedAt": version and response.row_updated_at.timestamp(),
    }
    row.save(update_fields=["status", "data", "head"])


def _replayed(view, row):
    """The kept answer as a response: links are signed and `meta` is written anew."""
    if row.data is None:
        raise RuleViolation(_("What this key was answered with has been removed for good"), code="conflict")
    response = view.answer(orjson.Fragment(row.data), status=row.status, message=row.head["message"])
    if row.head["location"]:
        response["Location"] = row.head["location"]
    if row.head["version"]:
        response.row_version = row.head["version"]
        response.row_updated_at = datetime.fromtimestamp(row.head["updatedAt"], UTC)
    response[REPLAYED] = "true"
    return response
