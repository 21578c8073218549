"""A job of several processes that are run one after the other, in one process."""


class Recorded:
    """A channel on which the others have said what they will; notes what is waited for."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self.waits: list[str] = []

    def wait(self, name: str) -> None:
        self.waits.append(name)

    def tell(self, name: str, text: str) -> None:
        self.said.setdefault(name, text)

    def hear(self, name: str) -> str:
        return self.said[name]

    def heard(self, folder: str) -> list[str]:
        return [text for name, text in self.said.items() if name.startswith(f"{folder}/")]

    def leave(self) -> None:
        """Nobody waits."""

    def abandon(self, status: int) -> None:
        """Nobody waits."""
