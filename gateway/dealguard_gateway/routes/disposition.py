"""How a file is called in an answer (RFC 6266, RFC 8187)."""

import re
import unicodedata
from urllib.parse import quote

from dealguard_api.text import one_line

_UNSAFE = re.compile(r'[\\/:*?"<>|%]+')
_MAX_CHARACTERS = 200


def content_disposition(file_name: str | None, default: str, *, suffix: str = "") -> str:
    """`Content-Disposition: inline` with a name that is safe to save under.

    Args:
        file_name: as somebody else called it; None or what nothing remains of: `default`.
        default: a safe name.
        suffix: what the name must end with; another ending `.pdf` gives way to it.

    >>> content_disposition("Müller.pdf", "contract.pdf")
    'inline; filename="Muller.pdf"; filename*=UTF-8\\'\\'M%C3%BCller.pdf'
    """
    name = _UNSAFE.sub("_", one_line(file_name or "")).strip(". ")[:_MAX_CHARACTERS] or default
    if suffix and not name.lower().endswith(suffix):
        name = re.sub(r"\.pdf$", "", name, flags=re.IGNORECASE) + suffix
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip(". ") or default
    plain = f'inline; filename="{ascii_name}"'
    return plain if ascii_name == name else f"{plain}; filename*=UTF-8''{quote(name, safe='')}"
