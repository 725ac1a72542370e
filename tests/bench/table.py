"""What a run prints: one table, a line per measurement, its peer and their ratio beside it."""

import statistics

HEADS = ("", "with the library", "peer", "ratio", "aim")


class Table:
    def __init__(self):
        self._lines = []

    def heading(self, text):
        self._lines.append((text,))

    def add(self, what, ours, peer="", ratio="", aim=""):
        self._lines.append((what, ours, peer, ratio, aim))

    def show(self):
        rows = [line for line in self._lines if len(line) > 1] + [HEADS]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
        widths[0] += 2
        self._print(HEADS, widths)
        for line in self._lines:
            if len(line) == 1:
                print(f"\n{line[0]}")
            else:
                self._print((f"  {line[0]}", *line[1:]), widths)

    @staticmethod
    def _print(cells, widths):
        print(" | ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())


def spread(values, unit, scale=1.0, digits=1):
    """The median, and of more than one value the smallest and the largest."""
    shown = f"{scale * statistics.median(values):,.{digits}f} {unit}".rstrip()
    if len(values) > 1:
        shown += f" ({scale * min(values):,.{digits}f} to {scale * max(values):,.{digits}f})"
    return shown


def milliseconds(values):
    return spread(values, "ms", 1000)


def times(big, small, word="times", digits=1):
    """How many times the median of `big` is that of `small`."""
    return f"{statistics.median(big) / statistics.median(small):,.{digits}f} {word}".rstrip()
