from django.contrib import admin
from django.urls import path

from people import login, views

_ours = admin.site.admin_view

urlpatterns = [
    # Stands before the admin's own page of the same address.
    path("login/", login.Login.as_view(), name="login"),
    path("login/code/", login.Code.as_view(), name="login_code"),
    path("account/", _ours(views.account), name="account"),
    path("account/two-steps/", _ours(views.begin), name="account_begin"),
    path("account/codes/", _ours(views.codes), name="account_codes"),
    path("account/one-step/", _ours(views.end), name="account_end"),
    path("account/alerts/", _ours(views.alerts), name="account_alerts"),
    path("account/alerts/try/", _ours(views.try_alerts), name="account_alerts_try"),
    path("account/elsewhere/", _ours(views.log_out_elsewhere), name="account_elsewhere"),
]
