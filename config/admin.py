"""The admin site: the apps register themselves; people, and what is nobody's business, are settled here."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User

from catalog.admin.theme import Admin, AdminPasswordChangeForm, UserChangeForm, UserCreationForm

site = admin.site

# The queue's own rows: pickled tasks, which say nothing to a merchant and must not be resubmitted by hand.
for model in [model for model in site._registry if model._meta.app_label == "django_q"]:
    site.unregister(model)

site.unregister([User, Group])


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Admin):  # type: ignore[type-arg]  # it takes none when it runs
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("username", "pk")
    list_filter = ()


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, Admin):
    ordering = ("name", "pk")
