"""Who may log in and what they may do, and what was changed by hand."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest
from django.utils.html import format_html

from catalog.admin import blocks, click, page, show, theme
from catalog.admin.theme import (
    AdminPasswordChangeForm,
    CheckBoxes,
    ModelForm,
    UserChangeForm,
    UserCreationForm,
    without_windows,
)
from people import login, roles, second_step, sessions
from people.models import Change

admin.site.unregister([User, Group])

#: Labels and help in place of Django's.
PLAIN_WORDS = {
    "username": ("Username", "Letters, digits and @ . + - _"),
    "is_active": ("May log in", "Take this away from whoever has left; what they did keeps their name."),
    "is_superuser": ("May do everything", "Whatever their groups say."),
}


class Permissions(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # it takes none when it runs
    def label_from_instance(self, obj: Any) -> str:
        return roles.LABELS[obj.codename]


class GroupForm(ModelForm):
    permissions = Permissions(
        Permission.objects.none(), label="Those in it may", required=False, widget=CheckBoxes,
        help_text="What is not ticked is not shown to them.",
    )  # fmt: skip

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = [When(codename=codename, then=number) for number, codename in enumerate(roles.LABELS)]
        known = Permission.objects.filter(codename__in=roles.LABELS)
        if "permissions" in self.fields:
            cast(Any, self.fields["permissions"]).queryset = known.order_by(Case(*places))


@admin.register(Group)
class GroupAdmin(page.Page):
    """Four that are always there, and whatever else somebody needs."""

    form = GroupForm
    list_display = ("name", "duty", "people")
    ordering = ("name", "pk")
    search_fields = ("name",)

    @admin.display(description="May")
    def duty(self, group: Group) -> str:
        return roles.DUTIES.get(group.name, "As you ticked.")

    @admin.display(description="People")
    def people(self, group: Group) -> str:
        return ", ".join(user.username for user in group.user_set.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("user_set")

    def banners(self, request: HttpRequest, instance: Any) -> list[blocks.Banner]:
        if not roles.is_standard(instance):
            return []
        also = "It is the same in every Stockbridge; make a group of your own for anything else."
        return [blocks.Banner(f"{roles.DUTIES[instance.name]} {also}", "info")]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("allowed",) if roles.is_standard(obj) else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("allowed",) if roles.is_standard(obj) else ()

    @admin.display(description="Those in it may")
    def allowed(self, group: Group) -> str:
        held = set(group.permissions.values_list("codename", flat=True))
        return "\n".join(label for codename, label in roles.LABELS.items() if codename in held)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not roles.is_standard(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not roles.is_standard(obj)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, page.Page):  # type: ignore[type-arg, misc]  # stubs of both declare get_form
    """Whoever is here may log in; their groups say what they may do."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    change_form_template = page.Page.change_form_template
    ordering = ("username", "pk")
    list_display = ("username", "full_name", "email", "may", "steps_pill", "state_pill")
    list_filter = ()
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", ("first_name", "last_name"), "email")}),
        ("What they may do", {"fields": ("is_active", "is_superuser", "groups")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)
    clicks = ("unlock", "log_out", "one_step")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("groups", "totpdevice_set")

    @admin.display(description="Name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="May do")
    def may(self, user: User) -> str:
        return roles.described(user)

    @admin.display(description="Login")
    def steps_pill(self, user: Any) -> str:
        is_on = any(device.confirmed for device in user.totpdevice_set.all())
        return show.pill("In two steps", "good") if is_on else show.pill("Password alone")

    @admin.display(description="State", ordering="is_active")
    def state_pill(self, user: User) -> str:
        return show.pill("Active", "good") if user.is_active else show.pill("Switched off")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in PLAIN_WORDS:
            kwargs["label"], kwargs["help_text"] = PLAIN_WORDS[db_field.name]
        return without_windows(super().formfield_for_dbfield(db_field, request, **kwargs))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Groups to be ticked."""
        return db_field.formfield(widget=CheckBoxes, queryset=Group.objects.order_by("name", "pk"), help_text="")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = True
        super().save_model(request, obj, form, change)

    @click.button("Unlock", icon="lock_open", when=login.is_locked)
    def unlock(self, request: HttpRequest, user: User) -> str:
        login.unlock(user)
        return f"{user} may try again now."

    @click.button("Log out everywhere", icon="logout")
    def log_out(self, request: HttpRequest, user: User) -> str:
        ended = sessions.end(user)
        return f"{user} is logged out ({ended} session{'' if ended == 1 else 's'})."

    @click.button("Turn off two steps", icon="phonelink_erase", when=second_step.is_on)
    def one_step(self, request: HttpRequest, user: User) -> str:
        second_step.end(user)
        return f"Only a password is asked of {user} now. They can turn the second step on again."


KINDS = {ADDITION: ("Added", "good"), CHANGE: ("Changed", ""), DELETION: ("Deleted", "bad")}


@admin.register(Change)
class ChangeAdmin(page.ReadOnly):
    """Who changed what by hand, and when. Nobody can change this list."""

    list_display = ("when", "who", "kind", "thing", "what")
    list_select_related = ("user", "content_type")
    list_filter = (
        ("user", theme.RelatedDropdownFilter),
        ("content_type", theme.RelatedDropdownFilter),
        ("action_time", theme.RangeTimeFilter),
    )
    search_fields = ("object_repr", "change_message", "user__username")
    search_help_text = "What, or who"
    ordering = ("-action_time", "-pk")
    empty_title = "Nobody has changed anything yet"
    empty_text = "Whatever somebody changes by hand is written down here, with what it was before."
    empty_icon = "history_edu"

    @admin.display(description="When", ordering="action_time")
    def when(self, entry: Change) -> str:
        return show.moment(entry.action_time)

    @admin.display(description="Who", ordering="user__username")
    def who(self, entry: Change) -> str:
        return entry.user.get_username()

    @admin.display(description="Did")
    def kind(self, entry: Change) -> str:
        return show.pill(*KINDS[entry.action_flag])

    @admin.display(description="What")
    def thing(self, entry: Change) -> str:
        url = None if entry.action_flag == DELETION else entry.get_admin_url()
        kind = entry.content_type.name if entry.content_type else ""
        name = format_html('<a href="{}">{}</a>', url, entry.object_repr) if url else entry.object_repr
        return format_html("{} <span class='sb-note'>{}</span>", name, kind)

    @admin.display(description="How")
    def what(self, entry: Change) -> str:
        return entry.get_change_message()
