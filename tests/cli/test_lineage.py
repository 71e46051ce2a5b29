"""`orgctl lineage`: what is printed of a small history, whole, and the exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent

from handlers.lineage.model import Batch, Kind, Relation, key_of
from tests.cli.test_rollout import MANIFEST, write
from tests.support.command_line import CommandLine
from tests.support.lineage import ACCOUNT, REGION, fact, image, instance, note
from tests.support.lineage_story import GOLDEN, GOLDEN_STORY, MALFORMED, SHOP, STRANGER, abroad, keep

COMPLETE = "complete: nothing is known to be missing\n"


def name_accounts() -> None:
    """Write a manifest that tells the ids of all accounts."""
    ids = iter((ACCOUNT, SHOP, *(f"10000000000{n}" for n in range(9))))
    lines = [
        line.replace("{name:", f'{{id: "{next(ids)}", name:') if "{name:" in line and "email:" in line else line
        for line in MANIFEST.splitlines()
    ]
    write("\n".join(lines))


def test_a_thing_is_shown_with_the_evidence_for_all_that_is_said(lineage: CommandLine) -> None:
    said = lineage("lineage", "show", "ami-golden")
    assert (said.code, said.err) == (0, "")
    assert said.out == dedent("""\
        ami-golden “golden”  eu-central-1 · 111122223333 · available
          name: golden  2026-09-21T14:13:22Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
          owner: 111122223333  2026-09-21T14:13:22Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
          state: available  2026-09-21T14:13:22Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
          was made from the disks of i-builder in eu-central-1  2026-09-21T14:13:22Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
          is shared with account 999988887777  2026-09-21T14:13:28Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
        came of it, or use it: 1 image, 1 instance
          ami-copy in us-east-1 was copied from it  2026-09-21T14:13:23Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail)
          i-swapped in eu-central-1 was launched from it  2026-09-21T14:13:30Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
        complete: nothing is known to be missing
        """)  # noqa: E501


def test_ancestors_are_a_tree_up_to_the_base_that_says_what_it_may_lack_first_and_last(lineage: CommandLine) -> None:
    said = lineage("lineage", "ancestors", "i-web")
    assert (said.code, said.err) == (0, "")
    assert said.out == dedent("""\
        incomplete: it may lack something, or say too much; the reasons stand at the end
        i-web  us-east-1 · 222233334444 · running
        └── ✓ was launched from ami-copy “golden”  us-east-1 · 222233334444 · available
              2026-09-21T14:13:24Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail): the same content
            └── ✓ was copied from ami-golden “golden”  eu-central-1 · 111122223333 · available
                  2026-09-21T14:13:23Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail): the same content
                └── ~ was made from the disks of i-builder  eu-central-1 · 111122223333 · terminated  no longer there
                      2026-09-21T14:13:22Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
                      content not sure: the machine could write on its disks before the image was made
                    └── ✓ was launched from ami-base “al2023”  eu-central-1 · 137112412989 · available
                          2026-09-21T14:13:21Z by role/Builder in 111122223333/eu-central-1 (cloudtrail): the same content
        4 things above, on 4 levels; content not sure on 1 hop
        incomplete, for 1 reason:
          unseen-creation: aws/eu-central-1/image/ami-base: how it was made was not seen
        """)  # noqa: E501
    assert lineage("lineage", "ancestors", "i-web", "--strict").code == 3


def test_descendants_tell_what_points_and_what_held_it_only_formerly(lineage: CommandLine) -> None:
    said = lineage("lineage", "descendants", "ami-golden", "--strict")
    assert (said.code, said.err) == (0, "")
    assert said.out == dedent("""\
        ami-golden “golden”  eu-central-1 · 111122223333 · available
        ├── ✓ ami-copy “golden”  us-east-1 · 222233334444 · available  was copied from it
        │     2026-09-21T14:13:23Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail): the same content
        │   ├── ✓ i-web  us-east-1 · 222233334444 · running  was launched from it
        │   │     2026-09-21T14:13:24Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail): the same content
        │   ├── ✓ i-idle  us-east-1 · 222233334444  was launched from it
        │   │     2026-09-21T14:13:25Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail): the same content
        │   └── → launch template version lt-1:1  us-east-1 · 222233334444  starts machines from it
        │         2026-09-21T14:13:26Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail): no content passes
        │       └── → launch template version lt-1:$Default  us-east-1 · 222233334444  points at it
        │             2026-09-21T14:13:26Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail): no content passes
        │           └── → auto scaling group 222233334444/web  us-east-1 · 222233334444  starts machines by it
        │                 2026-09-21T14:13:27Z by role/Builder of 111122223333 in 222233334444/us-east-1 (cloudtrail): no content passes
        └── ✓ i-swapped  eu-central-1 · 111122223333 · running  was launched from it  formerly, until 2026-09-21T14:13:31Z
              2026-09-21T14:13:30Z by role/Builder in 111122223333/eu-central-1 (cloudtrail): the same content
        7 things below, on 4 levels; 1 thing only formerly
        complete: nothing is known to be missing
        """)  # noqa: E501


def test_what_happened_after_a_time_is_not_in_an_answer_as_of_then(lineage: CommandLine) -> None:
    said = lineage("lineage", "descendants", "ami-golden", "--at", "2026-09-21T16:13:24+02:00")
    assert said.out.startswith("as of 2026-09-21T14:13:24Z\nami-golden")
    assert "i-web" in said.out
    assert "i-idle" not in said.out
    assert lineage("lineage", "descendants", "ami-golden", "--at", "2026-09-21T14:13:24").out == said.out
    assert "nothing is known to have come of it" in lineage("lineage", "descendants", "i-web").out
    assert "it comes from nothing that is known" in lineage("lineage", "ancestors", "ami-base").out


def test_impact_tells_running_users_apart_from_latent_ones_by_account_and_region(lineage: CommandLine) -> None:
    said = lineage("lineage", "impact", "ami-base")
    assert (said.code, said.err) == (0, "")
    assert said.out == dedent("""\
        ami-base “al2023”  eu-central-1 · 137112412989 · available
        affected: 2 running, 3 latent, 2 derived (2 images), 1 share with others (which accounts are the organization's is not known)
        running: machines that boot it, or would when started again: 2
          222233334444 · us-east-1: 2
            i-idle  state not known
            i-web  running
        latent: run nothing now, and would start machines from it: 3
          222233334444 · us-east-1: 3 (1 auto scaling group, 2 launch template versions)
            auto scaling group 222233334444/web
            launch template version lt-1:$Default
            launch template version lt-1:1
        derived: hold its content: 2
          111122223333 · eu-central-1: 1 (1 image)
            ami-golden “golden”  available
          222233334444 · us-east-1: 1 (1 image)
            ami-copy “golden”  available
        shared with others (which accounts are the organization's is not known): 1
          ami-golden in eu-central-1 with 999988887777, 2026-09-21T14:13:28Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
        formerly: held it once, and not now: 1
          111122223333 · eu-central-1: 1
        complete: nothing is known to be missing
        """)  # noqa: E501


def test_a_manifest_names_accounts_and_tells_which_are_outside_and_which_were_never_heard(lineage: CommandLine) -> None:
    name_accounts()
    said = lineage("lineage", "impact", "ami-base")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "incomplete: it may lack something, or say too much; the reasons stand at the end"
    assert lines[2] == "affected: 2 running, 3 latent, 2 derived (2 images), 1 share outside the organization"
    assert f"  Log Archive {SHOP} · us-east-1: 2" in lines
    assert f"  Management {ACCOUNT} · eu-central-1: 1 (1 image)" in lines
    assert lines[-2].startswith("incomplete, for ")
    places = ", ".join(f"{account}/eu-central-1" for account in ("100000000000", "100000000001", "100000000002", SHOP))
    assert lines[-1] == f"  silent: {places}, each: nothing was ever heard"


def test_an_image_on_which_nothing_runs_has_no_empty_sections(lineage: CommandLine) -> None:
    said = lineage("lineage", "impact", "ami-laundered")
    assert said.out == (
        "ami-laundered “own”  eu-central-1 · 111122223333 · available\n"
        "affected: 0 running, 0 latent, 1 derived (1 snapshot), 0 shares with others (which accounts are the "
        "organization's is not known)\n"
        "derived: hold its content: 1\n"
        "  111122223333 · eu-central-1: 1 (1 snapshot)\n"
        "    snap-1\n" + COMPLETE
    )


def test_all_that_outlives_an_image_is_told_apart(lineage: CommandLine) -> None:
    stored, warm = key_of(Kind.OBJECT, "bucket/golden.bin"), key_of(Kind.SNAPSHOT, "snap-warm", REGION)
    gone = image("gone")
    keep(
        Batch((
            fact(Relation.STORED_FROM, stored, GOLDEN, 30),
            fact(Relation.PRELAUNCHED_FROM, warm, GOLDEN, 31),
            fact(Relation.COPIED_FROM, gone, GOLDEN, 32),
            note(gone, 33, owner=ACCOUNT, state="deregistered"),
        ))
    )  # fmt: skip
    said = lineage("lineage", "impact", "ami-golden")
    for line in (
        "pre-launched: outlive a share that is taken back: 1",
        "    snap-warm",
        "stored in S3: it can be restored from them: 1",
        "  111122223333 · -: 1 (1 S3 object)",
        "    S3 object bucket/golden.bin",
        "no longer there: held its content: 1",
    ):
        assert line in said.out.splitlines()
    assert "ami-gone" not in said.out
    assert "    ami-gone  deregistered" in lineage("lineage", "impact", "ami-golden", "-v").out.splitlines()


def test_frontiers_give_the_order_of_rebuilding_and_the_least_of_it(lineage: CommandLine) -> None:
    said = lineage("lineage", "frontiers", "ami-base")
    assert (said.code, said.err) == (0, "")
    assert said.out == dedent("""\
        rebuild 3 images, layer after layer:
          0  ami-base “al2023”  eu-central-1 · 137112412989 · available
          1  ami-golden “golden”  eu-central-1 · 111122223333 · available
          2  ami-copy “golden”  us-east-1 · 222233334444 · available
        the least to rebuild, beside the start: 1 image, for 5 users
          ami-golden “golden”  eu-central-1 · 111122223333 · available
            for auto scaling group 222233334444/web in us-east-1, i-idle in us-east-1, i-web in us-east-1, launch template version lt-1:$Default in us-east-1, launch template version lt-1:1 in us-east-1
        complete: nothing is known to be missing
        """)  # noqa: E501


def test_without_a_user_there_is_only_an_order(lineage: CommandLine) -> None:
    assert lineage("lineage", "frontiers", "ami-laundered").out == (
        "rebuild 1 image, layer after layer:\n"
        "  0  ami-laundered “own”  eu-central-1 · 111122223333 · available\n"
        "nothing is known to run it, or to start machines from it\n" + COMPLETE
    )
    gone = image("away")
    keep(Batch((fact(Relation.COPIED_FROM, gone, GOLDEN, 1), note(gone, 2, state="deregistered"))))
    assert lineage("lineage", "frontiers", "ami-away").out == (
        "no image is affected that is still there: there is nothing to rebuild\n"
        "  1 affected image no longer there\n"
        "nothing is known to run it, or to start machines from it\n" + COMPLETE
    )


def test_images_that_cannot_be_rebuilt_move_the_least_to_others(lineage: CommandLine) -> None:
    keep(Batch((fact(Relation.LAUNCHED_FROM, instance("direct"), GOLDEN, 40),)))
    said = lineage("lineage", "frontiers", "ami-base", "--fixed", "ami-golden")
    assert said.out.splitlines()[4:-1] == [
        "the least to rebuild, beside the start: 1 image, for 5 users",
        "  ami-copy “golden”  us-east-1 · 222233334444 · available",
        "    for auto scaling group 222233334444/web in us-east-1, i-idle in us-east-1, i-web in us-east-1, launch template version lt-1:$Default in us-east-1, launch template version lt-1:1 in us-east-1",  # noqa: E501
        "to launch anew, or to point elsewhere: no image between can be rebuilt: 1",
        "  111122223333 · eu-central-1: 1",
        "    i-direct",
        "cannot be rebuilt (gone, a backup, outside, or named so): ami-golden in eu-central-1",
    ]
    answer = json.loads(lineage("lineage", "frontiers", "ami-base", "--format", "json").out)
    assert [len(layer) for layer in answer["frontiers"]["layers"]] == [1, 1, 1]
    assert [each["image"]["key"] for each in answer["smallest"]["rebuild"]] == [GOLDEN]


def test_descent_that_anybody_could_have_written_on_is_unverified(lineage: CommandLine) -> None:
    said = lineage("lineage", "verify", "ami-golden", "--trust", "amazon")
    assert (said.code, said.err) == (3, "")
    assert said.out == dedent("""\
        ami-golden in eu-central-1: unverified: unbroken up to trusted roots, but somebody could have written on the way
          begins with ami-base “al2023”  eu-central-1 · 137112412989 · available
          ~ ami-golden in eu-central-1 was made from the disks of i-builder in eu-central-1
            content not sure: the machine could write on its disks before the image was made
            2026-09-21T14:13:22Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
        2 hops, 1 of them not sure
        complete: nothing is known to be missing
        """)


def test_a_laundered_image_is_broken_where_nothing_was_seen(lineage: CommandLine) -> None:
    said = lineage("lineage", "verify", "ami-laundered", "--trust", "amazon")
    assert (said.code, said.err) == (3, "")
    assert said.out == dedent("""\
        incomplete: it may lack something, or say too much; the reasons stand at the end
        ami-laundered in eu-central-1: broken: facts are missing on the way up
          begins with vol-1  eu-central-1 · account not known  only its name is known
          ~ snap-1 in eu-central-1 is a snapshot of vol-1 in eu-central-1
            content not sure: the volume could be written on before
            2026-09-21T14:13:32Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
        2 hops, 1 of them not sure
        incomplete, for 1 reason:
          unseen-creation: aws/eu-central-1/volume/vol-1: only its name is known: how it was made was not seen
        """)


def test_a_copy_of_a_trusted_image_is_verified_and_one_of_a_stranger_is_not(lineage: CommandLine) -> None:
    keep(
        Batch((
            fact(Relation.COPIED_FROM, image("same"), image("base"), 40),
            fact(Relation.COPIED_FROM, image("strange"), image("public"), 41),
        ))
    )  # fmt: skip
    said = lineage("lineage", "verify", "ami-same", "--trust", "amazon")
    assert said.code == 0
    assert said.out.startswith("ami-same in eu-central-1: verified: ")
    write(f'{MANIFEST}\nlineage: {{trusted_image_owners: ["{STRANGER}"]}}\n')
    assert lineage("lineage", "verify", "ami-strange").code == 0
    assert lineage("lineage", "verify", "ami-strange", "--trust", "amazon").code == 3


def test_a_swapped_root_is_told_beside_the_image_that_aws_names(lineage: CommandLine) -> None:
    said = lineage("lineage", "root", "i-swapped")
    assert (said.code, said.err) == (0, "")
    assert said.out == dedent("""\
        incomplete: it may lack something, or say too much; the reasons stand at the end
        i-swapped in eu-central-1
          boots   ami-public in eu-central-1
          made of ami-public in eu-central-1
          AWS says ami-golden in eu-central-1
          they differ: what AWS names is not what it boots
        its roots, the oldest first:
          was launched from ami-golden in eu-central-1: from its launch until 2026-09-21T14:13:31Z  2026-09-21T14:13:30Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
          got a new root volume from ami-public in eu-central-1: from 2026-09-21T14:13:31Z on  2026-09-21T14:13:31Z by role/Builder in 111122223333/eu-central-1 (cloudtrail)
        incomplete, for 1 reason:
          unseen-creation: aws/eu-central-1/image/ami-public: how it was made was not seen
        """)  # noqa: E501


def test_evidence_between_two_things_is_told_whole(lineage: CommandLine) -> None:
    said = lineage("lineage", "evidence", "ami-golden", "aws/-/account/999988887777", "-v")
    assert (said.code, said.err) == (0, "")
    assert said.out == dedent(f"""\
        1 fact between ami-golden in eu-central-1 and account 999988887777
          is shared with
            2026-09-21T14:13:28Z by arn:aws:iam::111122223333:role/Builder in 111122223333/eu-central-1 (cloudtrail)
            event event-8, fact {GOLDEN_STORY[-1].id}
            holds: yes
        """)


def test_evidence_for_an_attribute_is_every_value_that_it_was_said_to_have(lineage: CommandLine) -> None:
    keep(Batch((note(GOLDEN, 50, state=None), note(GOLDEN, 51, state="deregistered"))))
    said = lineage("lineage", "evidence", "ami-golden", "--attribute", "state")
    values = [line for line in said.out.splitlines() if "event" not in line and "cloudtrail" not in line]
    assert values == [
        "ami-golden in eu-central-1: state was said 3 times",
        "    available",
        "    taken away",
        "  ✓ deregistered",
    ]


def test_a_search_goes_on_from_its_cursor(lineage: CommandLine) -> None:
    first = lineage("lineage", "search", "--where", "state=available", "--region", "eu-central-1", "--limit", "4")
    lines = first.out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["ami-base", "ami-golden", "ami-laundered", "ami-public"]
    assert lines[-1].startswith("there is more: --cursor ")
    again = ("--where", "state=available", "--region", "eu-central-1", "--cursor", lines[-1].split()[-1])
    assert [line.split()[0] for line in lineage("lineage", "search", *again).out.splitlines()] == [
        "ami-twin",
        "ami-ugly",
    ]
    found = json.loads(lineage("lineage", "search", "--name", "old", "--account", SHOP, "--format", "json").out)
    assert [each["key"] for each in found["things"]] == [abroad(Kind.IMAGE, "ami-copy")]
    pointers = lineage("lineage", "search", "--kind", "launch-template").out.splitlines()
    assert [line.partition("  ")[2] for line in pointers] == [
        "us-east-1 · account not known",
        f"us-east-1 · {SHOP}",
    ]
    assert lineage("lineage", "search", "--name", "nothing").out == "nothing is known that fits\n"


def test_a_search_says_which_of_the_places_asked_about_could_not_be_read(lineage: CommandLine) -> None:
    keep(Batch((note(abroad(Kind.COVERAGE, SHOP), 50, read="no", unread="AccessDenied"),)))
    for words, complete in (((), False), (("--account", SHOP), False), (("--region", "eu-central-1"), True)):
        said = json.loads(lineage("lineage", "search", *words, "--format", "json").out)
        lacks = [] if complete else [("unread", f"{SHOP}/us-east-1")]
        assert (said["complete"], [(each["why"], each["about"]) for each in said["reasons"]]) == (complete, lacks)


def test_coverage_tells_how_fresh_each_place_is_and_what_told_nothing(lineage: CommandLine) -> None:
    keep(Batch((MALFORMED,)))
    said = lineage("lineage", "coverage", "--silence", "2", "--strict")
    assert (said.code, said.err) == (3, "")
    assert said.out == dedent("""\
        incomplete: it may lack something, or say too much; the reasons stand at the end
        2 places, 1 of them silent
          222233334444 · us-east-1  last 2026-09-21T14:13:27Z, 2 hours ago
          111122223333 · eu-central-1  last 2026-09-21T14:13:35Z, 2 hours ago  1 malformed
        events that told nothing: 1 malformed
        only a name is known of 1 thing: vol-1 in eu-central-1
        looked at 16 things
        incomplete, for 2 reasons:
          gap: 111122223333/eu-central-1: 1 malformed event may hide something
          silent: 222233334444/us-east-1: nothing was heard of late
        """)


def test_texts_of_others_cannot_act_on_the_terminal(lineage: CommandLine) -> None:
    for words in (("show", "ami-ugly"), ("search",), ("show", "ami-ugly", "--format", "json")):
        said = lineage("lineage", *words)
        assert "\x1b" not in said.out
        assert "line \\x1b[31mred" in said.out or "line \\u001b[31mred" in said.out


def test_long_lists_are_cut_with_a_count_unless_all_is_asked_for(lineage: CommandLine) -> None:
    many = [fact(Relation.LAUNCHED_FROM, instance(f"{n:03}"), image("public"), 60 + n) for n in range(300)]
    keep(Batch(tuple(many)))
    said = lineage("lineage", "descendants", "ami-public")
    assert "└── … and 291 more; -v shows all" in said.out.splitlines()
    assert len(said.out.splitlines()) < 40
    assert (
        sum(
            "was launched from it" in line
            for line in lineage("lineage", "descendants", "ami-public", "-v").out.splitlines()
        )
        == 300
    )
    impact = lineage("lineage", "impact", "ami-public")
    assert "    … and 291 more; -v shows all" in impact.out.splitlines()
    assert len(json.loads(lineage("lineage", "impact", "ami-public", "--format", "json").out)["running"]) == 301


def test_stacked_diamonds_are_drawn_once(lineage: CommandLine) -> None:
    facts = [
        fact(Relation.COPIED_FROM, image(f"d{level}{side}"), image(f"d{level - 1}{other}"), 100 + level)
        for level in range(1, 20)
        for side in "ab"
        for other in "ab"
    ]
    keep(Batch(tuple(facts)))
    said = lineage("lineage", "ancestors", "ami-d19a", "-v")
    assert said.out.count("what follows stands at its other place") == 2 * 17
    assert len(said.out.splitlines()) < 200


def test_a_bound_that_is_hit_is_said_where_it_is_and_at_the_end(lineage: CommandLine) -> None:
    said = lineage("lineage", "ancestors", "i-web", "--depth", "1", "--strict")
    assert said.code == 3
    assert "    └── … there is more beyond the bounds" in said.out.splitlines()
    assert "  bound: depth: there is more beyond 1 hop" in said.out.splitlines()


def test_json_is_whole_the_same_each_time_and_in_every_command(lineage: CommandLine) -> None:
    for words in (
        ("show", "ami-golden"),
        ("ancestors", "i-web"),
        ("descendants", "ami-golden"),
        ("impact", "ami-base"),
        ("frontiers", "ami-base"),
        ("root", "i-swapped"),
        ("search",),
        ("coverage",),
    ):
        said = lineage("lineage", *words, "--format", "json")
        answer = json.loads(said.out)
        assert isinstance(answer["complete"], bool), words
        assert answer["complete"] == (not answer["reasons"])
        assert lineage("--format", "json", "lineage", *words).out == said.out
    assert (
        json.loads(lineage("lineage", "evidence", "ami-copy", "ami-golden", "--format", "json").out)[0]["holds"] is True
    )
    assert (
        json.loads(lineage("lineage", "verify", "ami-same", "--trust", "amazon", "--format", "json").out or "{}") == {}
    )


def test_the_help_of_orgctl_imports_nothing_of_lineage() -> None:
    code = (
        "import sys; sys.argv = ['orgctl', 'lineage', '--help']\n"
        "from cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.startswith(('handlers', 'boto3', 'gremlin_python', 'networkx'))])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
