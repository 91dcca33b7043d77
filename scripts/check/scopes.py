"""A brace-matching reader of C++: which declarations and function bodies stand at which scope.

It is a heuristic, not a parser. It knows namespaces, classes, enums, initialisers, member
initialiser lists and functions (a gtest TEST body is a function); what it does not know it
skips over as one balanced brace group. Everything inside a function belongs to that function.
"""

import re
from dataclasses import dataclass, field


@dataclass
class Scope:
    kind: str              # "namespace" or "class"
    name: str
    access: str = "public"


@dataclass
class Head:
    """One declaration, or the head of one function with the lines of its body."""
    text: str
    kind: str              # "declaration" or "function"
    first_line: int
    last_line: int
    scopes: tuple[tuple[str, str, str], ...]
    body_first_line: int = 0
    body_last_line: int = 0

    def is_public(self) -> bool:
        return all(kind == "namespace" or access == "public" for kind, _, access in self.scopes)

    def class_name(self) -> str:
        return self.scopes[-1][1] if self.scopes and self.scopes[-1][0] == "class" else ""

    def body_lines(self) -> int:
        return self.body_last_line - self.body_first_line + 1


_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)(?:\\\n|[^\n])*", re.MULTILINE)


def without_directives(code: str) -> str:
    """Blanks preprocessor lines and all but the first branch of each #if, so braces balance."""
    parts = []
    position = 0
    branch_stack: list[bool] = []  # for each open #if: are we past its first branch?
    for match in _DIRECTIVE.finditer(code):
        chunk = code[position:match.start()]
        parts.append(re.sub(r"[^\n]", " ", chunk) if any(branch_stack) else chunk)
        parts.append(re.sub(r"[^\n]", " ", match[0]))
        position = match.end()
        word = match[1]
        if word in ("if", "ifdef", "ifndef"):
            branch_stack.append(False)
        elif word in ("else", "elif") and branch_stack:
            branch_stack[-1] = True
        elif word == "endif" and branch_stack:
            branch_stack.pop()
    parts.append(code[position:])
    return "".join(parts)


def _remove_balanced(text: str, opener: str, closer: str) -> str:
    """Removes innermost groups until none is left."""
    pattern = re.compile(re.escape(opener) + r"[^" + re.escape(opener + closer) + r"]*"
                         + re.escape(closer))
    while True:
        shorter = pattern.sub(" ", text)
        if shorter == text:
            return text
        text = shorter


def _simplify(head: str) -> str:
    """The head without attributes, operators' own signs and <...> groups."""
    head = re.sub(r"\[\[[^\]]*\]\]", " ", head)
    head = re.sub(r"\boperator\s*[^\w\s(]+|\boperator\s*\(\s*\)", "operator_", head)
    head = head.replace("->", "  ")
    return " ".join(_remove_balanced(head, "<", ">").split())


_TEMPLATE = re.compile(r"^template\b\s*")
_MEMBER_INIT = re.compile(r"\)\s*(?:const\s*)?(?:noexcept\s*)?:(?!:)")
_ASSIGN = re.compile(r"(?<![=!<>+\-*/|&^])=(?!=)")


def _without_parens(text: str) -> str:
    return _remove_balanced(text, "(", ")")


def _class_name(head: str) -> str:
    before_bases = re.split(r"(?<!:):(?!:)", _without_parens(head))[0]
    words = [w for w in re.findall(r"\w+", before_bases) if w != "final"]
    return words[-1] if len(words) > 1 else ""


_LEADING_MACROS = re.compile(r"(?:[A-Z][A-Z0-9_]+(?:\([^()]*\))?\s+)+(?=[A-Za-z_])")


