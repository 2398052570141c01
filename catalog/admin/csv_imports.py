"""CSV files: what can be had and taken in, and how each import goes on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from catalog.admin import blocks, click, exporting, page, show
from catalog.admin.exporting import download, in_a_sentence, may_export
from catalog.csv_files import export, imports, uploads
from catalog.csv_files.cells import written
from catalog.csv_files.kinds import KINDS, Kind, Problem
from catalog.csv_files.reading import ENCODINGS, SEPARATORS
from catalog.models import CsvImport

State = CsvImport.State
TONES = {
    State.READING: "info", State.READY: "warn", State.IMPORTING: "info", State.STOPPED: "warn", State.DONE: "good",
    State.CANCELED: "idle", State.FAILED: "bad",
}  # fmt: skip
#: Rows with an error that the page shows; the file has them all.
PROBLEMS_SHOWN = 50
FOUND = (("new", "New"), ("changed", "Changed"), ("unchanged", "As they are"), ("refused", "With errors"))


class UploadForm(forms.Form):
    file = forms.FileField(label="File", allow_empty_file=True)
    reference = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["accept"] = ".csv,.txt,.tsv,text/csv"


def may_import(request: HttpRequest, kind: Kind) -> bool:
    return request.user.has_perms(kind.to_import)


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


@admin.register(CsvImport)
class CsvImportAdmin(page.Page):
    list_display = ("when", "kind_title", "file", "state_pill", "num_rows", "who")
    list_display_links = None
    ordering = ("-pk",)
    list_before_template = "catalog/csv_kinds.html"
    empty_title = "Nothing imported yet"
    empty_text = "Choose above what you want to import. Nothing changes before you have seen what it would do."
    empty_icon = "upload_file"
    clicks = ("start", "start_good", "stop", "go_on", "cancel")

    # --- who may ----------------------------------------------------------------------------------------
    def _kinds(self, request: HttpRequest) -> list[Kind]:
        return [kind for kind in KINDS.values() if may_import(request, kind)]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return any(may_export(request, kind) or may_import(request, kind) for kind in KINDS.values())

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request) if obj is None else self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and obj.kind in KINDS and may_import(request, KINDS[obj.kind])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(kind__in=[kind.name for kind in self._kinds(request)])

    # --- the list ---------------------------------------------------------------------------------------
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        kinds = [
            (kind, _buttons(request, kind))
            for kind in KINDS.values()
            if may_export(request, kind) or may_import(request, kind)
        ]
        return super().changelist_view(request, {"kinds": kinds, **(extra_context or {})})

    @admin.display(description="When", ordering="created_at")
    def when(self, row: CsvImport) -> str:
        return show.link(show.moment(row.created_at), show.page_of(row))

    @admin.display(description="What", ordering="kind")
    def kind_title(self, row: CsvImport) -> str:
        return KINDS[row.kind].title

    @admin.display(description="File", ordering="file_name")
    def file(self, row: CsvImport) -> str:
        return show.short(row.file_name, 40)

    @admin.display(description="State", ordering="state")
    def state_pill(self, row: CsvImport) -> str:
        return show.pill(row.get_state_display(), TONES[State(row.state)])

    @admin.display(description="Rows", ordering="rows")
    def num_rows(self, row: CsvImport) -> str:
        return show.quantity(row.rows)

    @admin.display(description="Who", ordering="actor")
    def who(self, row: CsvImport) -> str:
        return row.actor

    # --- addresses --------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        def view(route: str, method: Any, name: str) -> URLPattern:
            found: URLPattern = path(route, self.admin_site.admin_view(method), name=f"catalog_csvimport_{name}")
            return found

        return [
            view("export/<slug:kind>.csv", self.export_view, "export"),
            view("sample/<slug:kind>.csv", self.sample_view, "sample"),
            view("upload/<slug:kind>/", self.upload_view, "upload"),
            view("<int:object_id>/errors.csv", self.errors_view, "errors"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest, kind: str) -> StreamingHttpResponse:
        """All rows of a kind, piece by piece."""
        found = _kind(kind)
        if not may_export(request, found):
            raise PermissionDenied
        return exporting.response(request, found)

    def sample_view(self, request: HttpRequest, kind: str) -> StreamingHttpResponse:
        """A few rows to begin a file with."""
        found = _kind(kind)
        if not may_import(request, found):
            raise PermissionDenied
        return download(export.sample(found), f"{found.name}-sample.csv")

    def errors_view(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        """The rows that were refused, with what is wrong; they can be mended there and imported again."""
        row = self.get_object(request, str(object_id))
        if row is None or not self.has_change_permission(request, row):
            raise PermissionDenied
        return download(_error_lines(row), f"errors-{row.pk}.csv")

    def upload_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Take a file and show what it would do."""
        found = _kind(kind)
        if not may_import(request, found):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if "CSV_TOO_LARGE" in request.META:
            form = UploadForm(request.POST)
            form.errors["file"] = form.error_class([uploads.too_large()])
        elif form.is_bound and form.is_valid():
            file, reference = form.cleaned_data["file"], form.cleaned_data["reference"]
            actor = cast(Any, request.user).get_username()
            try:
                row = uploads.take(
                    found, file.name, file.chunks(), reference=reference, actor=actor, now=timezone.now()
                )
            except ValidationError as error:
                form.add_error("file", error)
            else:
                return HttpResponseRedirect(show.page_of(row))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Import {in_a_sentence(found)}",
            "kind": found,
            "form": form,
            "home": reverse("admin:catalog_csvimport_changelist"),
            "megabytes": settings.CSV_UPLOAD_BYTES // 2**20,
        }
        return TemplateResponse(request, "catalog/csv_upload.html", context)

    # --- the page of an import --------------------------------------------------------------------------
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            messages.warning(request, "This import is not here any more: files and results are kept for 30 days.")
            return HttpResponseRedirect(reverse("admin:catalog_csvimport_changelist"))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        kind = KINDS[row.kind]
        parts = blocks.Parts(self.banners(request, row), self.figures(request, row), before=_tables(row, kind))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": f"Import of {in_a_sentence(kind)}",
            "row": row,
            "parts": parts,
            "buttons": self.buttons(request, row),
            "progress": _progress(row),
            "says": row.get_state_display(),
            "base": show.base(request),
        }
        return TemplateResponse(request, "catalog/csv_import.html", context)

    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        found = [blocks.Banner(*_said(instance))]
        if ignored := [name for name, field in zip(instance.header, instance.fields, strict=True) if field is None]:
            names = ", ".join(f"“{name}”" if name else "one without a name" for name in ignored[:20])
            found.append(blocks.Banner(f"Columns that are not imported: {names}."))
        return found

    def figures(self, request: HttpRequest, instance: Any) -> list[blocks.Figure]:
        separator, encoding = SEPARATORS.get(instance.separator, "comma"), ENCODINGS.get(instance.encoding, "")
        tones = {"refused": "bad" if instance.refused else ""}
        return [
            blocks.Figure("File", show.short(instance.file_name, 30), hint=f"{encoding}, {separator}"),
            *(
                blocks.Figure(title, show.quantity(getattr(instance, name)), tones.get(name, ""))
                for name, title in FOUND
            ),
        ]

    @click.button("Import", icon="check", tone="primary", when=lambda row: _can_start(row) and not row.refused)
    def start(self, request: HttpRequest, row: CsvImport) -> str:
        imports.start(row, timezone.now())
        return f"{row} is being imported."

    @click.button("Import the good rows", icon="check", when=lambda row: _can_start(row) and row.refused)
    def start_good(self, request: HttpRequest, row: CsvImport) -> str:
        imports.start(row, timezone.now(), skipping_refused=True)
        return f"{row} is being imported without its rows that have errors."

    @click.button("Stop", icon="pause", when=lambda row: row.is_under_way)
    def stop(self, request: HttpRequest, row: CsvImport) -> str:
        imports.stop(row)
        return f"{row} is stopped."

    @click.button("Go on", icon="play_arrow", tone="primary", when=lambda row: row.state == State.STOPPED)
    def go_on(self, request: HttpRequest, row: CsvImport) -> str:
        imports.go_on(row, timezone.now())
        return f"{row} goes on."

    @click.button("Cancel", icon="close", when=lambda row: row.ended_at is None)
    def cancel(self, request: HttpRequest, row: CsvImport) -> str:
        imports.cancel(row, timezone.now())
        return f"{row} is canceled. What it has imported stays." if row.imported else f"{row} is canceled."


