"""Stop rules on recorded samples of the embedded model."""

from tests.benchmarks.stopping import RULES, replay


def test_stopping_early_keeps_the_accuracy_of_the_full_vote_at_a_fraction_of_its_samples():
    results = {name: replay(rule) for name, rule in RULES.items()}
    full, _ = results["full"]
    assert all(abs(accuracy - full) <= 0.025 for accuracy, _ in results.values())
    assert results["lossless"][0] == full
    assert results["lossless"][1] < 0.6
    assert results["beta 0.95"][1] < 0.17
    assert results["window 5"][1] < 0.26
