"""What the back office needs around its requests and the API does without: sessions, a person, messages, a language.

On every request of the API these layers together would cost a fifth of its speed.
"""

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.middleware import AuthenticationMiddleware as DjangoAuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware as DjangoMessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from config.clock import zone_of
from config.logging import employee_id

ROOT = "/admin/"
# The organization that a superuser works in, in the session.
ORGANIZATION = "organization"


class _OnlyTheBackOffice:
    """A layer that other requests pass by."""

    def __call__(self, request):
        if request.path_info.startswith(ROOT):
            return super().__call__(request)
        return self.get_response(request)


class SessionMiddleware(_OnlyTheBackOffice, DjangoSessionMiddleware):
    pass


class MessageMiddleware(_OnlyTheBackOffice, DjangoMessageMiddleware):
    pass


class AuthenticationMiddleware(_OnlyTheBackOffice, DjangoAuthenticationMiddleware):
    """Who is signed in, in the organization that a superuser has chosen, on the clock of that organization."""

    def __call__(self, request):
        with timezone.override(None):
            return super().__call__(request)

    def process_request(self, request):
        request.user = SimpleLazyObject(lambda: _person(request))


def _person(request):
    person = auth.get_user(request)
    if person.is_authenticated:
        if person.is_superuser and request.session.get(ORGANIZATION):
            person = person.working_in(request.session[ORGANIZATION])
        employee_id.set(person.pk)
        timezone.activate(zone_of(person.organization))
    return person


class LanguageMiddleware:
    """Arabic, unless somebody has switched: a browser in English says nothing about its reader."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.path_info.startswith(ROOT):
            return self.get_response(request)
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        with translation.override(chosen if chosen in dict(settings.LANGUAGES) else "ar"):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
            return response