def _can_start(row: CsvImport) -> bool:
    return row.state == State.READY and bool(row.new or row.changed)


def _buttons(request: HttpRequest, kind: Kind) -> list[blocks.Button]:
    found = []
    if may_import(request, kind):
        url = reverse("admin:catalog_csvimport_upload", args=[kind.name])
        found.append(blocks.Button("Import…", url, "upload", is_link=True))
    if may_export(request, kind):
        url = reverse("admin:catalog_csvimport_export", args=[kind.name])
        found.append(blocks.Button("Export", url, "download", is_link=True))
    return found


def _said(row: CsvImport) -> tuple[str, str]:
    """Where it stands, as a sentence, and its tone."""
    if row.state == State.READING:
        return "The file is being read and compared. Nothing changes before you say so.", "info"
    if row.state == State.READY:
        return _preview(row)
    if row.state == State.IMPORTING:
        return "The rows are being imported.", "info"
    if row.state == State.STOPPED:
        return f"Stopped. {row.problem or 'What was imported stays; Go on does the rest.'}", "warn"
    if row.state == State.FAILED:
        return f"{row.problem} Nothing was changed.", "bad"
    rows = f"{row.imported:,} of {row.rows:,} rows were done."
    if row.state == State.CANCELED:
        return f"Canceled. {rows if row.imported else 'Nothing was changed.'}", "idle"
    left_out = f" {row.refused:,} with errors were left out." if row.refused else ""
    return f"Done.{left_out}", "warn" if row.refused else "good"


