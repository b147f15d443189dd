# SPDX-License-Identifier: Apache-2.0
"""c_text: just enough C for tidy and mutate: where comments and strings are, where functions begin and end.

No parser: it relies on the house style (one function after the other, none inside another, macros in capitals)."""
import collections
import re

Function = collections.namedtuple("Function", "name first last body_first signature body")  # lines count from 1

_SKIP = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
_NAME = re.compile(r"([A-Za-z_]\w*)\s*\($")
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else"}


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def without_comments(text):
    """Comments become spaces; strings stay. Every offset and line stays where it was."""
    return _SKIP.sub(lambda m: _blank(m) if m.group(0)[0] == "/" else m.group(0), text)


def bare(text):
    """Comments and the insides of strings and characters become spaces, every offset stays."""
    def blank(m):
        s = m.group(0)
        return _blank(m) if s[0] == "/" else s[0] + " " * (len(s) - 2) + s[-1]
    return _SKIP.sub(blank, text)


def without_directives(text):
    """Preprocessor lines, continued ones too, become spaces."""
    return _DIRECTIVE.sub(_blank, text)


def functions(text):
    """Every function with a body, in order."""
    code = without_directives(bare(text))
    found, depth, start, open_at = [], 0, 0, 0
    for m in re.finditer(r"[{};]", code):
        c = m.group(0)
        if c == "{":
            if depth == 0:
                open_at = m.start()
            depth += 1
        elif c == "}":
            depth = max(0, depth - 1)
            if depth == 0:
                signature = code[start:open_at]
                name = _name_of(signature)
                if name:
                    lead = len(signature) - len(signature.lstrip())
                    first, body_first, last = (text.count("\n", 0, at) + 1 for at in (start + lead, open_at, m.start()))
                    found.append(Function(name, first, last, body_first, signature.strip(), code[open_at:m.end()]))
                    start = m.end()
                elif "=" not in signature:
                    start = m.end() if not re.search(r"\b(struct|enum|union)\b", signature) else start
        elif depth == 0:
            start = m.end()
    return found


def _name_of(signature):
    s = signature.strip()
    if not s.endswith(")") or "=" in s:
        return None
    depth = 0
    for i in range(len(s) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(s[i], 0)
        if depth == 0:
            m = _NAME.search(s[:i + 1])
            if m and m.group(1) == "__attribute__":
                return _name_of(s[:m.start()])
            before = s[:m.start(1)].strip() if m else ""
            return m.group(1) if m and before and m.group(1) not in KEYWORDS else None
    return None


def long_macro_lines(text):
    """Lines of X-macro tables: a #define of NAME_LIST or NAME_FIELDS with all its continuation lines."""
    lines = set()
    for m in _DIRECTIVE.finditer(without_comments(text)):
        if re.match(r"\s*#\s*define\s+\w+_(LIST|FIELDS|ROUTES|TABLE)\(", m.group(0)) and "\n" in m.group(0):
            first = text.count("\n", 0, m.start()) + 1
            lines.update(range(first, first + m.group(0).count("\n") + 1))
    return lines
