"""Keras's global settings, carried from the user's process into another one that trains."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

__all__ = [
    "apply_settings",
    "backend_settings",
    "keras_settings",
    "register",
    "registered_here",
    "restore_settings",
]


def keras_settings() -> dict[str, Any]:
    """The settings of this process that change what a build function builds."""
    import keras

    return {
        "floatx": keras.config.floatx(),
        "epsilon": keras.config.epsilon(),
        "image_data_format": keras.config.image_data_format(),
        "dtype_policy": keras.dtype_policies.serialize(keras.config.dtype_policy()),
    }


def apply_settings(settings: Mapping[str, Any]) -> None:
    """Give Keras on JAX the settings of another process.

    JAX has doubles only where it is told to, and else takes floats of 32 bits in their place. A model that asks for
    doubles by itself would be another model there, so that fails instead.
    """
    import jax

    warnings.filterwarnings("error", message="Explicitly requested dtype .*(float64|complex128)", category=UserWarning)
    jax.config.update("jax_enable_x64", settings["floatx"] == "float64")  # type: ignore[no-untyped-call]
    _apply(settings)


def backend_settings() -> dict[str, Any]:
    """`keras_settings`, and those of the backend in use that change what is computed."""
    import keras

    settings = keras_settings()
    if keras.config.backend() == "jax":
        import jax

        settings["jax_enable_x64"] = bool(jax.config.read("jax_enable_x64"))  # type: ignore[no-untyped-call]
    return settings


def restore_settings(settings: Mapping[str, Any]) -> None:
    """Give Keras in this process the `backend_settings` of another with the same backend."""
    if "jax_enable_x64" in settings:
        import jax

        jax.config.update("jax_enable_x64", settings["jax_enable_x64"])  # type: ignore[no-untyped-call]
    _apply(settings)


def _apply(settings: Mapping[str, Any]) -> None:
    import keras

    keras.config.set_floatx(settings["floatx"])
    keras.config.set_epsilon(settings["epsilon"])
    keras.config.set_image_data_format(settings["image_data_format"])
    keras.config.set_dtype_policy(keras.dtype_policies.deserialize(settings["dtype_policy"]))


def registered_here() -> dict[str, Any]:
    """What `__main__` registered with Keras, by "package>name": no import would register it elsewhere."""
    import keras

    known = keras.saving.get_custom_objects()
    return {name: value for name, value in known.items() if getattr(value, "__module__", None) == "__main__"}


def register(registered: Mapping[str, Any]) -> None:
    """Register what another process had registered."""
    import keras

    for full_name, value in registered.items():
        package, _, name = full_name.rpartition(">")
        keras.saving.register_keras_serializable(package=package or "Custom", name=name)(value)
