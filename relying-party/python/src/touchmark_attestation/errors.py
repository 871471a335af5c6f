"""What is raised at the start of a server, and never while it answers requests."""

from __future__ import annotations


class SettingsError(ValueError):
    """A setting is missing, or is not what it must be. The message names the setting, says what to
    do, and shows no secret.

    `setting` is the name in the form in which the setting was given: an argument, or TOUCHMARK_… in
    the environment and in a framework's configuration.
    """

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(setting, problem)
        self.setting = setting
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.setting} {self.problem}"
