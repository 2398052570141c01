"""Pages of a list whose rows nobody counts to the last one, nor sorts by what no index knows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

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


class List(ChangeList):
    """Few rows are sorted by any column; many by those that the page names in `indexed`, each by an index."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        slow = [name for name in self._chosen() if name not in getattr(self.model_admin, "indexed", ())]
        if not slow or rows.order_by()[: MOST + 1].count() <= MOST:
            return rows
        titles = " and ".join(self._title(name) for name in slow)
        messages.info(request, f"More than {MOST:,} rows are not sorted by {titles}: filter or search the list first.")
        self.params.pop(ORDER_VAR)
        return rows.order_by(*self.get_ordering(request, rows))

    def _chosen(self) -> list[str]:
        """Names of the columns that somebody wants it sorted by."""
        numbers = [part.lstrip("-") for part in str(self.params.get(ORDER_VAR, "")).split(".")]
        columns = [int(number) for number in numbers if number.isdecimal()]
        return [str(self.list_display[one]) for one in columns if one < len(self.list_display)]

    def _title(self, name: str) -> str:
        column = getattr(self.model_admin, name, None)
        return str(getattr(column, "short_description", name.replace("_", " ")))
