"""Every statement of a store, compiled once for the database at hand. Parameters are named; `at_...` says where."""

# ruff: noqa: SIM905 - names of columns are read as words

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    ColumnElement,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.sql.elements import CompilerElement

from dialed.store.schema import IS_OPEN, events, members, studies, trials

__all__ = ["COUNTERS", "MEMBER", "MUTABLE", "STUDY", "TRIAL", "Queries"]

MEMBER = (
    "trial seed fold purpose state until length epoch score best_epoch seconds memory_bytes attempts cause message "
    "last_checkpoint best_checkpoint place worker lease_until begun since"
).split()
MUTABLE = (
    "state until epoch score best_epoch seconds memory_bytes attempts cause message last_checkpoint best_checkpoint "
    "worker lease_until begun"
).split()
TRIAL = (
    "number values_json state cause message score spread epochs seconds parameters source engine origin note tags latency"
).split()
AGGREGATE = "state cause message score spread epochs seconds".split()
STUDY = "name created changed terms settings state trials epochs claim_worker claim_until seconds id cursor".split()
COUNTERS = "state cursor trials enqueued epochs seconds".split()

_OF_STUDY = studies.c.id == bindparam("at_study")
_OF_MEMBER = and_(
    members.c.study == bindparam("at_study"),
    members.c.trial == bindparam("at_trial"),
    members.c.seed == bindparam("at_seed"),
    members.c.fold == bindparam("at_fold"),
)
_MEMBERS = members.c.study == bindparam("at_study")
_TRIALS = trials.c.study == bindparam("at_study")
_EVENTS = events.c.study == bindparam("at_study")
_ONE: ColumnElement[int] = literal_column("1")
_NONE: ColumnElement[int] = literal_column("0")  # not parameters: they would have to be given each time
_ORDER = (members.c.trial, members.c.place)


def _columns(table: Table, names: list[str]) -> list[ColumnElement[object]]:
    return [table.c[name] for name in names]


def _set(table: Table, where: ColumnElement[bool], names: list[str]) -> Update:
    return update(table).where(where).values({name: bindparam(name) for name in names})


def _set_trial(names: list[str]) -> Update:
    return _set(trials, and_(_TRIALS, trials.c.number == bindparam("at_trial")), names)


