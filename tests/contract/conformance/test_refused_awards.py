"""Awards that are refused, by both commands."""

from typing import Any

import pytest

from .awards import FLAG, one
from .world import enterprise, policy, run

BAD_AWARDS: list[tuple[Any, str | None]] = [
    ({}, None),
    ({"rules": {}}, "award.rules"),
    ({"rules": None}, "award.rules"),
    ({"rules": [None]}, "award.rules.0"),
    ({"rules": [{}]}, "award.rules.0"),
    ({"rules": [{"fixed": "1"}], "typo": 1}, "award.typo"),
    (one(fixed="1", typo=1), "award.rules.0.typo"),
    (one(of="loan", brackets=[{"rate": 1, "typo": 1}]), "award.rules.0.brackets.0.typo"),
    ({**one(fixed=1), "bonus_points": [{"when": FLAG, "points": 1, "typo": 1}]}, "award.bonus_points.0.typo"),
    (one(fixed="1", rate="1", of="loan"), None),
    (one(each="1", rate="1", of="loan"), None),
    (one(rate="1", brackets=[{"rate": 1}], of="loan"), None),
    (one(of="loan"), None),
    (one(rate="1"), None),
    (one(each="1"), None),
    (one(brackets=[{"rate": 1}]), None),
    (one(fixed=1.5), "award.rules.0.fixed"),
    (one(fixed="1e3"), "award.rules.0.fixed"),
    (one(fixed=None), "award.rules.0.fixed"),
    (one(fixed=True), "award.rules.0.fixed"),
    (one(rate="x", of="loan"), "award.rules.0.rate"),
    (one(rate="1", of="nope"), "award.rules.0.of"),
    (one(rate="1", of="region"), "award.rules.0.of"),
    (one(rate="1", of="flag"), "award.rules.0.of"),
    (one(rate="1", of="rev"), "award.rules.0.of"),
    (one(rate="1", of="staff@last"), "award.rules.0.of"),
    (one(rate="1", of="rev@next"), "award.rules.0.of"),
    (one(rate="1", of="rev@"), "award.rules.0.of"),
    (one(rate="1", of="rev@24"), "award.rules.0.of"),
    (one(rate="1", of="rev@last@this"), "award.rules.0.of"),
    (one(rate="1", of="rev@２０２４"), "award.rules.0.of"),
    (one(rate="1", of="@last"), "award.rules.0.of"),
    (one(rate="1", of=None), "award.rules.0.of"),
    (one(rate="1", of=["loan"]), "award.rules.0.of"),
    (one(fixed="1", cap_fact="rev"), "award.rules.0.cap_fact"),
    (one(fixed="1", cap_fact="born"), "award.rules.0.cap_fact"),
    (one(fixed="1", cap="x"), "award.rules.0.cap"),
    (one(of="loan", brackets=[]), "award.rules.0.brackets"),
    (one(of="loan", brackets={}), "award.rules.0.brackets"),
    (one(of="loan", brackets=[{"upto": 5, "rate": 1}]), None),
    (one(of="loan", brackets=[{"rate": 1}, {"rate": 2}]), None),
    (one(of="loan", brackets=[{"upto": 5, "rate": 1}, {"upto": 5, "rate": 1}, {"rate": 1}]), None),
    (one(of="loan", brackets=[{"upto": 5, "rate": 1}, {"upto": 4, "rate": 1}, {"rate": 1}]), None),
    (one(of="loan", brackets=[{"upto": 5}, {"rate": 1}]), None),
    (one(of="loan", brackets=[{"upto": "x", "rate": 1}, {"rate": 1}]), "award.rules.0.brackets.0.upto"),
    (one(of="staff", each=1, quantity_cap="x"), "award.rules.0.quantity_cap"),
    (one(fixed=1, when={}), "award.rules.0.when"),
    (one(fixed=1, when=None), "award.rules.0.when"),
    (one(fixed=1, when={"all": [FLAG, {"fact": "nope", "is": True}]}), "award.rules.0.when.all.1.fact"),
    (one(fixed=1, when={"all": [{**FLAG, "id": "a"}, {**FLAG, "id": "a"}]}), None),
    ({**one(fixed=1), "choose": "best"}, "award.choose"),
    ({**one(fixed=1), "choose": None}, "award.choose"),
    ({**one(fixed=1), "rounding": "fen"}, "award.rounding"),
    ({**one(fixed=1), "shortfall": "none"}, "award.shortfall"),
    ({**one(fixed=1), "bonus_points": {}}, "award.bonus_points"),
    ({**one(fixed=1), "bonus_points": [{"when": FLAG}]}, None),
    ({**one(fixed=1), "bonus_points": [{"when": {"any": []}, "points": 1}]}, "award.bonus_points.0.when.any"),
    ({**one(fixed=1), "rate_limit": "x"}, "award.rate_limit"),
    ({**one(fixed=1), "cap_total": 1.5}, "award.cap_total"),
    ({**one(fixed=1), "cap_per_year": "x"}, "award.cap_per_year"),
    ({**one(fixed=1), "instalments": ["40", "30"]}, "award.instalments"),
    ({**one(fixed=1), "instalments": ["40", "30", "30.01"]}, "award.instalments"),
    ({**one(fixed=1), "instalments": []}, "award.instalments"),
    ({**one(fixed=1), "instalments": "100"}, "award.instalments"),
    ({**one(fixed=1), "instalments": ["x", "100"]}, "award.instalments.0"),
    ({**one(fixed=1), "exclusive_with": "p"}, "award.exclusive_with"),
    ({**one(fixed=1), "exclusive_with": [1]}, "award.exclusive_with.0"),
]


@pytest.mark.parametrize("command", ["estimate", "match"])
def test_a_wrong_award_is_told_with_its_place_by_both_commands(command: str):
    """`P.jsonl` may carry `"award"`, which `match` checks too; unknown keys at every level."""
    policies = [policy(id=f"p{n}", award=award) for n, (award, _) in enumerate(BAD_AWARDS)]
    done = run(policies, [enterprise()], command=command)
    assert (done.code, done.out) == (2, None)
    missed = []
    for n, (award, path) in enumerate(BAD_AWARDS, 1):
        placed = [e for e in done.errors if e.startswith(f"P.jsonl:{n}: ")]
        if not placed or (path is not None and not any(e.startswith(f"P.jsonl:{n}: {path}: ") for e in placed)):
            missed.append((award, path, placed))
    assert not missed, "\n".join(map(str, missed))
