"""The admin site: the apps register themselves; what is nobody's business is taken out here."""

from __future__ import annotations

from django.contrib import admin

site = admin.site

#: The queue's pickled tasks, locks of logins and keys of devices: they say nothing to a merchant, and must not be
#: changed by hand.
INTERNAL = {"django_q", "axes", "otp_totp", "otp_static"}

for model in [model for model in site._registry if model._meta.app_label in INTERNAL]:
    site.unregister(model)