def _preview(row: CsvImport) -> tuple[str, str]:
    if not row.new and not row.changed:
        return "Nothing would change: all that can be imported of this file is here already.", "info"
    told = f"New rows: {row.new:,}. Rows that change something: {row.changed:,}. Nothing has been changed yet."
    if row.refused:
        rows = "row has an error" if row.refused == 1 else "rows have errors"
        return f"{row.refused:,} {rows}. Mend the file and upload it again, or import the good rows. {told}", "warn"
    return told, "info"


def _progress(row: CsvImport) -> str:
    if not row.is_under_way:
        return ""
    done, of = (row.position, row.size) if row.state == State.READING else (row.imported, row.rows)
    told = f"{row.rows:,} rows read" if row.state == State.READING else f"{done:,} of {of:,} rows"
    return format_html('<progress class="sb-progress" value="{}" max="{}"></progress> {}', done, max(of, 1), told)


def _tables(row: CsvImport, kind: Kind) -> list[blocks.Part]:
    tables: list[blocks.Part] = []
    if row.refused:
        tables.append(_problems_table(row))
    for name, title in (("changed", "Changes"), ("new", "New")):
        examples = row.examples.get(name, [])
        if examples:
            count = getattr(row, name)
            note = f"The first {len(examples)} of {count:,}." if count > len(examples) else ""
            columns = blocks.columns("-Line", "What", "Change")
            cells = [[f"Line {line}", what or show.NOTHING, how] for line, what, how in examples]
            tables.append(blocks.Table(title, columns, cells, note=note))
    return tables


def _problems_table(row: CsvImport) -> blocks.Table:
    found: list[Problem] = []
    for problem, _ in imports.problems(row):
        if len(found) == PROBLEMS_SHOWN:
            break
        found.append(problem)
    return blocks.Table(
        "Errors",
        blocks.columns("-Line", "-Column", "What is wrong"),
        [[f"Line {each.line}", each.column or "The row", _sentence(each)] for each in found],
        note=f"The first {PROBLEMS_SHOWN}." if len(found) == PROBLEMS_SHOWN else "",
        link=("Download all errors as CSV", reverse("admin:catalog_csvimport_errors", args=[row.pk])),
    )


def _sentence(problem: Problem) -> str:
    """ "is empty." after its column's name."""
    subject = problem.column or "It"
    return problem.sentence if not problem.sentence[:1].islower() else f"{subject} {problem.sentence}"


def _error_lines(row: CsvImport) -> Iterator[bytes]:
    header = ["Line", "Column", "What is wrong", *row.header]
    yield (export.BOM + export.text([[written(cell) for cell in header]])).encode()
    for problem, cells in imports.problems(row):
        # The cells are as they came: those that were safe stay so.
        given = [written(cell) if not cell.startswith("'") else cell for cell in cells]
        yield export.text([[str(problem.line), problem.column, written(_sentence(problem)), *given]]).encode()
