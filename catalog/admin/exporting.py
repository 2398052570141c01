"""Lists whose rows can be had as CSV files: those that the list's filters and search leave."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalog.admin import blocks, page
from catalog.csv_files import export
from catalog.csv_files.kinds import KINDS, Ids, Kind
from catalog.models import CsvImport


class Exporting(page.Page):
    """Before `page.Page` or `page.Deletable` among the bases."""

    #: Names of kinds of CSV files that are about this list's rows.
    exports: Sequence[str] = ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/<slug:kind>.csv", view, name=self._export_name()), *super().get_urls()]

    def list_buttons(self, request: HttpRequest) -> list[blocks.Button]:
        kinds = [kind for name in self.exports if may_export(request, kind := KINDS[name])]
        return [*super().list_buttons(request), *(self._button(request, kind) for kind in kinds)]

    def _button(self, request: HttpRequest, kind: Kind) -> blocks.Button:
        query = request.GET.urlencode()
        url = reverse(f"admin:{self._export_name()}", args=[kind.name])
        return blocks.Button(
            f"Export {in_a_sentence(kind)}", f"{url}?{query}" if query else url, "download", is_link=True
        )

    def _export_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
        """What the list shows with this query, on all its pages."""
        if kind not in self.exports:
            raise Http404
        found = KINDS[kind]
        if not self.has_view_permission(request) or not may_export(request, found):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise Http404 from error
        ids = rows.order_by("pk").values_list("pk", flat=True)
        # Eight bytes each, so that the filters are asked once and not for every page.
        return response(request, found, array("q", ids.iterator(chunk_size=10_000)))


def in_a_sentence(kind: Kind) -> str:
    """As it stands inside a sentence: "alternative SKUs"."""
    return kind.title[:1].lower() + kind.title[1:]


def may_export(request: HttpRequest, kind: Kind) -> bool:
    return request.user.has_perms(kind.to_export)


def response(request: HttpRequest, kind: Kind, among: Ids | None = None) -> StreamingHttpResponse:
    """The file, which is written down among the changes. `among`: as `Kind.pages`."""
    user = cast(Any, request.user)
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(CsvImport),
        object_repr=f"{kind.title} as CSV",
        action_flag=CHANGE,
        change_message="Exported" if among is None else f"Exported what a list showed: {len(among):,}",
    )
    return download(export.lines(kind, user.has_perm, among), f"{kind.name}-{timezone.localdate()}.csv")


def download(pieces: Iterator[bytes], name: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
