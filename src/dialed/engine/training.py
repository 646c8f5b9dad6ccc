"""One member's training from beginning to outcome."""

from __future__ import annotations

import inspect
import logging
from typing import Any

import keras

from dialed.engine.assignment import Assignment
from dialed.engine.building import count_parameters, ensure_built
from dialed.engine.failures import MemberFailed, failure_from
from dialed.engine.feeding import Feed, feed
from dialed.engine.function import metrics_of
from dialed.engine.memory import peak_memory_bytes
from dialed.engine.normalizing import adapt, normalizes
from dialed.engine.protocol import OnReport, Progress
from dialed.engine.recipe import Realised
from dialed.engine.seeding import preserved
from dialed.engine.state import Snapshot, Unusable, capture, check_fits, weights_of
from dialed.engine.watch import Ended, Run, Watcher
from dialed.errors import StoreError
from dialed.events import Built
from dialed.space.domains import Domain
from dialed.trial import Cause, Member, Outcome, Report, State

__all__ = ["Training"]

_log = logging.getLogger("dialed")

_DIALEDS_OWN = ("epochs", "callbacks", "patience")
_OPTIONAL = ("initial_epoch", "verbose")
"""What a hypermodel's own `fit` need not take."""


class Training:
    """Trains `member` to `until` epochs, from `snapshot` or from its start. Belongs inside `seeding.seeded`."""

    def __init__(
        self, assignment: Assignment, member: Member, until: int, on_report: OnReport, snapshot: Snapshot | None
    ) -> None:
        self.assignment = assignment
        self.member = member
        self.until = until
        self.snapshot = snapshot
        self.model_bytes = 0
        self._own_epochs: int | None = None
        self._on_report = on_report
        self._outside: BaseException | None = None
        self._has_begun = False
        self.run = Run.of(assignment, member, until, self._tell, is_continued=snapshot is not None)
        self.run.epoch = member.epoch if snapshot else 0
        self.keeper = self.run.keeper

    def outcome(self) -> Outcome:
        """Train, and say how it ended.

        Raises:
            Unusable: The snapshot does not fit the model.
            CheckpointError: A checkpoint cannot be written.
            BaseException: What `on_report` raised; and Ctrl-C, once the state is safe.
        """
        try:
            self._train()
        except Ended:
            self._say_goodbye()
        except Exception as error:  # whatever user code, Keras or a backend raises is this member's failure
            if error is self._outside or isinstance(error, (StoreError, Unusable)):
                raise
            self._say_goodbye()
            return self._failed(failure_from(error))
        except BaseException as interrupt:
            if interrupt is not self._outside:
                self._rescue()
            raise
        return self._ended()

    def _train(self) -> None:
        key, data = self.member.key, self.assignment.data
        realised = self.assignment.recipe.realise(self.member.values, key.seed, fold=key.fold)
        fold = data.fold(key.fold) if realised.fold is None else realised.fold
        self._take_arguments(realised)
        fed = feed(fold, realised.arguments, own_fit=self.assignment.recipe.own_fit)
        self.run.order = fed.order
        if self.snapshot is not None or keras.backend.backend() == "tensorflow":
            # TensorFlow builds inside its first step, too late to put a state in place.
            ensure_built(realised.model, fold, realised.arguments.get("batch_size"))
        if normalizes(realised.model):
            ensure_built(realised.model, fold, realised.arguments.get("batch_size"))
            adapt(realised.model, fold.x, again=bool(data.cross_validation))
        if self.snapshot is not None:
            check_fits(self.snapshot, realised.model)
            self.run.take_up(self.snapshot.meta)
        watcher = Watcher(self.run, began=lambda: self._began(realised), snapshot=self.snapshot)
        before = self.run.epoch
        result = self._fit(realised, fed, fold, watcher)
        if self.run.epoch == before:
            self._count_result(realised, result)

    def _take_arguments(self, realised: Realised) -> None:
        self.run.others = realised.arguments.get("callbacks") or ()
        self.run.patience = realised.arguments.get("patience")
        if isinstance(self.assignment.recipe.arguments.get("epochs"), Domain):
            self._own_epochs = int(realised.arguments["epochs"])
            self.run.target = min(self.until, self._own_epochs)
        if self.run.target <= self.run.epoch:
            self.run.ended = True
            raise Ended

    def _began(self, realised: Realised) -> None:
        """The model is built, and a hypermodel's own `fit` has asked for what it wants: now the trial is known."""
        self._has_begun = True
        self.assignment.recipe.check_size(realised.model)
        parameters = count_parameters(realised.model)
        self.model_bytes = 4 * parameters
        asked = realised.values
        foreseen = asked.keys() <= self.member.values.keys()
        self._tell(
            Built(
                trial=self.member.key.trial,
                values=asked,
                parameters=parameters,
                engine="fit",
                space=None if foreseen else realised.hp.found.to_json(),
            )
        )

    def _fit(self, realised: Realised, fed: Feed, fold: Any, watcher: Watcher) -> Any:
        chosen = {name: value for name, value in fed.arguments.items() if name not in _DIALEDS_OWN}
        arguments: dict[str, Any] = {
            "verbose": 0,
            **chosen,
            "epochs": self.run.target,
            "initial_epoch": self.run.epoch,
            "callbacks": [*self.run.others, watcher],
        }
        if fold.validation is not None:
            arguments["validation_data"] = fold.validation
        data = (fed.x,) if fed.y is None else (fed.x, fed.y)
        recipe = self.assignment.recipe
        if not recipe.own_fit:
            return realised.model.fit(*data, **arguments)
        own_fit: Any = recipe.hypermodel.fit  # type: ignore[union-attr]
        return own_fit(realised.hp, realised.model, *data, **_accepted(own_fit, arguments))

    def _count_result(self, realised: Realised, result: Any) -> None:
        """Take what a hypermodel's own training returned, where it told no epoch."""
        if result is None or isinstance(result, keras.callbacks.History):
            raise MemberFailed(
                Cause.ERROR,
                "`HyperModel.fit` must pass `callbacks` on to `model.fit`, or return the objective or a dict of "
                f"metrics. Got {type(result).__name__} and no epoch.",
            )
        metrics = metrics_of(result, self.assignment.objective)
        run = self.run
        run.health.check_epoch(run.target, metrics)
        if run.epoch == 0:
            self._began(realised)
        run.epoch, run.stopped_early = run.target, True
        seconds = run.clock.monotonic() - run.marked
        memory = peak_memory_bytes()
        run.best_score, run.best_epoch = metrics[run.objective.name], run.epoch
        snapshot = capture(realised.model, run.others, run.to_json())
        self.keeper.keep_last(run.epoch, snapshot)
        self.keeper.keep_best(run.epoch, weights_of(snapshot), metrics[run.objective.name])
        self._tell(
            Report(key=run.key, epoch=run.epoch, metrics=metrics, seconds=seconds, memory_bytes=memory, final=True)
        )

    def _tell(self, progress: Progress) -> None:
        """Pass `progress` on. Whoever listens may draw random numbers: the member's are kept from that."""
        try:
            with preserved():
                asked_to_pause = self._on_report(progress)
        except BaseException as error:
            self._outside = error
            raise
        if asked_to_pause:
            self.run.ended = True

    def _ended(self) -> Outcome:
        self.keeper.write()
        run = self.run
        own_end = self._own_epochs is not None and run.epoch >= self._own_epochs < self.until
        completed = run.stopped_early or own_end or not run.ended
        return self._outcome(State.COMPLETED if completed else State.PAUSED)

    def _failed(self, failure: MemberFailed) -> Outcome:
        if failure.cause is Cause.OUT_OF_MEMORY:
            self.keeper.write()  # it is tried again
        return self._outcome(State.FAILED, failure.cause, failure.message)

    def _outcome(self, state: State, cause: Cause | None = None, message: str = "") -> Outcome:
        return Outcome(
            key=self.member.key,
            state=state,
            epoch=self.run.epoch,
            cause=cause,
            message=message,
            last=self.keeper.last,
            best=self.keeper.best,
        )

    def _rescue(self) -> None:
        """Write what is trained, on the way out of an interrupted process."""
        try:
            self.keeper.write()
        except Exception:  # noqa: BLE001 - the interrupt itself must go on
            _log.exception("The last state of trial %d could not be saved", self.member.key.trial)

    def _say_goodbye(self) -> None:
        """Let the user's callbacks close their files: Keras calls `on_train_end` only where `fit` ends by itself."""
        for callback in self.run.others if self._has_begun else ():
            try:
                callback.on_train_end({})
            except Exception:  # noqa: BLE001 - a user's callback, after its training: nothing depends on it any more
                _log.warning(
                    "%s.on_train_end raised after its training was left", type(callback).__name__, exc_info=True
                )


def _accepted(function: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """`arguments` without those of the optional ones that `function` does not take."""
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return arguments
    return {name: value for name, value in arguments.items() if name in parameters or name not in _OPTIONAL}
