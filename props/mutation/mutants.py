# SPDX-License-Identifier: GPL-2.0-only
"""What there is to mutate in a header of the model, and how all of it is written into one file.

A small reader of the C++ that model/ is written in: function templates whose bodies are blocks,
ifs, loops, switches, declarations and expression statements. It gives one Mutant for each change of
these operators:

    delete      an expression statement is left out
    duplicate   a lock, a reference, a put or a wake is done twice
    negate      a condition, a returned or declared bool is turned round
    no error    `return -EFOO` returns 0
    off by one  a constant or a comparison is off by one

All mutants of a file live in one text (mutant schemata): each change stands beside the original,
behind Mutant(NUMBER), so that one program is all mutants. Lines keep their numbers.

Places that are no mutants tell what was run, for cover.py: where a function is entered ("enter"),
and where a rule of the revision is asked for in what no operator changes ("ask").
"""

import collections
import re

PAIRED = re.compile(r"spin_(un)?lock|(down|up)_(read|write)|refcount_(inc|dec)|_put\(|_get\(|wake_up|"
                    r"complete\(|\bfput\(|\bfree\(")
DECLARATION = re.compile(r"^(const|constexpr|auto|typename|using|static|struct|template)\b|"
                         r"^[A-Za-z_][\w:<>, ]*?(<[^;=()]*>)?[\s*&]+(const\s+)?[A-Za-z_]\w*\s*"
                         r"(=(?!=)|;|\{|\(|\[)")
DECLARED_CONDITION = re.compile(
    r"(?:const )?[A-Za-z_][\w:]*(?:<[^=;()]*>)?[\s*&]+(?:const\s+)?[A-Za-z_]\w*\s*=(?!=)")
RULE = re.compile(r"\brules(?:\.|->)(\w+)")
BOOL_VALUE = re.compile(r"^(?:const )?bool \w+\s*=(?!=)")
OFF_BY_ONE = (
    (re.compile(r" \+ 1(?![\w.])"), " + (1 + {m})"),
    (re.compile(r" - 1(?![\w.])"), " - (1 - {m})"),
    (re.compile(r" > 0(?![\w.])"), " > (0 - {m})"),
    (re.compile(r" <= 0(?![\w.])"), " <= (0 - {m})"),
    (re.compile(r" == 0(?![\w.])"), " == (0 + {m})"),
    (re.compile(r" < 0(?![\w.])"), " < (0 + {m})"),
    (re.compile(r" >= "), " >= {m} + "),
    (re.compile(r" < (?!0\b|<)"), " < -{m} + "),
    (re.compile(r" <= (?!0\b)"), " <= -{m} + "),
    (re.compile(r" > (?!0\b|>)"), " > {m} + "),
    (re.compile(r"(?<=[\w\]])\+\+(?=;|\)|$)"), " += 1 + {m}"),
    (re.compile(r"(?<=[\w\]])--(?=;|\)|$)"), " -= 1 + {m}"),
)


class Mutant:
    """One change. `number` is unique over all files; 0 is no mutant."""

    def __init__(self, number, path, line, function, operator, code):
        self.number, self.path, self.line = number, path, line
        self.function, self.operator = function, operator
        self.code = " ".join(code.split())
        self.occurrence = 1  # among those of this file that are the same otherwise

    def key(self):
        """What names the mutant whatever its line and number."""
        again = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.path} {self.function}: {self.operator}: {self.code}{again}"

    def __str__(self):
        return f"{self.path}:{self.line}: {self.function}: {self.operator}: {self.code}"


