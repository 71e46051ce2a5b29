"""The demo from beginning to end, as `make demo` runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFUSED = (
    r"An error occurred \(UnauthorizedOperation\) when calling the RunInstances operation: You are not authorized to "
    r"perform this operation\. User: arn:aws:sts::\d{12}:assumed-role/Developer/demo is not authorized to perform: "
    r"ec2:RunInstances on resource: arn:aws:ec2:eu-central-1::image/ami-[0-9a-f]{17} with an explicit deny in a "
    r"service control policy: arn:aws:organizations::\d{12}:policy/o-[a-z0-9]+/service_control_policy/p-[a-z0-9]+"
)


def shown_in_the_readme() -> str:
    """Answer a pattern for the stopped plan that the README shows, in which an ellipsis stands for anything."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("$ orgctl bootstrap --yes\n")[2].partition("```")[0]
    assert shown.startswith("2 changes")
    return ".*".join(re.escape(part) for part in " ".join(shown.split()).split("…"))


def test_demo_governs_a_company_and_tells_where_its_images_went_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    environment = {**os.environ, "ORGCTL_HOME": str(tmp_path), "COLUMNS": "2000"}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "demo"],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    story = done.stdout
    raw, approved = re.findall(
        r"^Developer in Shop launches (ami-[0-9a-f]{17}), which (?:nobody|ImageApprover)", story, re.M
    )
    assert raw != approved
    assert re.search(rf"{raw}, which nobody approved:\n  {REFUSED}", story)
    assert re.search(rf"{approved}, which ImageApprover approved:\n  i-[0-9a-f]{{17}}\n", story)
    assert "denied by ApprovedImages · DenyLaunchingUnapprovedImages, attached to Workloads\n" in story
    assert "the plan would lock out break-glass; nothing was done" in done.stderr
    assert re.search(shown_in_the_readme(), " ".join(done.stderr.split())), done.stderr[-3000:]
    assert story.count("no changes: the organization is what the manifest says") == 2
    golden = re.search(r"^and makes it the image (ami-[0-9a-f]{17}), golden-1;", story, re.M)
    laundered = re.search(r"^(ami-[0-9a-f]{17}) from that: AWS's own ancestry of it ends here", story, re.M)
    assert golden is not None
    assert laundered is not None
    asked = {
        words: story.partition(f"$ orgctl lineage {words}")[2].partition("\n$ orgctl")[0]
        for words in (f"ancestors {laundered[1]}", f"descendants {golden[1]}", f"impact {golden[1]}")
    }
    launched = re.search(r"^Developer in Pipelines launches (ami-[0-9a-f]{17}) as .* and registers$", story, re.M)
    assert launched is not None
    assert f"was launched from {launched[1]}" in asked[f"ancestors {laundered[1]}"]
    assert "was copied from it" in asked[f"descendants {golden[1]}"]
    assert "affected: 4 running, 8 latent, 5 derived (4 images, 1 volume)" in asked[f"impact {golden[1]}"]
    _holds_what_services_say(story, golden[1])
    page = (tmp_path / "demo" / "lineage.html").read_text(encoding="utf-8")
    assert golden[1] in page
    assert list((tmp_path / "demo" / "runs").glob("*.jsonl")).__len__() == 1, (
        "only the first bootstrap changed anything"
    )


def _holds_what_services_say(story: str, golden: str) -> None:
    """The deployed API answers, AWS Config and Security Hub hold verdicts, and people are told."""
    assert re.search(r"^12 stacks, 12 of them made or changed$", story, re.M)
    replaced, snapshot = re.findall(
        r"replaces the root of (i-[0-9a-f]{17}) by the snapshot (snap-[0-9a-f]{17})", story
    )[0]
    answered = story.partition(f"$ orgctl lineage root {replaced} --api http://127.0.0.1:")[2].partition("\n== ")[0]
    assert golden in answered, "what EC2 names"
    assert snapshot in answered, "what it boots"
    assert re.search(rf"^Image Factory +COMPLIANT +{golden}  approval: its tag ec2:SharedTag/status is", story, re.M)
    assert re.search(r"^Shop +NON_COMPLIANT +ami-[0-9a-f]{17}  approval: it has no tag", story, re.M)
    assert re.search(r"^\d+ findings: \d+ compliance/approval, ", story, re.M)
    assert re.search(r"^  id +orgctl/compliance/approval/aws/eu-central-1/image/ami-[0-9a-f]{17}$", story, re.M)
    mails = re.search(
        r"^\S+Z  email  security@example.com  Compliance of machine images\n(\d+) of \d+ images", story, re.M
    )
    assert mails is not None
