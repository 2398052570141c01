"""Login in two steps: besides the password, six figures that an app on one's phone shows.

It is each person's own choice. Ten codes on paper stand in for a lost phone, each of them once.
"""

from __future__ import annotations

from base64 import b32encode

import segno
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

CODES = 10
WRONG = "This code is wrong, or was used already. Wait for the next one and try again."


def is_on(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def codes_left(user: User) -> int:
    """How many codes on paper still work."""
    return int(StaticToken.objects.filter(device__user=user).count())


def begin(user: User) -> TOTPDevice:
    """The key that the phone is to learn; the same one until it is confirmed. Nothing is asked for yet."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device or TOTPDevice.objects.create(user=user, name="Phone", confirmed=False)


def key_of(device: TOTPDevice) -> str:
    """The key as people type it: groups of four letters."""
    text = b32encode(device.bin_key).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def picture_of(device: TOTPDevice) -> str:
    """The key as a QR code, SVG in a data address."""
    return segno.make(device.config_url, error="m").svg_data_uri(scale=5, border=2, light="white")


def confirm(user: User, code: str) -> list[str]:
    """The phone shows the right code: from now on it is asked for. Returns the codes on paper.

    Raises
    ------
    ValidationError: the code is wrong; nothing changed.
    """
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        is_right = device is not None and _takes(device, code)
        if device is not None and is_right:
            TOTPDevice.objects.filter(user=user, confirmed=True).delete()
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            return new_codes(user)
    raise ValidationError(WRONG)


@transaction.atomic
def new_codes(user: User) -> list[str]:
    """Ten codes on paper; the old ones do not work any more."""
    StaticDevice.objects.filter(user=user).delete()
    paper = StaticDevice.objects.create(user=user, name="Paper")
    codes = [StaticToken.random_token() for _ in range(CODES)]
    StaticToken.objects.bulk_create([StaticToken(device=paper, token=code) for code in codes])
    return codes


def passes(user: User, code: str) -> bool:
    """Whether this is what the phone shows, or a code on paper; each works once. Guessing is slowed down."""
    with transaction.atomic():
        phone = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
        if phone is not None and _takes(phone, code):
            return True
        paper = StaticDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
        return paper is not None and _takes(paper, code)


def _takes(device: Device, code: str) -> bool:
    return bool(device.verify_token(code.replace(" ", "").lower()))


@transaction.atomic
def end(user: User) -> None:
    """Only the password is asked for again. Safe to repeat."""
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
