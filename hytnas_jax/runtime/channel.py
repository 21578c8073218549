"""How the processes of a job reach one another: by the service that JAX runs in the lead."""

import contextlib
import os
import threading
import time
from typing import Any

import jax

from hytnas_jax.runtime import last_words

WEEK_MS = 7 * 24 * 3600 * 1000  # others wait for the lead as long as it lives: heartbeats tell
HEARD_AFTER = 1.0  # seconds in which others hear that the lead ends, before the service goes with it
STOPPED = (130, 143)  # of a signal: who has got it says so
WELL = 0
_ENDED = "hytnas_jax/ended"


class JaxChannel:
    """A `process_group.Channel` over a client of JAX's service."""

    def __init__(self, client: Any, process: int, processes: int) -> None:
        self._client, self._process, self._processes = client, process, processes
        self._watcher = threading.Thread(target=self._watch, name="ended", daemon=True)
        self._watcher.start()

    def wait(self, name: str) -> None:
        """As `Channel` says."""
        self._client.wait_at_barrier(f"hytnas_jax/{name}", WEEK_MS)

    def tell(self, name: str, text: str) -> None:
        """As `Channel` says."""
        with contextlib.suppress(jax.errors.JaxRuntimeError):  # said already
            self._client.key_value_set(f"hytnas_jax/{name}", text)

    def hear(self, name: str) -> str:
        """As `Channel` says."""
        return str(self._client.blocking_key_value_get(f"hytnas_jax/{name}", WEEK_MS))

    def heard(self, folder: str) -> list[str]:
        """As `Channel` says."""
        return [text for _, text in self._client.key_value_dir_get(f"hytnas_jax/{folder}/")]

    def leave(self) -> None:
        """As `Channel` says."""
        self.wait("end")
        with contextlib.suppress(jax.errors.JaxRuntimeError):  # another one has said so
            self._client.key_value_set(_ENDED, f"{WELL} {self._process}")
        self._watcher.join()  # the interpreter's end would abort in its call
        jax.distributed.shutdown()

    def abandon(self, status: int) -> None:
        """As `Channel` says."""
        with contextlib.suppress(Exception):  # the service may have gone first
            self._client.key_value_set(_ENDED, f"{status} {self._process}")
        if self._process == 0:
            time.sleep(HEARD_AFTER)

    def _watch(self) -> None:
        """In a thread of its own: ends this process where another one has said that it ends."""
        try:
            status, process = map(int, self._client.blocking_key_value_get(_ENDED, WEEK_MS).split())
        except Exception:  # the service has gone
            return
        if process == self._process or status == WELL:
            return
        if status not in STOPPED:
            line = (
                f"process {self._process} of {self._processes}: ended, as process {process} has ended with "
                f"status {status}"
            )
            last_words.say(line)
        if self._process == 0:
            time.sleep(HEARD_AFTER)
        os._exit(status)
