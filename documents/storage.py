"""Where files lie: a private folder or bucket, under random names that say nothing."""

import logging
from contextlib import contextmanager
from datetime import timedelta
from secrets import token_hex

from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone

from config.api.exceptions import ServiceAway

logger = logging.getLogger("hub.documents")
# Younger files without a row may be waiting for theirs.
ABANDONED_AFTER = timedelta(days=1)


def _files():
    return storages["documents"]


@contextmanager
def _reported():
    """ServiceAway (503) for whatever a folder or a bucket fails with; a file that is not there stays that."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        logger.error("storage away", exc_info=error)
        raise ServiceAway from error


def keep(file):
    """Store an open file; returns its key."""
    name = token_hex(16)
    with _reported():
        return _files().save(f"{name[:2]}/{name}", File(file))


def open_kept(key):
    """The file of a key, open. FileNotFoundError when it is gone, ServiceAway when nobody can tell."""
    with _reported():
        return _files().open(key)


def remove(key):
    """Remove the file of a key; a file that stays, because the storage is away, is left to the sweep."""
    try:
        _files().delete(key)
    except Exception as error:
        logger.error("file not removed", exc_info=error)


def remove_on_commit(keys):
    """Remove files when the transaction that removes their rows has been committed."""
    for key in keys:
        if key:
            transaction.on_commit(lambda key=key: remove(key))


def abandoned(known):
    """The keys of files without a row that are older than a day; `known` says which of some keys have one."""
    with _reported():
        try:
            folders = _files().listdir("")[0]
        except FileNotFoundError:
            return
        young = timezone.now() - ABANDONED_AFTER
        for folder in folders:
            keys = {f"{folder}/{name}" for name in _files().listdir(folder)[1]}
            for key in sorted(keys - known(keys)):
                if _files().get_modified_time(key) < young:
                    yield key
