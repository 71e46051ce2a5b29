"""In which unit a change is shown: where the thing will be once the plan is applied."""

from __future__ import annotations

from org import changes as c
from org.model import ROOT, TargetKind, UnitPath
from org.plan.model import Plan
from org.references import account_reference

PLACED = (
    c.CreateUnit,
    c.RenameUnit,
    c.DeleteUnit,
    c.CreateAccount,
    c.RenameAccount,
    c.MoveAccount,
    c.CloseAccount,
    c.SetContact,
    c.ChangeTags,
    c.AttachPolicy,
    c.DetachPolicy,
)


class Places:
    """Knows where each account goes or stays; made once for a plan."""

    def __init__(self, plan: Plan) -> None:
        self._ids = plan.ids
        self._live: dict[str, UnitPath] = {account.id: account.unit for account in plan.observed.accounts}
        moves = [step.change for step in plan.steps if isinstance(step.change, c.MoveAccount)]
        self._moves: dict[str, UnitPath] = {move.name: move.destination for move in moves}

    def of(self, change: c.Change) -> UnitPath:
        match change:
            case c.CreateUnit(path=path) | c.RenameUnit(path=path) | c.DeleteUnit(path=path):
                return path
            case c.AttachPolicy(target=target) | c.DetachPolicy(target=target):
                return self._of_account(target.name) if target.kind is TargetKind.ACCOUNT else UnitPath(target.name)
            case c.CreateAccount() | c.RenameAccount() | c.MoveAccount() | c.CloseAccount():
                return self._of_account(change.name)
            case c.SetContact(account=name):
                return self._of_account(name)
            case c.ChangeTags(reference=reference):
                return self._of_reference(reference)
            case _:
                return ROOT

    def _of_reference(self, reference: str) -> UnitPath:
        kind, _, name = reference.partition(":")
        if kind == "unit-id":
            return UnitPath(name)
        return self._of_account(name) if kind == "account-id" else ROOT

    def _of_account(self, name: str) -> UnitPath:
        return self._moves.get(name) or self._live.get(self._ids.get(account_reference(name), ""), ROOT)
