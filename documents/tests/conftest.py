"""Fixtures of the tests of documents."""

import shutil

import pytest
from django.conf import settings


@pytest.fixture(autouse=True)
def _empty_storage():
    """Each test begins with an empty storage folder."""
    shutil.rmtree(settings.DOCUMENT_FOLDER, ignore_errors=True)
