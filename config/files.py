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

logger = logging.getLogger("hub.files")
# Younger files without a row may be waiting for theirs.
ABANDONED_AFTER = timedelta(days=1)


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


class Shelf:
    """The files of one kind, each named by a key that a row holds; `prefix` is where they lie, "" or ending in /."""

    def __init__(self, prefix=""):
        self.prefix = prefix

    @property
    def files(self):
        return storages["documents"]

    def keep(self, file):
        """Store an open file from its beginning; returns its key."""
        name = token_hex(16)
        file.seek(0)
        with _reported():
            return self.files.save(f"{self.prefix}{name[:2]}/{name}", File(file))

    def open_kept(self, key):
        """The file of a key, open. FileNotFoundError when it is gone, ServiceAway when nobody can tell."""
        with _reported():
            return self.files.open(key)

    def remove(self, *keys):
        """Remove the files of keys; one that stays, because the storage is away, is left to the sweep."""
        for key in filter(None, keys):
            try:
                self.files.delete(key)
            except Exception as error:
                logger.error("file not removed", exc_info=error)

    def remove_on_commit(self, *keys):
        """The same when the transaction that removes their rows, or forgets the keys, has been committed."""
        transaction.on_commit(lambda: self.remove(*keys))

    def abandoned(self, known):
        """The keys of files without a row that are older than a day; `known` says which of some keys have one."""
        with _reported():
            try:
                folders = self.files.listdir(self.prefix)[0]
            except FileNotFoundError:
                return
            young = timezone.now() - ABANDONED_AFTER
            for folder in folders:
                path = f"{self.prefix}{folder}"
                keys = {f"{path}/{name}" for name in self.files.listdir(path)[1]}
                for key in sorted(keys - known(keys)):
                    if self.files.get_modified_time(key) < young:
                        yield key
