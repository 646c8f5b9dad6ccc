"""Studies of one database find each other by the beginning of their names."""

from dialed.search import Terms
from dialed.store import open_catalog
from dialed.trial import Objective


def test_the_others_are_found_by_their_beginning():
    terms = Terms(objective=Objective("loss", "min"))
    with open_catalog("sqlite:///:memory:") as catalog:
        first = catalog.create("net", terms, {})
        for name in ("net-explained-1", "other", "net-explained-2"):
            catalog.create(name, terms, {"of": name})
        found = first.beside("net-explained-")
        assert [store.name for store in found] == ["net-explained-1", "net-explained-2"]
        assert found[0].settings == {"of": "net-explained-1"}
        assert found[0].artifacts == catalog.open("net-explained-1").artifacts
        assert "net" not in [store.name for store in first.beside("net")]