def classify(head: str) -> tuple[str, str]:
    """What a '{' after this head opens: (kind, name)."""
    text = _simplify(head)
    macros = _LEADING_MACROS.match(text)  # as in TW_REGION_BEGIN("avx2") namespace x
    text = _TEMPLATE.sub("", text[macros.end():] if macros else text)
    text = re.sub(r"^requires\b[^(]*?\b(?=class\b|struct\b)", "", text)
    if re.match(r"(?:inline )?namespace\b", text):
        return "namespace", text.split()[-1]
    if re.match(r'extern\s*"\s*"$', text):
        return "namespace", ""
    if re.match(r"(?:typedef )?enum\b", text):
        return "initialiser", ""
    if re.match(r"(?:typedef )?(?:class|struct|union)\b", text):
        return "class", _class_name(text)
    if ")" not in text or _ASSIGN.search(_without_parens(text)):
        return "initialiser", ""
    if _MEMBER_INIT.search(text) and re.search(r"[\w>]$", text):
        return "initialiser", ""
    return "function", ""


def matching_brace(text: str, opening: int) -> int:
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, opening):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(text) - 1


_STOP = re.compile(r"[{}();]|\b(public|private|protected)\s*:(?!:)")


@dataclass
class _Reader:
    text: str
    heads: list[Head] = field(default_factory=list)
    stack: list[Scope] = field(default_factory=list)
    head_start: int = 0
    parens: int = 0

    def line(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def emit(self, end: int, kind: str) -> Head | None:
        raw = self.text[self.head_start:end]
        if not raw.strip():
            return None
        start = self.head_start + len(raw) - len(raw.lstrip())
        scopes = tuple((s.kind, s.name, s.access) for s in self.stack)
        head = Head(raw.strip(), kind, self.line(start), self.line(end), scopes)
        self.heads.append(head)
        return head

    def open_brace(self, at: int) -> int:
        """Handles one '{' outside functions; returns where to go on."""
        closing = matching_brace(self.text, at)
        if self.parens > 0:
            return closing + 1
        head_text = self.text[self.head_start:at]
        kind, name = classify(head_text)
        if kind in ("namespace", "class"):
            is_class_word = re.search(r"\bclass\b", _simplify(head_text)) is not None
            access = "private" if kind == "class" and is_class_word else "public"
            self.stack.append(Scope(kind, name, access))
            self.head_start = at + 1
            return at + 1
        if kind == "function":
            head = self.emit(at, "function")
            if head is not None:
                head.body_first_line = self.line(at)
                head.body_last_line = self.line(closing)
            self.head_start = closing + 1
        return closing + 1

    def step(self, match: re.Match) -> int:
        sign = match[0]
        if sign == "(":
            self.parens += 1
        elif sign == ")":
            self.parens = max(0, self.parens - 1)
        elif sign == "{":
            return self.open_brace(match.start())
        elif sign == "}":
            if self.stack:
                self.stack.pop()
            self.head_start = match.end()
            self.parens = 0
        elif sign == ";":
            if self.parens == 0:
                self.emit(match.start(), "declaration")
                self.head_start = match.end()
        elif self.parens == 0 and self.stack and self.stack[-1].kind == "class":
            self.stack[-1].access = match[1]
            self.head_start = match.end()
        return match.end()


def read_heads(code: str) -> list[Head]:
    """`code` is the text without comments and strings (common.code_only)."""
    reader = _Reader(without_directives(code))
    position = 0
    while (match := _STOP.search(reader.text, position)) is not None:
        position = reader.step(match)
    return reader.heads


def declared_name(head: Head) -> str | None:
    """The name of the function that this head declares or defines, or None."""
    text = _simplify(head.text)
    text = _TEMPLATE.sub("", text)
    if re.match(r"(?:using|typedef|static_assert|friend class)\b", text):
        return None
    before, paren, _ = text.partition("(")
    if not paren or _ASSIGN.search(before):
        return None
    match = re.search(r"(?:[\w>*&\]]\s*(?:\w+\s*::\s*)*)\b(?<!~)([A-Za-z_]\w*)\s*$", before)
    if match is None or not before[:match.start(1)].strip():
        return None
    return match[1]
