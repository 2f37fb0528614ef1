"""Texts that try to leave the place where they stand, to be executed, or to be taken for something else.

One that gets executed leaves a file named `MARKER` in the working folder, or a global `pwned`.
"""

from collections.abc import Mapping

from hostile_outcome import MARKER

RUN = f"open('{MARKER}', 'w')"
RUN2 = f'open("{MARKER}", "w")'
RUN0 = "globals().update(pwned=print)"

TEXTS: Mapping[str, str] = {
    # Out of a literal or a docstring, by every quote, from the front, from the end, after backslashes.
    "double-quote": f'" + {RUN} + "',
    "double-quote-newline": f'"\n{RUN}\n"',
    "single-quote": f"' + {RUN2} + '",
    "single-quote-newline": f"'\n{RUN2}\n'",
    "triple-double": f'"""\n{RUN}\n"""',
    "triple-single": f"'''\n{RUN2}\n'''",
    "no-quote": f"\n{RUN0}\n",
    "three-quotes": '"""',
    "four-quotes": '""""',
    "seven-quotes": '"' * 7,
    "quote-apart": '""\u200b"' + RUN,
    "begins-with-quote": '"quoted',
    "ends-with-quote": 'quoted"',
    "ends-with-backslash": "C:\\",
    "ends-with-backslashes": "C:" + "\\" * 3,
    "backslash-quote": f'\\" + {RUN} + \\"',
    "backslash-triple": f'\\""" + {RUN} + """',
    "backslashes-triple": f'\\\\\\"""\n{RUN}',
    "backslash-newline": f"x\\\n{RUN}",
    "both-quotes": f"""'" + {RUN0} + "'""",
    "all-quotes": "'''\"\"\"" + f"\n{RUN0}",
    "bracket": f'")]}}; {RUN}  # ',
    # Escapes and formatting that must not be evaluated.
    "named-escape": "\\N{QUOTATION MARK} + x",
    "bad-named-escape": "\\N{NO SUCH CHARACTER}",
    "hex-escape": "\\x22 + \\x",
    "unicode-escape": "\\u0022\\u000a \\U0000002",
    "octal-escape": "\\042 \\777 \\8",
    "f-string": f"{{{RUN}}} {{!r}} {{",
    "dollar": f"${{{RUN}}} $x `{RUN}`",
    # New lines of every kind, comments, what an editor or a parser takes for one.
    "newline-code": f"x\n{RUN}\n",
    "dedent": f"x\n\n\nclass Owned:\n    a = {RUN}\n",
    "carriage-return": f"x\r{RUN}",
    "form-feed": f"x\x0c{RUN}",
    "vertical-tab": f"x\x0b{RUN}",
    "separators": f"x\x1c{RUN}\x1d{RUN}\x1e{RUN}",
    "next-line": f"x\x85{RUN}",
    "line-separator": f"x\u2028{RUN}",
    "paragraph-separator": f"x\u2029{RUN}",
    "hash": f"# {RUN}",
    "hash-newline": f"x  # y\n{RUN}",
    "semicolon": f"x; {RUN}; y",
    "coding": f"# -*- coding: utf-7 -*-\n+ACIAIgAi-{RUN}",
    "pragma": "# type: ignore  # noqa  # fmt: off",
    "doctest": f">>> {RUN}",
    # Characters that steer a terminal, hide, or turn around what a reader sees.
    "nul": f"x\x00{RUN}",
    "terminal": "\x1b[2J\x1b]0;owned\x07\x08\x7f",
    "c1": "\x9b31m\x90owned\x9c",
    "byte-order-mark": f"\ufeff{RUN}",
    "bidi-override": "a\u202e)('nwp'(nepo\u202c",
    "bidi-isolate": "a\u2066b\u2069 \u2067c\u2069",
    "zero-width": "a\u200bb\u200cc\u200dd\u2060e\u00adf",
    "tag-characters": "a\U000e0041\U000e0042",
    "noncharacter": "a\uffff\U0010ffff",
    "private-use": "a\ue000\U000f0000",
    "lone-high-surrogate": "a\ud800b",
    "lone-low-surrogate": "a\udc00",
    "swapped-surrogates": "\udc00\ud800",
    # Templates.
    "jinja-expression": "{{ 7*7 }}",
    "jinja-escape": f"{{{{ cycler.__init__.__globals__.os.system('touch {MARKER}') }}}}",
    "jinja-include": "{% include 'core/_base.py' %}",
    "jinja-end": "{% endfor %}{% endif %}{% raw %}",
    "jinja-comment": "{# x #} {#",
    "jinja-header": "{{ header }}{{ self }}{{ config }}",
    # Odd, but not evil.
    "empty": "",
    "blank": " \n\t ",
    "emoji": "\U0001f600 \U0001f469\u200d\U0001f680",
    "decomposed": "e\u0301 \ufb01 \uff21",
    "markup": f"<script>{RUN}</script> [a](javascript:x) [red]r[/red] **b** `c`",
    "list": '- `a`: """\n- b\n1. c',
    "long-word": "x" * 5000,
    "long-line": "many words " * 500,
}  # fmt: skip

NAMES: Mapping[str, str] = {
    "dunder-class": "__class__",
    "dunder-init": "__init__",
    "dunder-import": "__import__",
    "dunder-dict": "__dict__",
    "dunder-slots": "__slots__",
    "dunder-pydantic": "__pydantic_validator__",
    "underscore": "_",
    "underscores": "__",
    "private": "_private",
    "mangled": "__mangled",
    "ligature": "\ufb01eld",
    "fullwidth": "\uff46\uff49\uff45\uff4c\uff44",
    "mathematical": "\U0001d41f\U0001d422",
    "long-s": "cla\u017fs",
    "cyrillic": "\u0430bc",
    "umlaut": "gr\u00fc\u00dfe",
    "superscript": "a\u00b2",
    "three-hundred": "n" * 300,
    "digit-first": "1st",
    "digits": "42",
    "dotted": "a.b",
    "slash": "a/b",
    "tilde": "a~1b",
    "dash": "a-b",
    "space": "a b",
    "dots": "..",
    "parent": "../../x",
    "type-params": "Thing[T]",
    "call": "Thing()",
    "star": "*",
}
"""Texts that are at home where names stand."""
