"""Charts as the theme draws them: the library is its own copy, and nothing is fetched from elsewhere."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

# Told apart also by people who see few colours, on light and on dark ground.
COLOURS = ("#4f46e5", "#059669", "#d97706", "#db2777", "#0891b2", "#7c3aed", "#65a30d", "#64748b")
GREY = "#9ca3af"


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one set of bars. Numbers are for the eye, so floats are fine; None is a gap."""

    label: str
    values: Sequence[float | None]
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template `podium/chart.html` draws. `summary` is for those who can't see it."""

    kind: Literal["line", "bar"]
    labels: Sequence[str]
    series: Sequence[Series]
    summary: str
    stacked: bool = False
    height: int = 220

    @property
    def data(self) -> str:
        """The theme's `data-value`."""
        sets = [
            {
                "label": one.label,
                "data": list(one.values),
                "borderColor": one.colour or COLOURS[place % len(COLOURS)],
                "backgroundColor": one.colour or COLOURS[place % len(COLOURS)],
                "borderWidth": 2 if self.kind == "line" else 0,
                "pointRadius": 0,
                "pointHitRadius": 8,
                "tension": 0.25,
                "maxBarThickness": 28,
                "borderRadius": 3,
            }
            for place, one in enumerate(self.series)
        ]
        return json.dumps({"labels": list(self.labels), "datasets": sets})

    @property
    def options(self) -> str:
        """The theme's `data-options`."""
        ticks = {"color": GREY, "maxTicksLimit": 8, "maxRotation": 0}
        options: dict[str, Any] = {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "interaction": {"mode": "index", "intersect": False},
            "plugins": {
                "legend": {
                    "display": True,
                    "position": "top",
                    "align": "start",
                    "labels": {
                        "color": GREY,
                        "boxWidth": 8,
                        "boxHeight": 8,
                        "usePointStyle": True,
                        "pointStyle": "circle",
                    },
                }
            },
            "scales": {
                "x": {
                    "stacked": self.stacked,
                    "grid": {"display": False},
                    "border": {"display": False},
                    "ticks": ticks,
                },
                "y": {
                    "stacked": self.stacked,
                    "beginAtZero": True,
                    "border": {"display": False},
                    "ticks": {**ticks, "maxTicksLimit": 5, "precision": 0},
                },
            },
        }
        return json.dumps(options)
