"""How values, scores, durations and curves are written: short, and never to be taken for something else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from dialed.trial import State, Trial, Value, Values

__all__ = [
    "BLOCKS",
    "changed_values",
    "columns",
    "counts_by_state",
    "first_line",
    "format_bytes",
    "format_count",
    "format_latency",
    "format_score",
    "format_seconds",
    "format_signed",
    "format_value",
    "format_values",
    "shorten",
    "sparkline",
]

BLOCKS = "▁▂▃▄▅▆▇█"
_NONE = "-"
_EXACT_CHARACTERS = 7  # a float whose full form is no longer than this is written in full


def format_value(value: Value) -> str:
    """Write one value so that its type can still be told: `64`, `64.0`, `True`, `relu`, `'True'`, `1e-04`."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return _format_float(value)
    if isinstance(value, str):
        return value if _is_plain(value) else repr(value)
    return str(value)


def _format_float(value: float) -> str:
    if not math.isfinite(value) or value == 0:
        return str(value)
    if not 1e-3 <= abs(value) < 1e6:
        return _scientific(value)
    if len(repr(value)) <= _EXACT_CHARACTERS:
        return repr(value)
    # As many digits as it takes not to look like an integer: 0.99996 is not 1.
    shorter = (f"{value:.{digits}g}" for digits in range(3, 17))
    return next((text for text in shorter if "." in text and "e" not in text), repr(value))


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{exponent}"


def _is_plain(text: str) -> bool:
    """Whether `text` cannot be taken for a value of another type, for two values, or for a command to a terminal."""
    if not text or not text.isprintable() or any(c.isspace() or c in "='\"" for c in text):
        return False
    if text in ("True", "False", "None"):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False


def changed_values(values: Values, defaults: Values | None) -> dict[str, Value]:
    """Return the values that are not those of `defaults`, or that `defaults` does not have, in their order."""
    if defaults is None:
        return dict(values)
    return {n: v for n, v in values.items() if n not in defaults or not _same(v, defaults[n])}


def _same(a: Value, b: Value) -> bool:
    return type(a) is type(b) and a == b  # 1, 1.0 and True are three values


def format_values(values: Values, defaults: Values | None = None, width: int | None = None) -> str:
    """Write `values` as `name=value name=value`.

    Args:
        values: The values, in the order in which they are to be read.
        defaults: Values that go without saying. Defaults to `None`: all values are written.
        width: The most characters; a longer text ends in "…". Defaults to `None`: no limit.

    Returns:
        The text; "defaults" where nothing differs from them.

    Example:
        >>> format_values({"learning_rate": 1e-4, "units": 64}, {"learning_rate": 1e-3, "units": 64})
        'learning_rate=1e-04'
    """
    shown = changed_values(values, defaults)
    if not shown:
        return "defaults" if defaults is not None and values else ""
    return shorten(" ".join(f"{_plain_name(n)}={format_value(v)}" for n, v in shown.items()), width)


def _plain_name(name: str) -> str:
    return name if name.isprintable() and " " not in name else repr(name)


def shorten(text: str, width: int | None) -> str:
    """Cut `text` to `width` characters; what was cut ends in "…"."""
    if width is None or len(text) <= width:
        return text
    return text[: max(width - 1, 0)].rstrip() + "…" if width > 0 else ""


def first_line(message: str) -> str:
    """Return the first line of `message` that says something, without control characters."""
    line = next((part.strip() for part in message.splitlines() if part.strip()), "")
    return "".join(c if c.isprintable() else "?" for c in line)


def format_score(score: float | None, spread: float | None = None) -> str:
    """Write a score with four decimals, or in scientific form where those would hide it; "-" for none."""
    if score is None:
        return _NONE
    if math.isfinite(score) and score != 0 and not 1e-3 <= abs(score) < 1e5:
        text = f"{score:.3e}"
    else:
        text = f"{score:.{_decimals(score)}f}"
    return text if spread is None else f"{text} ± {format_score(spread)}"


def format_signed(difference: float) -> str:
    """Write a difference of scores as `format_score` does, with its sign."""
    text = format_score(difference)
    return text if text.startswith("-") else f"+{text}"


