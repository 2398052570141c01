"""What was said between us and others, as it is kept with an activity: bounded, without secrets; and as it is shown."""

from __future__ import annotations

import json
import re
from typing import Any

#: Characters of what was said that are kept.
KEPT = 40_000
HIDDEN = "•••"
_SECRET = re.compile(
    r'("[^"]*(?:passw|pwd|secret|token|(?:api|access|private)[_-]?key|authorization|credential)[^"]*"\s*:\s*)'
    r'(?:"(?:[^"\\]|\\.)*"?|\[[^\]]*\]?|\{[^}]*\}?|[^\s,}\]]+)',
    re.I,
)
#: Keys and tokens, wherever somebody put them: ours, and those of shops.
_KEY = re.compile(r"(sb_|whsec_|shp(?:at|ca|pa|ss|ua|rt|ct)_)[\w+/=-]{16,}", re.ASCII)
#: Names of fields that tell who somebody is: of these all that is in them.
_PERSON = re.compile(r"customer|address|contact|company|purchasingentity|recipient|billing|buyer|person", re.I)
#: And these alone.
_DETAIL = re.compile(
    r"^(e_?mail|phone|note|notes|remarks|(first|last|full)_?name|ip|clientip|city|zip|postcode)$", re.I
)


def kept(said: bytes | str, most: int = KEPT) -> str:
    """What is stored of it. A NUL, which PostgreSQL refuses, is replaced."""
    text = said[: most * 4].decode("utf-8", "replace") if isinstance(said, bytes) else said
    return _KEY.sub(r"\1…", _SECRET.sub(r'\1"…"', text.replace("\0", "\ufffd")[:most]))


def written(content: Any) -> str:
    """The same of what is no text yet."""
    return kept(json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str))


def shown(text: str, *, with_people: bool) -> str:
    """A line for each field. Without people: whoever is named in it is hidden; all of it, where that cannot be told."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text if with_people else HIDDEN
    return json.dumps(content if with_people else _without_people(content), indent=2, ensure_ascii=False)


def _without_people(content: Any, *, all_of_it: bool = False) -> Any:
    if isinstance(content, dict):
        return {
            name: HIDDEN
            if _DETAIL.match(str(name)) and content[name]
            else _without_people(content[name], all_of_it=all_of_it or bool(_PERSON.search(str(name))))
            for name in content
        }
    if isinstance(content, list):
        return [_without_people(each, all_of_it=all_of_it) for each in content]
    return HIDDEN if all_of_it and content not in (None, "", False, True) else content
