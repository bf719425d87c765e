"""The settings that the binary offers, read from its own `--help`, where the contract gives no name."""

import re
import subprocess

from wire import Mismatch


class Settings:
    """Names of environment variables and defaults, by the words in them."""

    def __init__(self, binary):
        shown = subprocess.run([binary, "serve", "--help"], capture_output=True, text=True, timeout=120, check=False)
        self.text = shown.stdout
        self.found = []
        for part in re.split(r"\n\s*(?=(?:-\w, )?--)", self.text):
            name = re.search(r"\[env:\s+(\w+)", part)
            if name:
                default = re.search(r"\[default: ([^\]]+)\]", part)
                self.found.append((name[1], part, default[1] if default else ""))

    def named(self, *words):
        """The variable whose name has all these words, or a mismatch."""
        for name, _, _ in self.found:
            if all(re.search(word, name, re.IGNORECASE) for word in words):
                return name
        raise Mismatch(f"expected a setting, `serve --help` offers no setting with {' and '.join(words)} in its name")

    def seconds(self, number, *words):
        """The variable with these words and a value of so many seconds, in the form of its default."""
        name = self.named(*words)
        default = next(d for n, _, d in self.found if n == name)
        return {name: f"{number}s" if re.search(r"[a-z]", default) else str(number)}
