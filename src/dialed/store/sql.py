"""One study in a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, TypeAlias

from dialed.errors import StudyError
from dialed.events import Event, Returned
from dialed.search.history import Terms
from dialed.store.codec import decode_json, decode_terms, encode, encode_json, encode_terms
from dialed.store.fold import Counters, Draft, trial_of
from dialed.store.patience import Tried, patient
from dialed.store.protocol import Leased
from dialed.store.reading import StudyReader
from dialed.store.rows import (
    aggregate_values,
    begun_values,
    leased_of,
    member_of,
    member_values,
    mutable_values,
    note_values,
)
from dialed.store.workers import is_dead, parse_worker
from dialed.trial import Cause, MemberKey, Purpose, aggregate

__all__ = ["SqlStore"]

_Gone: TypeAlias = dict[str, tuple[list[MemberKey], list[MemberKey]]]


class SqlStore(StudyReader):
    """The record of one study (`store.protocol.Store`), with the questions that can be answered without folding it.

    A `Catalog` makes and opens it. Safe for many threads and many processes.
    """

    _others: AbstractSet[str] = frozenset()
    """The other workers that held leases when this store last looked."""

    # Writing

    def append(self, events: Sequence[Event], *, worker: str | None = None) -> int:
        """Store `events` in one transaction, in order, and return the cursor of the last event of the study.

        Args:
            events: What happened.
            worker: Who says so. Events of a member are then taken only while this worker holds its lease.

        Raises:
            LeaseLostError: When it does not. Nothing is stored.
            StoreError: When an event is not legal after those before it, or the database fails. Nothing is stored.
        """
        tried = Tried()

        def attempt() -> int:
            with self._database.writing() as cursor:
                return self._append(cursor, events, worker, tried)

        return self._database.patiently(attempt)

    def begin(self, events: Sequence[Event], *, worker: str, limit: int, seconds: float) -> list[Leased]:
        """Do `append(events)` and `lease(...)` in one transaction."""
        dead, tried = self._dead(), Tried()

        def attempt() -> list[Leased]:
            with self._database.writing() as cursor:
                self._append(cursor, events, None, tried)
                self._give_back_unsure(cursor, worker, tried)
                return self._lease(cursor, worker, limit, seconds, dead)

        return self._database.patiently(attempt)

    def _append(self, cursor: Any, events: Sequence[Event], worker: str | None, tried: Tried) -> int:
        row = self._lock(cursor)
        if tried.events and self._stored_from(cursor, tried.first, len(tried.events)) == tried.events:
            return tried.first + len(tried.events) - 1
        draft = self._draft(cursor, worker, row)
        for event in events:
            draft.apply(event)
        if not self._database.is_sqlite:
            tried.first, tried.events = draft.counters.cursor + 1, [encode(event) for event in draft.stored]
        return self._write(cursor, draft)

    def _stored_from(self, cursor: Any, first: int, count: int) -> list[tuple[str, str]]:
        """The kinds and bodies of so many events from the cursor `first` on."""
        found = cursor.execute(self._queries.events, {"at_study": self._study, "at_cursor": first - 1})
        return [(row[2], row[3]) for row in found.fetchmany(count)]

    def _give_back_unsure(self, cursor: Any, worker: str, tried: Tried) -> None:
        """Free what an earlier attempt may have leased without the worker being told."""
        if self._database.is_sqlite:
            return
        leases = [row for row in self._leases(cursor) if row[0] == worker and not row[2]]
        keys = frozenset(MemberKey(row[3], row[5], row[6]) for row in leases)
        if tried.held is None:
            tried.held = keys
        none = {"worker": None, "lease_until": None, "begun": False}
        self._many(cursor, self._queries.set_lease, [{**self._at(key), **none} for key in keys - tried.held])

    def _draft(self, cursor: Any, worker: str | None, row: Any = None) -> Draft:
        row = self._lock(cursor) if row is None else row
        counters = Counters(state=row[0], cursor=row[1], trials=row[2], enqueued=row[3], epochs=row[4], seconds=row[5])

        def load(trial: int) -> list[Any]:
            found = cursor.execute(self._queries.members_to_change, {"at_study": self._study, "at_trial": trial})
            return [member_of(member) for member in found.fetchall()]

        return Draft(self._terms.objective, counters, load, worker=worker)

    def _lock(self, cursor: Any) -> Any:
        """Return the study's counters. On PostgreSQL this is the lock that whoever changes several rows takes first."""
        row = cursor.execute(self._queries.lock_study, {"at_study": self._study}).fetchone()
        if row is None:
            raise self._deleted()
        return row

    def _write(self, cursor: Any, draft: Draft) -> int:
        """Write what the draft changed, and return the cursor of the study's last event."""
        now = self._clock.now()
        first = draft.counters.cursor + 1
        self._many(cursor, self._queries.add_event, self._event_values(draft.stored, first, now))
        self._write_trials(cursor, draft)
        added = [row.record.key for row in draft.added]
        self._many(cursor, self._queries.add_member, [{"study": self._study, **member_values(r)} for r in draft.added])
        changed = [row for key, row in draft.changed.items() if key not in added]
        self._many(cursor, self._queries.set_member, [{**self._at(r.record.key), **mutable_values(r)} for r in changed])
        if draft.stored:
            draft.counters.cursor += len(draft.stored)
            counters = draft.counters
            row = {name: getattr(counters, name) for name in Counters.__slots__}
            cursor.execute(self._queries.set_counters, {"at_study": self._study, "changed": now, **row})
        return draft.counters.cursor

    def _event_values(self, events: Sequence[Event], first: int, now: float) -> list[dict[str, Any]]:
        values = []
        for place, event in enumerate(events, first):
            kind, body = encode(event)
            row = {"study": self._study, "cursor": place, "time": now, "kind": kind, "trial": trial_of(event)}
            values.append({**row, "body": body})
        return values

    def _write_trials(self, cursor: Any, draft: Draft) -> None:
        for number in draft.touched:
            total = aggregate([row.record for row in draft.members(number)])
            values = aggregate_values(total)
            started = draft.started.get(number)
            if started is None:
                at = {"at_study": self._study, "at_trial": number}
                cursor.execute(self._queries.set_aggregate, {**at, **values})
            else:
                row = {"study": self._study, "number": number, **values, **begun_values(started)}
                cursor.execute(self._queries.add_trial, row)
        for number, built in draft.built.items():
            row = {"parameters": built.parameters, "engine": built.engine}
            if number not in draft.copies:
                row["values_json"] = encode_json(built.values)
            statement = self._queries.set_built_copy if number in draft.copies else self._queries.set_built
            cursor.execute(statement, {"at_study": self._study, "at_trial": number, **row})
        for number, measured in draft.measured.items():
            at = {"at_study": self._study, "at_trial": number}
            cursor.execute(self._queries.set_latency, {**at, "latency": measured.latency})
        for number, noted in draft.noted.items():
            at = {"at_study": self._study, "at_trial": number}
            cursor.execute(self._queries.set_note, {**at, **note_values(noted)})

    def _many(self, cursor: Any, statement: str, rows: list[dict[str, Any]]) -> None:
        if len(rows) == 1:
            cursor.execute(statement, rows[0])
        elif rows:
            cursor.executemany(statement, rows)

    def _at(self, key: MemberKey) -> dict[str, Any]:
        return {"at_study": self._study, "at_trial": key.trial, "at_seed": key.seed, "at_fold": key.fold}

    @patient
    def set_terms(self, terms: Terms, settings: Mapping[str, Any] | None = None) -> None:
        """Change what the study trains for, as a resumed study with a larger budget does.

        Args:
            terms: The new terms. The objective must stay: the scores that are stored are of that metric.
            settings: The new settings. Defaults to those it has.
        """
        if terms.objective != self._terms.objective:
            old, new = self._terms.objective, terms.objective
            raise StudyError(
                f"The `objective` of a study must stay what it was. Study {self.name!r} has {old.name!r} ({old.direction}), "
                f"got {new.name!r} ({new.direction}). Give another `name`, or the old objective."
            )
        now = self._clock.now()
        terms_json = encode_terms(terms)
        settings_json = encode_json(self._settings if settings is None else settings)
        row = {"at_study": self._study, "terms": terms_json, "settings": settings_json, "changed": now}
        with self._database.writing() as cursor:
            cursor.execute(self._queries.set_terms, row)
        self._terms, self._settings = decode_terms(terms_json), decode_json(settings_json)

    # Leases

    def lease(self, worker: str, *, limit: int, seconds: float, purpose: Purpose | None = None) -> list[Leased]:
        """Give `worker` at most `limit` waiting members for `seconds`, those of the oldest trials first.

        First, members whose worker is gone (the lease expired, or its process on this machine is dead) are returned
        to the queue. For one that it had begun, an attempt is counted.
        """
        dead, tried = self._dead(), Tried()

        def attempt() -> list[Leased]:
            with self._database.writing() as cursor:
                self._give_back_unsure(cursor, worker, tried)
                return self._lease(cursor, worker, limit, seconds, dead, purpose)

        return self._database.patiently(attempt)

    def _lease(
        self,
        cursor: Any,
        worker: str,
        limit: int,
        seconds: float,
        dead: set[str],
        purpose: Purpose | None = None,
    ) -> list[Leased]:
        now = self._clock.now()
        leases = self._leases(cursor)
        dead = dead | self._newly_dead(leases, worker)
        if _gone(leases, now, dead):
            draft = self._draft(cursor, None)  # on PostgreSQL, this waits for the study: look again
            for name, (begun, others) in _gone(self._leases(cursor), now, dead).items():
                self._take_back(draft, name, begun, others)
            self._write(cursor, draft)
        where: dict[str, Any] = {"at_study": self._study, "at_most": limit}
        waiting = self._queries.waiting
        if purpose is not None:
            waiting, where["at_purpose"] = self._queries.waiting_for_purpose, purpose
        rows = cursor.execute(waiting, where).fetchall() if limit > 0 else []
        lease = {"worker": worker, "lease_until": now + seconds, "begun": False}
        self._many(cursor, self._queries.set_lease, [{**self._at(MemberKey(*row[:3])), **lease} for row in rows])
        return [leased_of(row) for row in rows]

    @patient
    def held(self) -> dict[MemberKey, str]:
        """Return the members that are leased now, each with its worker: those, too, that have not begun."""
        with self._database.reading() as cursor:
            return {MemberKey(row[3], row[5], row[6]): row[0] for row in self._leases(cursor)}

    def _dead(self) -> set[str]:
        """Return those of the other workers seen last time that have ended since: asked before the lock is taken."""
        return {name for name in self._others if is_dead(name)}

    def _newly_dead(self, leases: Sequence[Any], worker: str) -> set[str]:
        """Return the other workers that were not seen before and have ended; remember those that are seen now."""
        others = {row[0] for row in leases if row[0] != worker}
        new, self._others = others - self._others, others
        return {name for name in new if is_dead(name)}

    def _leases(self, cursor: Any) -> list[Any]:
        found: list[Any] = cursor.execute(self._queries.leases, {"at_study": self._study}).fetchall()
        return found

    def _take_back(
        self,
        draft: Draft,
        worker: str,
        begun: list[MemberKey],
        others: list[MemberKey],
        *,
        cause: Cause = Cause.KILLED,
        message: str = "",
    ) -> None:
        """Put a lost worker's members into the queue.

        When none of them shows a sign of life, the first was probably begun: without that, a member that kills its
        worker before its first sign (while its model is built, say) would be tried for ever.
        """
        if not begun:
            begun, others = others[:1], others[1:]
        for key in begun:
            draft.apply(Returned(key=key, cause=cause, message=message or f"The worker {worker} is gone."))
        for key in others:
            draft.free(key)

    @patient
    def bury(self, worker: str, *, cause: Cause = Cause.KILLED, message: str = "") -> None:
        """Put the members of `worker`, which has ended, into the queue; for those that it had begun, count an attempt.

        `lease` does that too, for a worker that nobody speaks for.

        Args:
            cause: Why it ended. Defaults to "killed".
            message: The same, for people. Defaults to a sentence with its name.
        """
        with self._database.writing() as cursor:
            draft = self._draft(cursor, None)
            begun, others = _gone(self._leases(cursor), self._clock.now(), {worker}).get(worker, ([], []))
            if begun or others:
                self._take_back(draft, worker, begun, others, cause=cause, message=message)
                self._write(cursor, draft)

    @patient
    def renew(self, worker: str, *, seconds: float) -> None:
        """Keep all leases of `worker`, and its claim, for `seconds` from now."""
        until = self._clock.now() + seconds
        who = {"at_study": self._study, "at_worker": worker}
        with self._database.writing() as cursor:
            self._lock(cursor)
            cursor.execute(self._queries.renew_claim, {**who, "claim_until": until})
            cursor.execute(self._queries.renew, {**who, "lease_until": until})

    @patient
    def release(self, worker: str) -> None:
        """Give back all leases of `worker`: its members wait again, without an attempt counted."""
        with self._database.writing() as cursor:
            self._lock(cursor)
            cursor.execute(
                self._queries.free,
                {"at_study": self._study, "at_worker": worker, "worker": None, "lease_until": None, "begun": False},
            )

    # The right to decide

    @patient
    def claim(self, worker: str, *, seconds: float) -> None:
        """Take the right to decide for this study, for `seconds`: one process at a time has it.

        A claim that has expired, or whose process on this machine is dead, is taken over; the members that its
        holder had leased go back into the queue, as interrupted rather than killed. `renew` keeps a claim.

        Raises:
            StudyError: When another process has it.
        """
        now = self._clock.now()
        where = {"at_study": self._study}
        with self._database.writing() as cursor:
            row = cursor.execute(self._queries.claim, where).fetchone()
            if row is None:
                raise self._deleted()
            holder, since, until = row
            if holder not in (None, worker) and until >= now and not is_dead(holder):
                raise self._claimed(holder, since, until - now)
            if holder not in (None, worker):
                self._inherit(cursor, holder, now)
            claim = {"claim_worker": worker, "claim_since": now, "claim_until": now + seconds}
            cursor.execute(self._queries.set_claim, {**where, **claim})

    def _inherit(self, cursor: Any, holder: str, now: float) -> None:
        """Put into the queue what `holder`, whose claim is taken over, was training, itself or by workers that ended."""
        leases = self._leases(cursor)
        dead = {holder, *(row[0] for row in leases if is_dead(row[0]))}
        gone = {name: members for name, members in _gone(leases, now, dead).items() if name in dead}
        if gone:
            draft = self._draft(cursor, None)
            for name, (begun, others) in gone.items():
                self._take_back(draft, name, begun, others, cause=Cause.INTERRUPTED)
            self._write(cursor, draft)

    @patient
    def release_claim(self, worker: str) -> None:
        """Give the right to decide back, if `worker` has it."""
        where = {"at_study": self._study}
        with self._database.writing() as cursor:
            row = cursor.execute(self._queries.claim, where).fetchone()
            if row is not None and row[0] == worker:
                none = {"claim_worker": None, "claim_since": None, "claim_until": None}
                cursor.execute(self._queries.set_claim, {**where, **none})

    def _claimed(self, holder: str, since: float, left: float) -> StudyError:
        worker = parse_worker(holder)
        who = f"process {worker.pid} on {worker.host}" if worker else holder
        when = datetime.fromtimestamp(since, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return StudyError(
            f"A study is driven by one process at a time. Study {self.name!r} is driven by {who} since {when}. Wait for it, "
            f"or stop it and start again; if it is gone from another machine, its claim ends in {left:.0f} s by itself. "
            "To run both, give another `name`."
        )


def _gone(leases: Sequence[Any], now: float, dead: set[str]) -> _Gone:
    """Return the workers that are gone, each with the members that it had begun, and those that it had not."""
    found: _Gone = {}
    gone = [row for row in leases if row[1] < now or row[0] in dead]
    for name, _, begun, trial, _, seed, fold in sorted(gone, key=lambda row: row[3:5]):
        found.setdefault(name, ([], []))[0 if begun else 1].append(MemberKey(trial, seed, fold))
    return found