def masked(text):
    """The text with comments, strings and preprocessor lines blanked; same length and lines."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|^#[^\n]*'
    return re.sub(pattern, blank, text, flags=re.S | re.M)


class Schemata:
    """Finds the mutants of one file; `text` is the file with all of them in it."""

    def __init__(self, path, text, first_number):
        self.path, self.source, self.code = path, text, masked(text)
        self.places, self._edits, self._next = [], [], first_number
        self._seen = collections.Counter()
        self._function, self._returns_bool = "", False
        self._declarations(0, len(text))
        # Insertions at one place: what closes an inner span comes before what closes an outer one,
        # and what opens an outer one before what opens an inner one.
        self._edits.sort(key=lambda edit: (edit[0], edit[1]))
        self.text, at = "", 0
        for start, _, end, new in self._edits:
            self.text += text[at:start] + new
            at = max(at, end)
        self.text += text[at:]
        self.mutants = [place for place in self.places if place.operator not in ("enter", "ask")]

    # Edits: (position, order, end, text); order makes brackets nest.

    def _insert(self, span, before, after):
        start, end = span
        length = end - start
        if before:
            self._edits.append((start, 1 + 1 / (2 + length), start, before))
        if after:
            self._edits.append((end, -1 / (1 + length), end, after))

    def _replace(self, span, new):
        self._edits.append((span[0], 2, span[1], new))

    def _mutant(self, operator, span, code=None):
        line = self.source.count("\n", 0, span[0]) + 1
        code = self.source[slice(*span)] if code is None else code
        mutant = Mutant(self._next, self.path, line, self._function, operator, code)
        self._next += 1
        self._seen[mutant.key()] += 1
        mutant.occurrence = self._seen[mutant.key()]
        self.places.append(mutant)
        return f"Mutant({mutant.number})"

    def _negated(self, span, code=None):
        """Turns the condition there round, and notes which way it went."""
        m = self._mutant("negate", span, code)
        self._insert(span, f"Decide({m[len('Mutant('):-1]}, static_cast<bool>(", "))")

    # Reading.

    def _skip(self, at, end):
        while at < end and self.code[at].isspace():
            at += 1
        return at

    def _closing(self, at):
        """The position behind the bracket that closes the one at `at`."""
        depth = 0
        for i in range(at, len(self.code)):
            if self.code[i] in "([{":
                depth += 1
            elif self.code[i] in ")]}":
                depth -= 1
                if depth == 0:
                    return i + 1
        raise ValueError(f"{self.path}: unbalanced bracket")

    def _declarations(self, at, end):
        """Namespace or struct level: descends into functions, namespaces and structs."""
        chunk = at
        while at < end:
            char = self.code[at]
            if char == "{":
                head = self.code[chunk:at]
                close = self._closing(at)
                if re.search(r"\b(namespace|struct|class)\b[^()]*$", head):
                    self._declarations(at + 1, close - 1)
                elif "(" in head and not re.search(r"=\s*$|\benum\b|\bconstexpr\b", head):
                    self._function = re.search(r"([\w~]+|operator\S+)\s*\(", re.sub(
                        r"\[\[.*?\]\]", "", head)).group(1)
                    self._returns_bool = re.search(r"\bbool\s+\w+\s*\(", head) is not None
                    m = self._mutant("enter", (at, at + 1), self._function)
                    self._insert((at + 1, at + 1), f" {m};", "")
                    self._block(at + 1, close - 1)
                at = chunk = close
            elif char == ";":
                at = chunk = at + 1
            elif char == "(":
                at = self._closing(at)
            else:
                at += 1

    def _block(self, at, end):
        at = self._skip(at, end)
        while at < end:
            at = self._skip(self._statement(at, end), end)

    def _statement(self, at, end):
        """Takes one statement; the position behind it."""
        at = self._skip(at, end)
        word = re.compile(r"\w+").match(self.code, at)
        word = word.group() if word else ""
        if self.code[at] == "{":
            close = self._closing(at)
            self._block(at + 1, close - 1)
            return close
        if word in ("if", "while", "for", "switch"):
            paren = self.code.index("(", at)
            close = self._closing(paren)
            constant = "constexpr" in self.code[at:paren]
            if word in ("if", "while") and not constant:
                self._condition(paren + 1, close - 1)
            elif word == "for" and ";" in self.code[paren:close]:
                self._off_by_one((paren + 1, close - 1))
            return self._statement(close, end)
        if word in ("else", "do"):
            return self._statement(at + len(word), end)
        if word in ("case", "default"):
            return re.compile(r"(?<!:):(?!:)").search(self.code, at).end()
        return self._simple(at)

    def _condition(self, start, end):
        """`init; condition` or `condition`."""
        start = self._skip(self.code.rfind(";", start, end) + 1 or start, end)
        if not DECLARED_CONDITION.match(self.code, start, end):
            self._negated((start, end))
        self._off_by_one((start, end))
        self._lambdas(start, end)

    def _simple(self, start):
        """A declaration, an expression statement, return, break, ..."""
        at = start
        while self.code[at] != ";":
            at = self._closing(at) if self.code[at] in "([{" else at + 1
        end = at + 1
        text = self.code[start:end]
        if text.startswith(("break", "continue", "static_assert")) or text == ";":
            return end
        if text.startswith("return"):
            self._returns(start, at, text)
        elif BOOL_VALUE.match(text):
            value = self._skip(start + BOOL_VALUE.match(text).end(), at)
            self._negated((value, at), self.source[start:at])
        elif DECLARATION.match(text):
            value = re.match(r"[^=({]*=(?!=)\s*", text)
            if value:
                self._asks((start + value.end(), at))
        else:
            m = self._mutant("delete", (start, end))
            before, after = f"{{ if (!{m}) {{ ", " }"
            if PAIRED.search(text):
                copy = " ".join(self.code[start:end].split())
                copy = re.sub(r"\(\s*,", '("",', copy) if "WARN_ON" not in text else copy
                after += f" if ({self._mutant('duplicate', (start, end))}) {{ {copy} }}"
            self._insert((start, end), before, after + " }")
        self._off_by_one((start, end))
        self._lambdas(start, end)
        return end

    def _returns(self, start, semicolon, text):
        value = self._skip(start + len("return"), semicolon)
        span = (value, semicolon)
        if value == semicolon:
            return
        if re.fullmatch(r"return -E\w+;", text):
            m = self._mutant("no error", (start, semicolon))
            self._insert(span, f"{m} ? 0 : ", "")
        elif self._returns_bool and self.code[value] != "{":
            self._negated(span, self.source[start:semicolon])
        elif self.code[value] != "{":
            self._asks(span)

    def _asks(self, span):
        """Notes that a value which asks for a rule is taken."""
        if RULE.search(self.code, *span):
            self._insert(span, f"({self._mutant('ask', span)}, ", ")")

    def _lambdas(self, start, end):
        """One that is an argument returns a condition; what one with a name returns is not known."""
        for match in re.finditer(r"\](\s*\([^()]*\))?\s*\{", self.code[start:end]):
            brace = start + match.end() - 1
            close = self._closing(brace)
            named = re.search(r"=\s*\[[^\]]*$", self.code[start:start + match.start()])
            outer, self._returns_bool = self._returns_bool, named is None
            self._block(brace + 1, close - 1)
            self._returns_bool = outer

    def _off_by_one(self, span):
        start, end = span
        lambdas = [(start + m.end() - 1, self._closing(start + m.end() - 1))
                   for m in re.finditer(r"\](\s*\([^()]*\))?\s*\{", self.code[start:end])]
        for pattern, new in OFF_BY_ONE:
            for match in pattern.finditer(self.code, start, end):
                at = match.span()
                if any(begin <= at[0] < close for begin, close in lambdas):
                    continue
                if new.startswith((" += ", " -= ")) and not self._is_whole(start, at[0]):
                    continue
                m = self._mutant("off by one", at, self._around(span, at))
                self._replace(at, new.format(m=f"int{{{m}}}"))

    def _is_whole(self, start, at):
        """Whether what stands before `at` is a variable and nothing else: `i` of `i++`."""
        return re.fullmatch(r"(.*;)?\s*[\w.>*\[\]-]+", self.code[start:at], re.S) is not None

    def _around(self, span, at):
        """The statement with the place of the change marked."""
        start, end = span
        return (self.source[start:at[0]] + " [" + self.source[slice(*at)].strip() + "] " +
                self.source[at[1]:end])
