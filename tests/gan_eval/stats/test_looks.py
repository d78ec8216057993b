import numpy as np
import pytest
from scipy.stats import multivariate_normal

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER
from gan_eval.stats.looks import ALPHA, Look, LookPlan, alpha_spent, read_looks, write_looks


def due(plan: LookPlan, people: int, taken: list[Look]) -> Look:
    """The look at this number of people, which must be due."""
    look = plan.current(people, taken, f"answers of {people}")
    assert look is not None
    return look


def take(plan: LookPlan, *people: int) -> list[Look]:
    """Looks at these numbers of people, one after the other; each must be due."""
    taken: list[Look] = []
    for count in people:
        taken.append(due(plan, count, taken))
    return taken


@pytest.mark.parametrize(
    ("looks", "published"),
    [  # Lan-DeMets, O'Brien-Fleming type, two-sided 0.05: Reboussin et al. 2000, Controlled Clinical Trials 21, 190
        (1, [1.9600]),
        (2, [2.9626, 1.9686]),
        (3, [3.7103, 2.5114, 1.9930]),
        (5, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
    ],
)
def test_equal_looks_have_the_published_boundaries(looks: int, published: list[float]) -> None:
    taken = take(LookPlan(looks, 30), *(30 * number // looks for number in range(1, looks + 1)))
    assert [look.z for look in taken] == pytest.approx(published, abs=2e-4)
    assert taken[-1].spent == ALPHA
    assert taken[0].alpha == pytest.approx(taken[0].spent, rel=1e-8), "the first look has nobody before it"


def test_uneven_looks_spend_what_they_may_by_the_multivariate_normal() -> None:
    people = [11, 17, 30]
    z = [look.z for look in take(LookPlan(4, 30), *people)]  # the third of four is never taken
    correlation = np.sqrt(np.minimum.outer(people, people) / np.maximum.outer(people, people))
    for looks in (1, 2, 3):
        normal = multivariate_normal(
            cov=correlation[:looks, :looks], seed=0, maxpts=1_000_000, abseps=1e-7, releps=1e-7
        )
        edges = np.array(z[:looks])
        stays = normal.cdf(edges, lower_limit=-edges)
        assert 1 - stays == pytest.approx(alpha_spent(people[looks - 1] / 30), abs=5e-6)


def test_a_look_is_taken_when_it_is_due_and_once() -> None:
    plan = LookPlan(3, 6)
    assert [plan.due_at(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert plan.current(1, []) is None
    (first,) = taken = take(plan, 2)
    assert plan.current(2, taken, "answers of 2") == first, "the same answers again spend nothing"
    assert plan.current(2, taken) == first
    assert plan.current(2, taken, "others") is None
    assert plan.current(3, taken, "more") is None
    assert plan.words(3, taken, None) == (
        "interim: no verdict (3 of 6 people; look 1 of 3 was taken at 2; look 2 of 3 comes at 4)"
    )
    second = due(plan, 5, taken)
    assert second.spent == alpha_spent(5 / 6)
    done = [*taken, second]
    assert plan.words(5, done, second) == (
        f"look 2 of 3, at 5 of 6 people: a verdict needs p below {second.alpha:.2g}; look 3 comes at 6"
    )
    last = due(plan, 6, done)
    assert plan.words(6, [*done, last], last).startswith("look 3 of 3, at 6 of 6 people: a verdict needs p below 0.0")
    assert plan.current(7, [*done, last], "one more") is None
    assert "look 3 of 3 was taken at 6" in plan.words(7, [*done, last], None)


def test_looks_that_were_not_taken_spend_nothing_and_wanting_more_people_gives_nothing_back() -> None:
    (only,) = take(LookPlan(3, 6), 6)
    assert only.alpha == pytest.approx(0.05)
    taken = take(LookPlan(3, 6), 2, 4)
    more = due(LookPlan(3, 12), 8, taken)
    assert more.spent == pytest.approx(taken[-1].spent), "two thirds of 12 may spend what two thirds of 6 have spent"
    assert more.alpha == 0
    assert LookPlan(3, 12).current(5, taken, "more") is None


def test_without_looks_all_people_are_awaited_and_more_are_welcome() -> None:
    plan = LookPlan(1, 6)
    assert plan.current(5, []) is None
    assert plan.words(5, [], None) == "interim: no verdict (5 of 6 people)"
    for people in (6, 7):
        look = due(plan, people, [])
        assert look.alpha == ALPHA
        assert plan.words(people, [], look) == ""


def test_looks_are_noted_in_the_study_s_folder(tmp_path) -> None:
    write_looks(tmp_path, [])
    assert read_looks(tmp_path) == []
    assert not (tmp_path / OWN_FOLDER).exists()
    (tmp_path / OWN_FOLDER).mkdir()
    taken = take(LookPlan(3, 6), 2, 4)
    write_looks(tmp_path, taken)
    assert read_looks(tmp_path) == taken
    (tmp_path / OWN_FOLDER / "looks.json").write_text('[{"people": 2}]')
    with pytest.raises(UserError, match=r"looks\.json: no record of looks .* restore it or remove it"):
        read_looks(tmp_path)
