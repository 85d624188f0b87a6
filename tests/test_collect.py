from click.testing import CliRunner

from steps import collect
from steps.base.files import write_json, write_text
from steps.base.recoveries import Recovery, listing
from steps.tables.scores import read_scores

MADE = [Recovery("denoising", image, "sigma=0.1", "tv", "default", "TV") for image in ("camera", "photo")]
MISSING = Recovery("denoising", "camera", "sigma=0.1", "nlm", "default", "NLM")
SCORE = {"task": "denoising", "psnr": float("inf"), "isnr": None, "seconds": 1.5, "settings": {}, "origin": {}}


def test_a_row_is_what_a_recovery_is_called_its_score_and_versions_and_whether_it_was_measured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for recovery in MADE:
        facts = {"image": recovery.image, "corruption": recovery.corruption, "versions": {"torch": "2"}}
        write_json(f"{recovery.folder}/score.json", SCORE | facts)
    write_text("listing.csv", listing([*MADE, MISSING], set(MADE)))
    for options, measured in (([], None), (["--measured=photo"], [False, True])):
        CliRunner().invoke(collect.main, ["mine", "listing.csv", "all.csv", *options], catch_exceptions=False)
        found = read_scores("all.csv")
        place = found[["experiment", "label", "folder"]].values.tolist()
        assert place == [["mine", "TV", recovery.folder] for recovery in MADE]
        assert found["psnr"].tolist() == [float("inf")] * 2 and found["version_torch"].tolist() == [2, 2]
        assert not {"settings", "origin", "versions"}.intersection(found)
        assert (found["measured"].tolist() if "measured" in found else None) == measured
