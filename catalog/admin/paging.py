"""Pages of a list whose rows nobody counts to the last one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator

if TYPE_CHECKING:
    Base = Paginator[Any]
else:
    Base = Paginator

#: Rows that are counted, and that can be paged through; of more it says "10,000+".
MOST = 10_000


class Pages(Base):
    """Counting a million rows takes longer than reading a page of them. Filters and search lead to the rest."""

    template_name = "stockbridge/pages.html"

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: MOST + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST)

    @property
    def has_more(self) -> bool:
        """Whether there are rows that were not counted."""
        return self._counted > MOST

    @property
    def shown(self) -> str:
        return f"{self.count:,}{'+' if self.has_more else ''}"
