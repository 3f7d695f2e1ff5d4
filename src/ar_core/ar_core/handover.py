"""Messages from stage to stage within one process: the message itself, without a copy and past the middleware.

Which topics go this way is said before the stages are made (`HANDOVER.within`); their hearers then have no subscription, and
hear publishers of this process only. Callbacks are called in the publisher's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

Take = Callable[[Any], None]


class Handover:
    """Who hears what within this process."""

    def __init__(self) -> None:
        self._topics: set[str] = set()
        self._hearers: dict[str, list[Take]] = {}
        self._lock = threading.Lock()

    def within(self, topics: Iterable[str]) -> None:
        """These topics, named as stages name them, are heard this way from now on."""
        self._topics = set(topics)

    def serves(self, topic: str) -> bool:
        """Whether a topic, named as stages name it, is heard this way."""
        return topic in self._topics

    def hear(self, name: str, take: Take) -> Callable[[], None]:
        """Give `take` what is published on a resolved topic, until the returned function is called."""
        with self._lock:
            self._hearers[name] = [*self._hearers.get(name, ()), take]

        def forget() -> None:
            with self._lock:
                self._hearers[name] = [one for one in self._hearers[name] if one is not take]

        return forget

    def give(self, name: str, message: Any) -> bool:
        """Hand a message of a resolved topic over; False if nobody of this process hears it."""
        hearers = self._hearers.get(name, [])
        for take in hearers:
            take(message)
        return bool(hearers)


HANDOVER = Handover()
