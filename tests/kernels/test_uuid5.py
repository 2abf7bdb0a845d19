import uuid

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tocsin.kernels.uuid5 import uuid5_series


@given(st.uuids(), st.lists(st.none() | st.text(max_size=200), max_size=20))
def test_a_series_of_names_has_the_uuids_that_the_standard_library_gives(namespace: uuid.UUID, names: list[str | None]) -> None:
    got = uuid5_series(namespace, pl.Series("name", names, pl.String))
    assert got.name == "name"
    assert got.dtype == pl.String
    assert got.to_list() == [None if n is None else str(uuid.uuid5(namespace, n)) for n in names]


def test_names_about_a_block_long_are_padded_as_the_standard_says() -> None:
    names = ["x" * k for k in range(200)]
    assert uuid5_series(uuid.NAMESPACE_URL, pl.Series(names)).to_list() == [str(uuid.uuid5(uuid.NAMESPACE_URL, n)) for n in names]


def test_many_names_are_shared_out_among_threads_in_order() -> None:
    names = pl.select(pl.int_range(100_000).cast(pl.String)).to_series()
    got = uuid5_series(uuid.NAMESPACE_DNS, names)
    for k in (0, 1, 32_767, 32_768, 49_999, 50_000, 99_999):
        assert got[k] == str(uuid.uuid5(uuid.NAMESPACE_DNS, str(k)))
