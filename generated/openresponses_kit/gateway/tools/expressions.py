"""Arithmetic expressions, evaluated without evaluating Python.

An expression is parsed by `ast`, and each node that is known is computed; any other is refused.
Numbers are fractions as long as they can be exact, and decimals of 50 digits from there on, which
are shown as approximations. Every number, every power and the expression itself are bounded before
they are computed, so that the time is bounded, too.
"""

from __future__ import annotations

import ast
import decimal
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias, TypeVar

__all__ = ["MAX_LENGTH", "ExpressionError", "evaluated"]

N = TypeVar("N", Fraction, Decimal)
Number: TypeAlias = Fraction | Decimal
"""A fraction is exact, a decimal is an approximation."""

MAX_LENGTH: Final = 2_000
"""Most characters of an expression."""
_MAX_DEPTH = 100
_MAX_DIGITS = 4_000
_MAX_BITS = int(_MAX_DIGITS * math.log2(10))
_MAX_FACTORIAL = 1_000
_MAX_ANGLE = 10**9
_SHOWN_DIGITS = 20
_CONTEXT = decimal.Context(
    prec=50,
    Emax=_MAX_DIGITS,
    Emin=-_MAX_DIGITS,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
_SHOWN = decimal.Context(prec=_SHOWN_DIGITS, Emax=2 * _MAX_DIGITS, Emin=-2 * _MAX_DIGITS)
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640629")
_E = Decimal("2.71828182845904523536028747135266249775724709369995957496696762772407663035")
_CONSTANTS: Mapping[str, Decimal] = {"pi": _PI, "e": _E}


class ExpressionError(ValueError):
    """An expression that is none, or has no value, or too large a one; it says what to change."""


def evaluated(expression: str) -> str:
    """The value of an expression as text; an approximation begins with `about`.

    Raises:
        ExpressionError: It cannot be evaluated.
    """
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters")
    source = expression.strip()
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise ExpressionError(f"this is no arithmetic expression: {reason}") from error
    try:
        with decimal.localcontext(_CONTEXT):
            return _told(_Evaluation(source).value(tree.body, 0))
    except ZeroDivisionError as error:
        raise ExpressionError("division by zero") from error
    except decimal.Overflow as error:
        raise ExpressionError(_TOO_LARGE) from error
    except decimal.InvalidOperation as error:
        raise ExpressionError("a function or power has no real value there") from error


_TOO_LARGE = f"a number in it has more than {_MAX_DIGITS} digits"


class _Evaluation:
    """The evaluation of one expression, whose source is needed to read decimals exactly."""

    def __init__(self, source: str) -> None:
        self._source = source

    def value(self, node: ast.expr, depth: int) -> Number:
        if depth > _MAX_DEPTH:
            raise ExpressionError(f"it is nested more than {_MAX_DEPTH} levels deep")
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return _bounded(self._literal(node))
            case ast.Name(id=name):
                if name not in _CONSTANTS:
                    raise ExpressionError(f"{name!r} is not known; constants are pi and e")
                return _CONSTANTS[name]
            case ast.UnaryOp(op=ast.USub()):
                return -self.value(node.operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.value(node.operand, depth + 1)
            case ast.BinOp():
                return self._operations(node, depth)
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                return _bounded(_called(name, [self.value(each, depth + 1) for each in node.args]))
            case ast.Tuple():
                raise ExpressionError("numbers are written without commas between digits")
            case _:
                raise ExpressionError(f"{self._written(node)!r} is no arithmetic")

    def _operations(self, node: ast.BinOp, depth: int) -> Number:
        """The value of a chain such as a long sum, whose tree is as deep as it is long."""
        chain, first = [node], node.left
        while isinstance(first, ast.BinOp):
            chain.append(first)
            first = first.left
        value = self.value(first, depth + 1)
        for each in reversed(chain):
            value = _bounded(_operated(each.op, value, self.value(each.right, depth + 1)))
        return value

    def _written(self, node: ast.expr) -> str:
        return (ast.get_source_segment(self._source, node) or "")[:40]

    def _literal(self, node: ast.Constant) -> Fraction:
        if isinstance(node.value, int):
            return Fraction(node.value)
        written = ast.get_source_segment(self._source, node) or ""
        try:
            value = Decimal(written)
        except decimal.Overflow:
            raise ExpressionError(_TOO_LARGE) from None
        if abs(value.adjusted()) > _MAX_DIGITS:
            raise ExpressionError(_TOO_LARGE)
        return Fraction(value)


def _operated(op: ast.operator, left: Number, right: Number) -> Number:
    if isinstance(op, ast.Pow):
        return _power(left, right)
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return _computed(op, left, right)
    return _computed(op, _decimal(left), _decimal(right))


def _computed(op: ast.operator, left: N, right: N) -> N:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case ast.FloorDiv():
            return type(left)(math.floor(left / right))
        case ast.Mod():
            return left - type(left)(math.floor(left / right)) * right
        case ast.BitXor():
            raise ExpressionError("'^' is not known; powers are written with '**'")
        case _:
            raise ExpressionError("of operators, only + - * / // % ** are known")


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and isinstance(base, Fraction):
        bits = max(abs(base.numerator).bit_length(), base.denominator.bit_length())
        is_trivial = abs(base.numerator) <= 1 and base.denominator == 1
        if not is_trivial and bits * abs(exponent.numerator) > _MAX_BITS + bits:
            raise ExpressionError(_TOO_LARGE)
        return Fraction(base ** _small(base, exponent))
    return _decimal(base) ** _decimal(exponent)


def _small(base: Fraction, exponent: Fraction) -> int:
    """The exponent; for 0, 1 and -1 a small one that gives the same."""
    whole = exponent.numerator
    if base in {0, 1, -1} and abs(whole) > 2:
        return (2 if whole % 2 == 0 else 1) * (1 if whole > 0 else -1)
    return whole


def _called(name: str, values: list[Number]) -> Number:
    if name not in _FUNCTIONS:
        raise ExpressionError(f"{name!r} is not known; functions are {', '.join(_FUNCTIONS)}")
    function, least, most = _FUNCTIONS[name]
    if not least <= len(values) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ExpressionError(f"{name} takes {wanted} numbers, and is given {len(values)}")
    return function(*values)


def _absolute(value: Number) -> Number:
    return value if value >= 0 else -value


def _ceiling(value: Number) -> Number:
    return Fraction(math.ceil(value))


def _floor(value: Number) -> Number:
    return Fraction(math.floor(value))


def _greatest(*values: Number) -> Number:
    return max(values)


def _least(*values: Number) -> Number:
    return min(values)


def _exponential(value: Number) -> Number:
    return _decimal(value).exp()


def _sqrt(value: Number) -> Number:
    if value < 0:
        raise ExpressionError("the square root of a negative number is not real")
    if isinstance(value, Fraction):
        root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
        if root * root == value:
            return root
    return _decimal(value).sqrt()


def _log(value: Number, base: Number | None = None) -> Number:
    if value <= 0 or (base is not None and (base <= 0 or base == 1)):
        raise ExpressionError("logarithms are of positive numbers, to positive bases other than 1")
    logarithm = _decimal(value).ln()
    return logarithm if base is None else logarithm / _decimal(base).ln()


def _log10(value: Number) -> Number:
    if value <= 0:
        raise ExpressionError("logarithms are of positive numbers")
    return _decimal(value).log10()


def _sine(value: Number) -> Decimal:
    angle = _decimal(value)
    if abs(angle) > _MAX_ANGLE:
        raise ExpressionError(f"angles have at most {_MAX_ANGLE:,} radians")
    angle -= 2 * _PI * (angle / (2 * _PI)).to_integral_value()
    term, total, number = angle, angle, 1
    while abs(term) > Decimal("1e-60"):
        term = -term * angle * angle / ((number + 1) * (number + 2))
        total, number = total + term, number + 2
    # What is left of a zero of the sine by the digits that pi is cut at is a zero.
    return Decimal(0) if abs(total) < Decimal("1e-38") else total


def _cosine(value: Number) -> Decimal:
    return _sine(_decimal(value) + _PI / 2)


def _tangent(value: Number) -> Decimal:
    return _sine(value) / _cosine(value)


def _round(value: Number, places: Number | None = None) -> Number:
    """Half to even, as in Python; a fraction stays one."""
    digits = 0 if places is None else _whole("round", places, 1_000)
    return Fraction(round(Fraction(value), digits))


def _factorial(value: Number) -> Number:
    return Fraction(math.factorial(_whole("factorial", value, _MAX_FACTORIAL)))


def _comb(items: Number, chosen: Number) -> Number:
    return Fraction(math.comb(_whole("comb", items, 10_000), _whole("comb", chosen, 10_000)))


def _gcd(*values: Number) -> Number:
    return Fraction(math.gcd(*(_integer("gcd", each) for each in values)))


def _lcm(*values: Number) -> Number:
    result = 1
    for each in values:
        result = math.lcm(result, _integer("lcm", each))
        _bounded(Fraction(result))
    return Fraction(result)


_MANY = 1_000
_FUNCTIONS: Mapping[str, tuple[Callable[..., Number], int, int]] = {
    "abs": (_absolute, 1, 1),
    "ceil": (_ceiling, 1, 1),
    "comb": (_comb, 2, 2),
    "cos": (_cosine, 1, 1),
    "exp": (_exponential, 1, 1),
    "factorial": (_factorial, 1, 1),
    "floor": (_floor, 1, 1),
    "gcd": (_gcd, 1, _MANY),
    "lcm": (_lcm, 1, _MANY),
    "ln": (_log, 1, 1),
    "log": (_log, 1, 2),
    "log10": (_log10, 1, 1),
    "max": (_greatest, 1, _MANY),
    "min": (_least, 1, _MANY),
    "round": (_round, 1, 2),
    "sin": (_sine, 1, 1),
    "sqrt": (_sqrt, 1, 1),
    "tan": (_tangent, 1, 1),
}
"""By name: what computes it, and how many numbers it takes, from and to."""


def _integer(name: str, value: Number) -> int:
    if value != int(value):
        raise ExpressionError(f"{name} takes whole numbers")
    return int(value)


def _whole(name: str, value: Number, most: int) -> int:
    """A whole number from 0 to `most`."""
    if not 0 <= value <= most:
        raise ExpressionError(f"{name} takes whole numbers from 0 to {most:,}")
    return _integer(name, value)


def _decimal(value: Number) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return Decimal(value.numerator) / Decimal(value.denominator)


def _bounded(value: Number) -> Number:
    if isinstance(value, Fraction):
        bits = max(abs(value.numerator).bit_length(), value.denominator.bit_length())
        if bits > _MAX_BITS:
            raise ExpressionError(_TOO_LARGE)
    return value


def _told(value: Number) -> str:
    if isinstance(value, Decimal):
        return f"about {_approximation(value)}"
    if value.denominator == 1:
        return str(value.numerator)
    twos = (value.denominator & -value.denominator).bit_length() - 1
    rest, fives = value.denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest > 1 or places > _CONTEXT.prec:
        return f"{value} (about {_approximation(_decimal(value))})"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _approximation(value: Decimal) -> str:
    shown = _SHOWN.plus(value)
    if shown == 0:
        return "0"
    if -6 <= shown.adjusted() < _SHOWN_DIGITS:
        text = f"{shown:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{shown.normalize(_SHOWN):e}"
