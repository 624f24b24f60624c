"""What the tests of texts and of numbers share: any text at all, digits of both scripts, how a refusal is read."""

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import strategies as st

if not settings.configured:  # these tests need no project: only messages ask for a setting, and only for this one
    settings.configure(USE_I18N=False)

ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩"
PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹"
TO_ARABIC = str.maketrans("0123456789", ARABIC_DIGITS)
TO_PERSIAN = str.maketrans("0123456789", PERSIAN_DIGITS)

# Any code point, lone surrogates included.
ANY_TEXT = st.text(alphabet=st.characters())


def refusal_of(function, *args, **kwargs):
    """The code and the English message with which a call is refused."""
    with pytest.raises(ValidationError) as refused:
        function(*args, **kwargs)
    with translation.override("en"):
        return refused.value.code, str(refused.value.message)
