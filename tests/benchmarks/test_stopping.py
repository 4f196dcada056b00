"""Stop rules on recorded samples of the embedded model."""

from tests.benchmarks.stopping import RULES, votes


def test_stopping_early_keeps_the_accuracy_of_the_full_vote_at_a_fraction_of_its_samples():
    results = {name: votes(rule, 40, run_ahead) for name, (rule, run_ahead) in RULES.items()}
    full = results["full"]
    assert (full.started, full.counted) == (1, 1)
    assert all(abs(result.accuracy - full.accuracy) <= 0.025 for result in results.values())
    assert results["lossless"].accuracy == full.accuracy
    assert results["lossless"].counted < 0.6
    assert results["beta 0.95"].counted < 0.17
    assert results["window 5"].counted < 0.26


def test_what_is_started_is_told_beside_what_counted():
    lossless, beta = RULES["lossless"][0], RULES["beta 0.95"][0]
    assert votes(lossless, 16).started == 1
    assert votes(lossless, 16, run_ahead=1).started < 0.65
    assert 0.8 < votes(lossless, 40).started < 0.83
    assert votes(lossless, 40, run_ahead=1).started == votes(lossless, 40, run_ahead=1).counted
    assert votes(beta, 40).started < 1 / 6