def _decimals(score: float) -> int:
    if not math.isfinite(score) or abs(score) < 10:
        return 4
    return max(4 - int(math.log10(abs(score))), 0)


def format_seconds(seconds: float | None) -> str:
    """Write a duration with at most two units: "0.04 s", "2.1 s", "3 min 20 s", "1 h 5 min", "2 d 3 h"."""
    if seconds is None or not math.isfinite(seconds):
        return _NONE
    seconds = max(seconds, 0.0)
    if seconds < 9.95:
        return f"{seconds:.2f} s" if 0.005 <= seconds < 0.095 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _pair(whole, 60, "min", "s")
    minutes = round(seconds / 60)
    if minutes < 1440:
        return _pair(minutes, 60, "h", "min")
    return _pair(round(seconds / 3600), 24, "d", "h")


def format_latency(seconds: float | None) -> str:
    """Write how long one answer takes: "0.25 ms", "12 ms", "1.3 s"."""
    if seconds is None or not math.isfinite(seconds):
        return _NONE
    if seconds >= 0.9995:
        return format_seconds(seconds)
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.0995 else f"{1000 * seconds:.2g} ms"


def _pair(amount: int, size: int, large: str, small: str) -> str:
    first, second = divmod(amount, size)
    return f"{first} {large} {second} {small}" if second else f"{first} {large}"


def format_bytes(size: float | None) -> str:
    """Write a number of bytes in binary units: "512 B", "1.5 KiB", "23 MiB"."""
    if size is None:
        return _NONE
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(amount) < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or abs(amount) >= 9.95 else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def format_count(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun: "1 trial", "12 trials"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def counts_by_state(trials: Sequence[Trial]) -> dict[State, int]:
    """Count `trials` by state, in the order of a trial's life; states without a trial are left out."""
    counts = {state: 0 for state in State}
    for trial in trials:
        counts[trial.state] += 1
    return {state: n for state, n in counts.items() if n}


def sparkline(values: Sequence[float], width: int = 12, *, blocks: str = BLOCKS) -> str:
    """Draw `values` as one line of blocks, lowest to highest.

    Args:
        values: The values; those that are not finite leave a gap.
        width: The most characters; a longer curve is averaged in pieces of equal length. Defaults to 12.
        blocks: The characters from low to high. Defaults to eighths of a block.

    Returns:
        At most `width` characters; an empty text where there are no values.
    """
    points = _resample(values, width)
    finite = [p for p in points if math.isfinite(p)]
    if not finite:
        return " " * len(points)
    low, high = min(finite), max(finite)
    return "".join(_block(p, low, high, blocks) for p in points)


def _block(point: float, low: float, high: float, blocks: str) -> str:
    if not math.isfinite(point):
        return " "
    if high == low:
        return blocks[len(blocks) // 2 - 1]
    # Halves keep the difference of two huge numbers finite.
    place = (point / 2 - low / 2) / (high / 2 - low / 2)
    return blocks[min(int(place * len(blocks)), len(blocks) - 1)]


def _resample(values: Sequence[float], width: int) -> list[float]:
    if width <= 0:
        return []
    if len(values) <= width:
        return list(values)
    edges = [len(values) * i // width for i in range(width + 1)]
    return [_mean(values[a:b]) for a, b in itertools.pairwise(edges)]


def _mean(values: Sequence[float]) -> float:
    finite = [v for v in values if math.isfinite(v)]
    return sum(v / len(finite) for v in finite) if finite else math.nan


def columns(rows: Sequence[Sequence[str]], align: str, *, width: int, indent: int = 2) -> list[str]:
    """Set `rows` in columns two spaces apart; the last column takes what is left of `width` and is cut there.

    Args:
        rows: The cells; every row has `len(align)` of them.
        align: One letter a column: "l" for left, "r" for right.
        width: The most characters of a line.
        indent: Spaces before the first column. Defaults to 2.
    """
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(len(align))]
    lines = []
    for row in rows:
        cells = [c.rjust(w) if a == "r" else c.ljust(w) for c, w, a in zip(row, widths, align, strict=True)]
        lines.append(shorten(" " * indent + "  ".join(cells).rstrip(), width))
    return lines
