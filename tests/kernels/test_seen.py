import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tocsin.kernels.seen import Seen

KEYS = st.integers(0, 40) | st.integers(0, 2**64 - 1)


@given(st.lists(st.lists(KEYS, max_size=60), max_size=8))
def test_a_key_is_seen_from_its_second_time_on(batches: list[list[int]]) -> None:
    seen, oracle = Seen(), set[int]()
    for batch in batches:
        expected = []
        for key in batch:
            expected.append(key in oracle)
            oracle.add(key)
        assert seen.add(np.array(batch, np.uint64)).tolist() == expected
    assert len(seen) == len(oracle)


def test_it_grows_past_any_size_it_began_with() -> None:
    keys = np.random.default_rng(5).integers(0, 2**64, 100_000, dtype=np.uint64)
    seen = Seen()
    assert not seen.add(keys).any()
    assert seen.add(keys[::-1]).all()
    assert len(seen) == 100_000
