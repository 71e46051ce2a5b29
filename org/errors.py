"""The one family of errors that a person is meant to read: where it happened, what is wrong, what to do."""


class OrgctlError(Exception):
    """Something that the user can act on; `cli.main` prints it and exits with 1.

    Reads `where: what; what to do`, in lower case and without a full stop. `where` is a place in a file
    (`organization.yaml:12:5`), an AWS call, or an object of the organization.
    """

    def __init__(self, where: str, what: str, todo: str = "") -> None:
        super().__init__(where, what, todo)
        self.where = where
        self.what = what
        self.todo = todo

    def __str__(self) -> str:
        return printable(f"{self.where}: {self.what}" + (f"; {self.todo}" if self.todo else ""))


def printable(text: str) -> str:
    r"""Write what a terminal or a log would act on as an escape (`\x1b`): values of others stand in our messages."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class AccessDenied(OrgctlError):
    """AWS refused a call for want of a permission; caught where a part of an observation may be missing."""


class NotFound(OrgctlError):
    """The thing that a call names does not exist; caught where its absence is an answer."""


class AlreadySo(OrgctlError):
    """What was asked for is so already; caught where that is as good as having done it."""


class Busy(OrgctlError):
    """Something else is under way that has to end first; caught where it can be waited for."""
