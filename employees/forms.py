"""How people sign in to the back office: with the guards of the API's sign-in."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import Throttled

from config.api.throttling import client_address
from employees.services import check_credentials


class SignInForm(AdminAuthenticationForm):
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": _("Wrong e-mail or password, or an account that does not work in the back office."),
        "throttled": _("Too many tries. Please wait a minute and try again."),
    }

    def clean(self):
        """The employee with this e-mail and password, counted against the limits of the API's sign-in."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            try:
                self.user_cache = check_credentials(email, password, address=client_address(self.request))
            except Throttled:
                raise ValidationError(self.error_messages["throttled"], code="throttled") from None
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data
