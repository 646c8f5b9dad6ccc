"""A space knows its configurations: which there are, how many, and where they lie."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.errors import SpaceError
from dialed.space import Boolean, Choice, Condition, Domain, Fixed, Float, Hyperparameter, Int, Space, Value

FINITE: list[Domain] = [
    Choice(["a", "b", "c"], default="b"),
    Choice([1, True]),
    Boolean(),
    Int(1, 3),
    Int(1, 4, sampling="log", default=2),
    Float(0, 0.3, step=0.1),
    Fixed(7),
]
OPEN: list[Domain] = [Float(-1, 1), Float(1e-4, 1, sampling="log", default=1e-2)]


@st.composite
def spaces(draw: st.DrawFn, *, domains: list[Domain] = FINITE, largest: int = 5) -> Space:
    """Spaces with conditions on anything that stands before."""
    hyperparameters: list[Hyperparameter] = []
    for index in range(draw(st.integers(0, largest))):
        parents = [p for p in hyperparameters if p.domain.size is not None]
        chosen = draw(st.lists(st.sampled_from(parents), max_size=2, unique_by=lambda p: p.name)) if parents else []
        conditions = []
        for parent in chosen:
            values = parent.domain.values()
            indices = draw(st.sets(st.integers(0, len(values) - 1), min_size=1))
            conditions.append(Condition(parent.name, tuple(values[i] for i in sorted(indices))))
        hyperparameters.append(Hyperparameter(f"h{index}", draw(st.sampled_from(domains)), tuple(conditions)))
    return Space(hyperparameters)


def nested() -> Space:
    """A choice, its child, its grandchild and an open float."""
    return Space(
        [
            Hyperparameter("kind", Choice(["mlp", "cnn"])),
            Hyperparameter("blocks", Int(1, 3), (Condition("kind", ("cnn",)),)),
            Hyperparameter("pool", Boolean(), (Condition("blocks", (2, 3)),)),
            Hyperparameter("rate", Float(1e-4, 1, sampling="log", default=1e-2)),
        ]
    )


def test_a_space_is_an_ordered_set() -> None:
    """Names, length, membership, iteration, access."""
    space = nested()
    assert space.names == ("kind", "blocks", "pool", "rate")
    assert len(space) == 4
    assert "pool" in space
    assert "units" not in space
    assert [hyperparameter.name for hyperparameter in space] == list(space.names)
    assert space["blocks"].domain == Int(1, 3)


def test_equal_spaces_are_equal() -> None:
    """By content, and hashable."""
    assert nested() == nested()
    assert hash(nested()) == hash(nested())
    assert nested() != Space()
    assert nested() != "space"
    assert "Hyperparameter(name='kind'" in repr(nested())


@pytest.mark.parametrize(
    ("values", "active"),
    [
        ({}, {"kind": "mlp", "rate": 0.01}),
        ({"kind": "cnn"}, {"kind": "cnn", "blocks": 1, "rate": 0.01}),
        ({"kind": "cnn", "blocks": 2}, {"kind": "cnn", "blocks": 2, "pool": False, "rate": 0.01}),
        ({"blocks": 2, "pool": True, "rate": 0.1}, {"kind": "mlp", "rate": 0.1}),
    ],
)
def test_only_the_active_part_counts(values: dict[str, Value], active: dict[str, Value]) -> None:
    """A grandchild needs its parent to be active; what is missing gets its default."""
    assert nested().restrict(values) == active
    assert nested().active(values) == tuple(active)


def test_the_default_configuration_holds_all_defaults() -> None:
    """It is the first trial of every study."""
    assert nested().default_values() == {"kind": "mlp", "rate": 0.01}


@given(spaces(domains=FINITE + OPEN), st.integers(0, 99))
def test_a_sample_is_a_configuration(space: Space, seed: int) -> None:
    """Contained, complete, and nothing inactive."""
    values = space.sample(np.random.default_rng(seed))
    assert space.contains(values)
    assert space.restrict(values) == values


@given(spaces())
def test_listing_gives_each_configuration_once(space: Space) -> None:
    """As many as the size says, all different, all contained, also with conditions on conditions."""
    listed = list(space.enumerate())
    assert len(listed) == space.size()
    assert len({space.key(values) for values in listed}) == len(listed)
    assert all(space.contains(values) and space.restrict(values) == values for values in listed)


@given(spaces(domains=FINITE + OPEN), st.integers(0, 99))
def test_a_configuration_comes_back_from_its_vector(space: Space, seed: int) -> None:
    """Encoded and decoded, it is the same; what is inactive is NaN."""
    values = space.sample(np.random.default_rng(seed))
    vector = space.encode(values)
    assert vector.shape == (len(space),)
    assert vector.dtype == np.float64
    assert [name for name, unit in zip(space.names, vector, strict=True) if not np.isnan(unit)] == list(values)
    assert np.nanmin(vector, initial=0.0) >= 0
    assert np.nanmax(vector, initial=1.0) <= 1
    np.testing.assert_allclose(space.encode(space.decode(vector)), vector, atol=1e-9)
    assert list(space.decode(vector)) == list(values)


@given(spaces(domains=FINITE + OPEN), st.data())
def test_any_vector_decodes_to_a_configuration(space: Space, data: st.DataObject) -> None:
    """NaN where something is active means the default; a number where nothing is means nothing."""
    units = st.one_of(st.just(float("nan")), st.floats(0, 1))
    vector = np.array(data.draw(st.lists(units, min_size=len(space), max_size=len(space))), dtype=float)
    assert space.contains(space.decode(vector))


@given(spaces(domains=FINITE + OPEN))
def test_a_space_survives_json_text(space: Space) -> None:
    """Through strict JSON."""
    assert Space.from_json(json.loads(json.dumps(space.to_json(), allow_nan=False))) == space


@given(spaces(domains=FINITE + OPEN))
def test_a_space_grown_by_itself_is_itself(space: Space) -> None:
    """And differs from itself in nothing."""
    assert space.merge(space) == space
    assert space.difference(space) == []


def test_listing_goes_in_the_order_of_the_domains() -> None:
    """The last hyperparameter fastest, `points` from each open range."""
    space = Space([Hyperparameter("a", Boolean()), Hyperparameter("b", Float(0, 1))])
    assert list(space.enumerate(points=2)) == [
        {"a": False, "b": 0.0},
        {"a": False, "b": 1.0},
        {"a": True, "b": 0.0},
        {"a": True, "b": 1.0},
    ]


def test_listing_is_lazy() -> None:
    """The first configurations of an immense space come at once."""
    space = Space([Hyperparameter(f"h{i}", Int(1, 10)) for i in range(30)])
    assert space.size() == 10**30
    assert next(space.enumerate()) == space.default_values()


def test_points_by_name_thin_out_any_range() -> None:
    """One number counts for open ranges only."""
    space = Space([Hyperparameter("a", Int(1, 100)), Hyperparameter("b", Float(0, 1))])
    assert sum(1 for _ in space.enumerate(points={"a": 3, "b": 2})) == 6
    assert sum(1 for _ in space.enumerate(points=2)) == 200


def test_a_parent_with_an_open_range_can_be_listed() -> None:
    """`points` says which of its values there are."""
    space = Space([Hyperparameter("a", Float(0, 1)), Hyperparameter("b", Boolean(), (Condition("a", (1.0,)),))])
    assert list(space.enumerate(points=2)) == [{"a": 0.0}, {"a": 1.0, "b": False}, {"a": 1.0, "b": True}]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (None, r"`rate` must have a finite number of values to be listed.*points={'rate': 5}, or points=5"),
        ({"rat": 5, "rate": 2}, r"`points` must name hyperparameters of the space. Got \['rat'\]"),
        (0, "`points` must be an integer of at least 1. Got 0"),
    ],
)
def test_an_open_range_needs_points(points: Any, message: str) -> None:
    """Said before anything is listed."""
    with pytest.raises(SpaceError, match=message):
        nested().enumerate(points)


def test_keys_tell_configurations_apart() -> None:
    """By the active part, by True and 1; not by 1 and 1.0 of a Float."""
    space = Space([Hyperparameter("a", Choice([1, True])), Hyperparameter("b", Float(0, 2))])
    assert space.key({"a": 1, "b": 1}) == space.key({"a": 1, "b": 1.0})
    assert space.key({"a": 1, "b": 1}) != space.key({"a": True, "b": 1})
    assert nested().key({"kind": "mlp", "blocks": 2}) == nested().key({})


def test_a_key_of_an_old_trial_exists() -> None:
    """Ranges may have changed since: its values need not fit."""
    assert nested().key({"rate": 5.0}) != nested().key({})


@pytest.mark.parametrize(
    ("values", "inside"),
    [
        ({"kind": "cnn", "blocks": 3, "pool": True, "rate": 0.5}, True),
        ({"kind": "cnn"}, True),
        ({"kind": "mlp", "blocks": 99}, True),
        ({"kind": "rnn"}, False),
        ({"rate": 2.0}, False),
        ({"units": 3}, False),
    ],
)
def test_values_fit_or_do_not(values: dict[str, Value], inside: bool) -> None:
    """Missing values are defaults, inactive ones do not matter, unknown names do not fit."""
    assert nested().contains(values) is inside


def test_values_outside_cannot_be_encoded() -> None:
    """The message names the hyperparameter."""
    with pytest.raises(SpaceError, match="`rate`: A value must be in Float"):
        nested().encode({"rate": 7.0})


def test_a_name_stands_for_one_hyperparameter() -> None:
    """Twice is an error."""
    with pytest.raises(SpaceError, match="Each name must stand for one hyperparameter. Got `a` twice"):
        Space([Hyperparameter("a", Boolean()), Hyperparameter("a", Boolean())])


def test_parents_stand_before_their_children() -> None:
    """So that one pass tells what is active."""
    with pytest.raises(SpaceError, match="`b` must stand behind the hyperparameters that it depends on. Got `a`"):
        Space([Hyperparameter("b", Boolean(), (Condition("a", (True,)),)), Hyperparameter("a", Boolean())])


def test_foreign_data_are_refused() -> None:
    """A store may be damaged."""
    with pytest.raises(SpaceError, match="`data` must be a space as `to_json` writes it"):
        Space.from_json({"space": []})


def test_a_space_describes_itself() -> None:
    """One row each, in words."""
    assert [(row.name, row.kind, row.default, row.active) for row in nested().describe()] == [
        ("kind", "Choice", "mlp", "always"),
        ("blocks", "Int", "1", "kind = cnn"),
        ("pool", "Boolean", "False", "blocks in 2, 3"),
        ("rate", "Float", "0.01", "always"),
    ]
    assert nested().describe()[1].values == "Int(1, 3)"
