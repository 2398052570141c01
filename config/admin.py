"""The admin site: the apps register themselves; people, and what is nobody's business, are settled here."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Case, When
from django.http import HttpRequest

from catalog.admin.theme import (
    Admin,
    AdminPasswordChangeForm,
    CheckBoxes,
    ModelForm,
    UserChangeForm,
    UserCreationForm,
    without_windows,
)

site = admin.site

# The queue's own rows: pickled tasks, which say nothing to a merchant and must not be resubmitted by hand.
for model in [model for model in site._registry if model._meta.app_label == "django_q"]:
    site.unregister(model)

site.unregister([User, Group])

#: What a group can allow: the screen's name, its model, and what is done there. Users and groups are not among them:
#: who may change those may do everything.
SCREENS = (
    ("Sales", "order", ("view", "change", "delete")),
    ("Customers", "customer", ("view", "add", "change", "delete")),
    ("Products", "product", ("view", "add", "change", "delete")),
    ("Storages", "storage", ("view", "add", "change", "delete")),
    ("Connections", "connection", ("view", "change", "delete")),
    ("Orders in shops", "orderlink", ("view",)),
    ("Quantities in shops", "publishedstock", ("view",)),
    ("Activity", "activity", ("view",)),
)
VERBS = {"view": "see", "add": "add", "change": "change", "delete": "delete"}
LABELS = {f"{verb}_{model}": f"{title}: {VERBS[verb]}" for title, model, verbs in SCREENS for verb in verbs}
#: Labels and help in place of Django's.
PLAIN_WORDS = {
    "is_active": ("May log in", "Take this away from whoever has left; what they did keeps their name."),
    "is_superuser": ("May do everything", "Also change users and groups. Groups are for everybody else."),
}


class Permissions(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # it takes none when it runs
    def label_from_instance(self, obj: Any) -> str:
        return LABELS[obj.codename]


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
        places = [When(codename=codename, then=number) for number, codename in enumerate(LABELS)]
        known = Permission.objects.filter(codename__in=LABELS)
        cast(Any, self.fields["permissions"]).queryset = known.order_by(Case(*places))


@admin.register(Group)
class GroupAdmin(Admin):
    form = GroupForm
    ordering = ("name", "pk")
    search_fields = ("name",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Admin):  # type: ignore[type-arg]
    """Whoever is here may log in; their groups say what they may do."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("username", "pk")
    list_display = ("username", "first_name", "last_name", "email", "is_active", "is_superuser")
    list_filter = ()
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", ("first_name", "last_name"), "email")}),
        ("What they may do", {"fields": ("is_active", "is_superuser", "groups")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)

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
