from tiles.cache import TileCache


def test_the_least_recently_used_goes_first() -> None:
    cache = TileCache(30)
    for name in "abc":
        cache.put(name, bytes(10))
    assert cache.get("a") is not None
    cache.put("d", bytes(10))
    assert cache.get("b") is None
    assert [cache.get(name) is not None for name in "acd"] == [True, True, True]
    assert (len(cache), cache.size) == (3, 30)


def test_a_body_put_again_counts_once() -> None:
    cache = TileCache(30)
    cache.put("a", bytes(10))
    cache.put("a", bytes(12))
    assert (len(cache), cache.size) == (1, 12)


def test_a_body_that_would_push_out_most_others_is_not_kept() -> None:
    cache = TileCache(30)
    cache.put("a", bytes(10))
    cache.put("b", bytes(16))
    assert (cache.get("b"), cache.size) == (None, 10)
