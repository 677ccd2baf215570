"""What an attempt has paid for, in object storage until the run's report is there.

It quotes the contract, as the report does, and lies beside it. Nothing fails because it cannot be stored or removed.
"""

from datetime import datetime

from dealguard_analyzer.containers.log import log
from dealguard_analyzer.containers.mounts import Mounts
from dealguard_analyzer.containers.storage import PresignedStorage
from dealguard_analyzer.errors import PassingError
from dealguard_api import pod


class StoredCheckpoint:
    """Implements `engines.CheckpointStore`. URLs are read when they are needed: not every engine needs them."""

    def __init__(self, mounts: Mounts, storage: PresignedStorage) -> None:
        self._mounts = mounts
        self._storage = storage
        self._unsaved: bytes | None = None

    def load(self) -> bytes | None:
        """What an earlier attempt left; None if there is nothing.

        Raises:
            PassingError: the storage does not say now; the next attempt asks again instead of paying again.
        """
        data = self._storage.get(self._mounts.read_secret(pod.CHECKPOINT_GET_URL))
        if data is not None:
            log("found what an earlier attempt paid for", bytes=len(data))
        return data

    def save(self, data: bytes) -> None:
        """Replace it. Not waited for: if the storage is away, the work goes on, and `catch_up` stores it."""
        self._unsaved = data
        self._store(data)

    def catch_up(self, deadline: datetime) -> None:
        """Store what `save` could not: the attempt ends without a report. Tried until shortly before `deadline`."""
        if self._unsaved is not None:
            self._store(self._unsaved, deadline)

    def discard(self) -> None:
        """Remove it: the report is stored."""
        try:
            self._storage.remove(self._mounts.read_secret(pod.CHECKPOINT_DELETE_URL))
        except PassingError as error:
            log("the checkpoint could not be removed", reason=error.reason)

    def _store(self, data: bytes, deadline: datetime | None = None) -> None:
        try:
            self._storage.replace(self._mounts.read_secret(pod.CHECKPOINT_PUT_URL), data, deadline)
            self._unsaved = None
        except PassingError as error:
            log("the checkpoint could not be stored", reason=error.reason)