class Queries:
    """The statements as text.

    Args:
        text: Compiles a statement for the database (`Database.compile`).
    """

    def __init__(self, text: Callable[[CompilerElement], str]) -> None:
        self._write_statements(text)
        self._lease_statements(text)
        self._read_statements(text)
        self._catalog_statements(text)

    def _write_statements(self, text: Callable[[CompilerElement], str]) -> None:
        self.lock_study = text(select(*_columns(studies, COUNTERS)).where(_OF_STUDY).with_for_update())
        self.add_event = text(insert(events))
        self.add_trial = text(insert(trials))
        self.add_member = text(insert(members))
        self.set_member = text(_set(members, _OF_MEMBER, MUTABLE))
        self.set_aggregate = text(_set_trial(AGGREGATE))
        self.set_built = text(_set_trial(["values_json", "parameters", "engine"]))
        self.set_built_copy = text(_set_trial(["parameters", "engine"]))
        self.set_latency = text(_set_trial(["latency"]))
        self.set_note = text(_set_trial(["note", "tags"]))
        self.set_counters = text(_set(studies, _OF_STUDY, [*COUNTERS, "changed"]))
        self.set_terms = text(_set(studies, _OF_STUDY, ["terms", "settings", "changed"]))
        self.members_to_change = text(
            select(*_columns(members, MEMBER))
            .where(_MEMBERS, members.c.trial == bindparam("at_trial"))
            .order_by(members.c.place)
            .with_for_update()
        )

    def _lease_statements(self, text: Callable[[CompilerElement], str]) -> None:
        leased = and_(_MEMBERS, members.c.worker > literal_column("''"))  # not null, in words that use the index
        mine = and_(_MEMBERS, members.c.worker == bindparam("at_worker"))
        self.leases = text(
            select(*_columns(members, ["worker", "lease_until", "begun", "trial", "place", "seed", "fold"])).where(
                leased
            )
        )
        waiting = (
            select(*_columns(members, MEMBER), trials.c.values_json, trials.c.origin)
            .join(trials, and_(trials.c.study == members.c.study, trials.c.number == members.c.trial))
            .where(_MEMBERS, IS_OPEN, members.c.worker.is_(None))
            .order_by(*_ORDER)
            .limit(bindparam("at_most"))
            .offset(_NONE)
            .with_for_update(of=members, skip_locked=True)
        )
        self.waiting = text(waiting)
        self.waiting_for_purpose = text(waiting.where(members.c.purpose == bindparam("at_purpose")))
        self.count_waiting = text(
            select(func.count()).select_from(members).where(_MEMBERS, IS_OPEN, members.c.worker.is_(None))
        )
        self.set_lease = text(_set(members, _OF_MEMBER, ["worker", "lease_until", "begun"]))
        self.renew = text(_set(members, mine, ["lease_until"]))
        self.free = text(_set(members, mine, ["worker", "lease_until", "begun"]))
        self.claim = text(
            select(*_columns(studies, ["claim_worker", "claim_since", "claim_until"]))
            .where(_OF_STUDY)
            .with_for_update()
        )
        self.set_claim = text(_set(studies, _OF_STUDY, ["claim_worker", "claim_since", "claim_until"]))
        self.renew_claim = text(
            _set(studies, and_(_OF_STUDY, studies.c.claim_worker == bindparam("at_worker")), ["claim_until"])
        )

    def _read_statements(self, text: Callable[[CompilerElement], str]) -> None:
        after = events.c.cursor > bindparam("at_cursor")
        event = (events.c.cursor, events.c.time, events.c.kind, events.c.body)
        self.events = text(select(*event).where(_EVENTS, after).order_by(events.c.cursor))
        self.events_of_trial = text(
            select(*event).where(_EVENTS, after, events.c.trial == bindparam("at_trial")).order_by(events.c.cursor)
        )
        self.events_of_no_trial = text(
            select(*event).where(_EVENTS, after, events.c.trial.is_(None)).order_by(events.c.cursor)
        )
        self.confirming = text(
            select(*_columns(members, MEMBER))
            .where(_MEMBERS, members.c.purpose == literal_column("'confirm'"))
            .order_by(*_ORDER)
        )
        busy = (
            select(members.c.worker)
            .where(members.c.study == trials.c.study, members.c.trial == trials.c.number, members.c.worker.is_not(None))
            .exists()
        )
        every = select(*_columns(trials, TRIAL), busy).where(_TRIALS)
        page = every.limit(bindparam("at_most")).offset(bindparam("at_offset"))
        best_first = {"min": trials.c.score.asc(), "max": trials.c.score.desc()}
        self.trial = text(every.where(trials.c.number == bindparam("at_trial")))
        self.trials_by_number = text(page.order_by(trials.c.number))
        self.trials_by_score = {
            way: text(page.where(trials.c.score.is_not(None)).order_by(order, trials.c.number))
            for way, order in best_first.items()
        }
        self.best_trial = {way: text(self._best(every.where, best(trials.c.score))) for way, best in _BEST.items()}
        self.members = text(
            select(*_columns(members, MEMBER))
            .where(_MEMBERS, members.c.trial == bindparam("at_trial"))
            .order_by(*_ORDER)
        )

    def _catalog_statements(self, text: Callable[[CompilerElement], str]) -> None:
        every = select(*_columns(studies, STUDY))
        named = studies.c.name == bindparam("at_name")
        self.studies = text(every.order_by(studies.c.created, studies.c.id))
        self.study = text(every.where(_OF_STUDY))
        self.study_named = text(every.where(named))
        self.study_names = text(select(studies.c.name).order_by(studies.c.name))
        self.add_study = text(insert(studies).values({c.name: bindparam(c.name) for c in studies.c if c.name != "id"}))
        self.delete_study = text(delete(studies).where(_OF_STUDY))

    @staticmethod
    def _best(where: Callable[..., CompilerElement], best: ColumnElement[float]) -> CompilerElement:
        """The earliest trial with the best score. Two look-ups in the index, however many trials tie."""
        score = select(best).where(_TRIALS).scalar_subquery()
        return where(trials.c.score == score).order_by(trials.c.number).limit(_ONE).offset(_NONE)  # type: ignore[attr-defined,no-any-return]


_BEST: dict[str, Callable[..., ColumnElement[float]]] = {"min": func.min, "max": func.max}
