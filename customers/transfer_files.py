"""Where the files of transfers lie: with those of customers, under random names that say nothing."""

import logging
from contextlib import contextmanager
from datetime import timedelta
from secrets import token_hex

from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone

from config.api.exceptions import ServiceAway

logger = logging.getLogger("hub.transfers")
# Two folders deep: the sweep of documents looks one folder deep.
_FOLDER = "transfers"
# Younger files without a row may be waiting for theirs.
ABANDONED_AFTER = timedelta(days=1)


def _files():
    return storages["documents"]


@contextmanager
def _reported():
    """ServiceAway for whatever a folder or a bucket fails with; a file that is not there stays that."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        logger.error("storage away", exc_info=error)
        raise ServiceAway from error


def keep(file):
    """Store an open file from its beginning; returns its key."""
    name = token_hex(16)
    file.seek(0)
    with _reported():
        return _files().save(f"{_FOLDER}/{name[:2]}/{name}", File(file))


def open_kept(key):
    """The file of a key, open. FileNotFoundError when it is gone, ServiceAway when nobody can tell."""
    with _reported():
        return _files().open(key)


def remove(*keys):
    """Remove the files of keys; one that stays, because the storage is away, is left to the sweep."""
    for key in filter(None, keys):
        try:
            _files().delete(key)
        except Exception as error:
            logger.error("file not removed", exc_info=error)


def remove_on_commit(*keys):
    """The same when the transaction that forgets the keys has been committed."""
    transaction.on_commit(lambda: remove(*keys))


def abandoned(known):
    """The keys of files without a row that are older than a day; `known` says which of some keys have one."""
    with _reported():
        try:
            folders = _files().listdir(_FOLDER)[0]
        except FileNotFoundError:
            return
        young = timezone.now() - ABANDONED_AFTER
        for folder in folders:
            path = f"{_FOLDER}/{folder}"
            keys = {f"{path}/{name}" for name in _files().listdir(path)[1]}
            for key in sorted(keys - known(keys)):
                if _files().get_modified_time(key) < young:
                    yield key
