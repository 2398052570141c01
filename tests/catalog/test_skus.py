import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from catalog import skus
from catalog.models import Product, Sku
from tests import make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("MUG-1", "mug-1"),
        ("  mug-1\t", "mug-1"),
        ("MUG\u00a0 1", "mug 1"),  # a no-break space, from a spreadsheet
        ("\u200bMUG-1\ufeff", "mug-1"),  # invisible, copied along from a web page
        ("ＭＵＧ－１", "mug-1"),  # wide letters of a Japanese keyboard
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("mug\x00", "mug"),
        ("  \u200b ", ""),
    ],
)
def test_codes_are_compared_without_what_cannot_be_seen(typed, key):
    assert skus.normalise(typed) == key


@given(st.text(max_size=40))
def test_a_normalised_code_is_its_own_normal_form(code):
    key = skus.normalise(code)
    assert skus.normalise(key) == key


@given(st.text(max_size=40))
def test_case_and_spaces_around_never_matter_for_plain_letters(code):
    plain = code.encode("ascii", "ignore").decode()
    assert skus.normalise(f" {plain.upper()} ") == skus.normalise(plain.lower())


def test_a_code_is_found_as_main_or_alternative_in_any_case():
    mug = make.product("MUG", cost=4, price=10)
    skus.set_codes(mug, "Mug-1", ["TASSE"])

    found = skus.find(["mug-1 ", "Tasse", "unknown", ""])

    assert {key: (match.product_id, match.code, match.is_primary) for key, match in found.items()} == {
        "mug-1": (mug.pk, "Mug-1", True),
        "tasse": (mug.pk, "TASSE", False),
    }


def test_any_number_of_codes_is_found_with_one_query(django_assert_num_queries):
    make.product("MUG")
    with django_assert_num_queries(1):
        assert len(skus.find(["MUG", *(f"C{n}" for n in range(500))])) == 1


def test_new_codes_replace_the_old_ones():
    mug = make.product("MUG")
    skus.set_codes(mug, "NEW", ["SPARE"])
    assert set(mug.skus.values_list("code", "is_primary")) == {("NEW", True), ("SPARE", False)}
    assert make.product("MUG") != mug


def test_setting_the_same_codes_again_writes_nothing(django_assert_num_queries):
    mug = make.product("MUG")
    before = list(Sku.objects.order_by("pk").values())
    skus.set_codes(mug, "MUG", [])
    assert list(Sku.objects.order_by("pk").values()) == before


def test_a_code_given_twice_counts_once_and_as_the_main_one():
    mug = make.product("MUG")
    skus.set_codes(mug, "MUG", ["mug", " Cup ", "CUP", ""])
    assert set(mug.skus.values_list("code", "is_primary")) == {("MUG", True), ("Cup", False)}


def test_a_product_may_have_no_code():
    mug = make.product("MUG")
    skus.set_codes(mug, "", [])
    assert not mug.skus.exists()


def test_a_taken_code_is_refused_and_its_product_named():
    make.product("MUG", name="Blue mug")
    cup = make.product("CUP")
    with pytest.raises(ValidationError, match="The SKU MUG already belongs to Blue mug"):
        skus.set_codes(cup, "CUP", ["mug"])
    assert list(cup.skus.values_list("code", flat=True)) == ["CUP"]


def test_a_code_longer_than_its_column_is_refused():
    with pytest.raises(ValidationError, match="longer than 255"):
        skus.set_codes(make.product("MUG"), "\ufdfa" * 20, [])  # one letter that is eighteen when compared


def test_a_deleted_product_is_not_matched_and_frees_its_codes():
    mug = make.product("MUG")
    skus.delete_product(mug, make.NOW)
    assert skus.find(["MUG"]) == {}
    assert make.product("MUG") != mug
    assert Product.objects.current().count() == 1


def test_deleting_a_product_again_keeps_the_first_time():
    mug = make.product("MUG")
    skus.delete_product(mug, make.NOW)
    skus.delete_product(mug)
    mug.refresh_from_db()
    assert mug.deleted_at == make.NOW


def test_a_deleted_product_gets_no_codes():
    mug = make.product("MUG")
    skus.delete_product(mug, make.NOW)
    with pytest.raises(ValidationError, match="was deleted"):
        skus.set_codes(mug, "MUG", [])
