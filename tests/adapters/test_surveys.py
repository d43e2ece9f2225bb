"""The contract of surveys, on the fake and on real storage through the real SDK."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.surveys import TableSurveys
from shared.core.ports import Surveys
from shared.core.survey import Progress, Share, Survey, survey_id
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.looks import MemorySurveys

# Long before any survey of another test on the same storage: none of these is ever the one that runs.
_YEARS = itertools.count(1980)


@pytest.fixture(params=["memory", "azurite"])
def surveys(request: pytest.FixtureRequest) -> Iterator[Surveys]:
    """Both kinds."""
    if request.param == "memory":
        yield MemorySurveys()
        return
    environment: Client = request.getfixturevalue("environment")
    yield TableSurveys(environment.facts["storage"]["table"], identity(environment, "reader"))


def _survey(seconds: int = 0, year: int = 0) -> Survey:
    began = datetime(year or next(_YEARS), 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    shares = tuple(Share(f"{name}{uuid.uuid4()}"[-36:]) for name in "ab")
    return Survey(survey_id(began), began, "ada", tuple(sorted(shares, key=lambda it: it.subscription)))


def test_a_survey_comes_back_with_its_shares(surveys: Surveys) -> None:
    """Whole, and nothing for an id that is none or was never begun."""
    survey = _survey()
    assert surveys.begin(survey) is True

    assert surveys.get(survey.id) == survey
    assert surveys.get("000000000001") is None
    assert surveys.get("nonsense' or RowKey gt '") is None


def test_one_of_two_in_the_same_second_begins(surveys: Surveys) -> None:
    """The other is told so, and the first stays as it was."""
    survey = _survey()
    surveys.begin(survey)

    done = replace(survey.shares[0], progress=Progress.DONE, listed=3)
    surveys.keep(survey.id, done)
    assert surveys.begin(replace(survey, by="amit")) is False
    found = surveys.get(survey.id)
    assert found is not None
    assert (found.by, found.shares[0]) == ("ada", done)


def test_a_share_ends_once(surveys: Surveys) -> None:
    """Whoever comes later, with whatever, changes nothing."""
    survey = _survey()
    surveys.begin(survey)
    first, second = survey.shares
    begun = replace(first, listed=7, after="-")
    surveys.keep(survey.id, begun)
    kept = surveys.get(survey.id)
    done = replace(first, progress=Progress.DONE, listed=7, missed=2, ended=survey.began)
    surveys.keep(survey.id, done)
    surveys.keep(survey.id, replace(first, progress=Progress.UNREAD, problem="late"))
    half = surveys.get(survey.id)
    surveys.keep(survey.id, replace(second, progress=Progress.UNREAD, problem="NotVisible: x"))
    whole = surveys.get(survey.id)

    assert kept is not None
    assert half is not None
    assert (kept.shares[0], kept.is_over) == (begun, False)
    assert whole is not None
    assert (half.shares[0], half.is_over) == (done, False)
    assert (whole.is_over, whole.unread, whole.found) == (True, (second.subscription,), 2)


def test_the_latest_come_first(surveys: Surveys) -> None:
    """The newest on top, as many as are asked for."""
    year = next(_YEARS)
    made = [_survey(seconds, year) for seconds in (10, 30, 20)]
    for survey in made:
        surveys.begin(survey)
    found = [it for it in surveys.latest(500) if it.began.year == year]

    assert [it.began.second for it in found] == [30, 20, 10]
    assert len(surveys.latest(2)) == 2
