"""Docstrings: what each style says of the parameters reaches the model, and no text breaks the reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.client.docstrings import parse_docstring

DOCSTRINGS: list[tuple[str | None, str, dict[str, str]]] = [
    (None, "", {}),
    ("", "", {}),
    ("Does it.", "Does it.", {}),
    ("Does it.\n\n    Args: see there.\n    ", "Does it.\n\nArgs: see there.", {}),
    (
        """Does it.

        More of it.

        Args:
            x: One.
            y (dict[str, int], optional): Two,
                on two lines.

                And a paragraph.
            *rest: The rest.
            **others: The others: all.

        Raises:
            ValueError: Never.
            z: No parameter.
        """,
        "Does it.\n\nMore of it.",
        {"x": "One.", "y": "Two, on two lines. And a paragraph.", "rest": "The rest.", "others": "The others: all."},
    ),
    ("Does it.\n\nReturns:\n    x: One.\n", "Does it.", {}),
    ("Args:\n  x: One.\n\nKeyword Args:\n  y: Two.", "", {"x": "One.", "y": "Two."}),
    ("Does it.\nArgs:\n", "Does it.", {}),
    (
        """Does it.

        :param x: One.
        :param int y: Two,
            on two lines.
        :type x: int
        :returns: Something.
        """,
        "Does it.",
        {"x": "One.", "y": "Two, on two lines."},
    ),
    (
        """
        Does it.

        Parameters
        ----------
        x : int, optional
            One.
        y, z : str
            Two,
            on two lines.
        w
            Three.

        Returns
        -------
        v : int
            Something.
        """,
        "Does it.",
        {"x": "One.", "y": "Two, on two lines.", "z": "Two, on two lines.", "w": "Three."},
    ),
    ("Does it.\n\nNotes\n-----\nx : int\n    One.", "Does it.", {}),
    ("Does it.\n\nNote:\n    Stays: it is told.\n", "Does it.\n\nNote:\n    Stays: it is told.", {}),
]


@pytest.mark.parametrize(("text", "description", "parameters"), DOCSTRINGS, ids=repr)
def test_docstrings_are_read(text: str | None, description: str, parameters: dict[str, str]) -> None:
    found = parse_docstring(text)
    assert found.description == description
    assert found.parameters == parameters


@given(text=st.text(st.sampled_from(":*-()x y\n\tArgsPme"), max_size=80))
def test_any_text_is_a_docstring(text: str) -> None:
    found = parse_docstring(text)
    assert all(name.isidentifier() and said for name, said in found.parameters.items())
