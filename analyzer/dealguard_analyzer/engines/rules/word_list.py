"""Lists of words, written as one string so that they can be read."""


def words(text: str, separator: str | None = None) -> tuple[str, ...]:
    """The words of `text`, at white space or at `separator`."""
    return tuple(text.split(separator))
