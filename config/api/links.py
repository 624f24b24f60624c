"""Links to files: absolute, signed for one employee, and short-lived.

Rows leave PostgreSQL with a marked path where a link will stand (`config.api.rows.SignedLink`), so that ETags and
caches hold nothing that changes each second; the renderer puts the links in last.
"""

import re
import time
from urllib.parse import urlencode

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied

LIFETIME_SECONDS = 300
# JSON escapes this character in every text: raw, it stands nowhere but around our paths.
MARK = "\x1a"
_MARKED_PATH = re.compile(rb"\x1a([^\x1a]*)\x1a")


def unmarked(text):
    """A rendered row with plain paths in the place of links: JSON that can be parsed."""
    return text.replace(MARK, "")


def marked(path):
    """A path of ours as the JSON text that becomes a link."""
    return f'"{MARK}{path}{MARK}"'


def with_links(body, request):
    """The bytes of an answer with its marked paths signed for the caller."""
    if MARK.encode() not in body:
        return body
    return linked(body, request.user.pk, request.build_absolute_uri("/").rstrip("/"))


def linked(body, employee_id, root):
    """Bytes of JSON with their marked paths signed for an employee; `root` is where the caller has found us."""
    expires = int(time.time()) + LIFETIME_SECONDS

    def link(match):
        path = match[1].decode()
        query = {"employee": employee_id, "expires": expires}
        signature = _signature(path, **query)
        return f"{settings.PUBLIC_URL or root}{path}?{urlencode(query | {'signature': signature})}".encode()

    return _MARKED_PATH.sub(link, body)


def holder_of(request):
    """The id of the employee whom the request's link was signed for, None when it is no signed link.

    PermissionDenied (403) when the link has expired or is not as it was signed.
    """
    query = request.GET
    if "signature" not in query:
        return None
    employee, expires = query.get("employee", ""), query.get("expires", "")
    expected = _signature(request.path_info, employee=employee, expires=expires)
    is_ours = constant_time_compare(query["signature"], expected)
    if not is_ours or int(expires) < time.time():
        raise PermissionDenied(_("This link has expired or is not complete; read the document again for a new one"))
    return employee


def _signature(path, *, employee, expires):
    return salted_hmac("hub.links", f"{path}\n{employee}\n{expires}", algorithm="sha256").hexdigest()
