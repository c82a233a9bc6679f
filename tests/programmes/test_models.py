"""The document of a journey: what it may say, and how it is told what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from setia.programmes.journeys.models import BadProgramme, Journey, NoPlaybook, from_text, load, playbooks


@pytest.fixture
def document(mailing: Any) -> dict[str, Any]:
    found = yaml.safe_load(mailing.JOURNEY)
    assert isinstance(found, dict)
    return found


def put(document: dict[str, Any], where: str, value: Any) -> str:
    """The document as YAML with one place changed; `...` takes it out."""
    *path, last = where.split(".")
    place: Any = document
    for each in path:
        place = place[int(each)] if each.isdigit() else place.setdefault(each, {})
    if value is ...:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return yaml.safe_dump(document)


@pytest.mark.parametrize(
    ("where", "value", "named", "said"),
    [
        ("programme", ..., "programme", "required"),
        ("programme", "Win Back", "programme", "pattern"),
        ("programme", "../etc", "programme", "pattern"),
        ("title.ms", 7, "title.ms", "string"),
        ("audience", "ordres >= 1", "audience", "ordres"),
        ("audience", "orders", "audience", "true or false"),
        ("audience", ..., "audience", "required"),
        ("enter.when", "birthday", "enter.when", "silence"),
        ("enter.quantile", 0.4, "enter.quantile", "0.5"),
        ("enter.quantile", 1, "enter.quantile", "less than 1"),
        ("enter.quantil", 0.8, "enter.quantil", "not permitted"),
        ("measure.window_days", 3, "measure.window_days", "7"),
        ("measure.held_out", 0, "measure.held_out", "greater than 0"),
        ("measure.held_out", 1, "measure.held_out", "less than 1"),
        ("measure.held_out", "some", "measure.held_out", "number"),
        ("most_share_of_worth", 1.5, "most_share_of_worth", "1"),
        ("cost_per_message", -1, "cost_per_message", "0"),
        ("code_prefix", "=CMD", "code_prefix", "pattern"),
        ("steps", [], "steps", "at least 1"),
        ("steps.0.after_days", -1, "steps.0.after_days", "0"),
        ("steps.0.channel", "pigeon", "steps.0.channel", "email"),
        ("steps.0.offer.kind", "everything", "steps.0.offer.kind", "percent"),
        ("steps.0.offer.value", 0, "steps.0.offer", "needs a value"),
        ("steps.0.offer.value", 101, "steps.0.offer", "at most 100"),
        ("steps.0.offer.kind", "gift", "steps.0.offer", "names it in each language"),
        ("steps.0.valid_days", 0, "steps.0.valid_days", "1"),
        ("steps.0.subject.id", ..., "steps.0.subject", "missing in id"),
        ("steps.1.body", {"en": "only English"}, "steps.1.body", "missing in id, ms"),
        ("steps.1.body.ms", "", "steps.1.body", "missing in ms"),
        ("steps.1.body.fr", "Bonjour", "steps.1.body.fr", "en"),
        ("steps.1.after_days", 0, "the document", "later than the one before"),
        ("surprise", True, "surprise", "not permitted"),
    ],
)
def test_each_error_names_the_place(document: dict[str, Any], where: str, value: Any, named: str, said: str) -> None:
    with pytest.raises(BadProgramme) as problem:
        from_text(put(document, where, value), "my.yaml")
    assert str(problem.value).startswith(f"The programme my.yaml cannot be used: {named}")
    assert said in str(problem.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("programme: [", "line"),
        ("a: b: c", "line 1"),
        ("", "the document"),
        ("just words", "the document"),
        ("- a list", "the document"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
    ],
)
def test_what_is_no_document_at_all(text: str, said: str) -> None:
    with pytest.raises(BadProgramme, match=said):
        from_text(text, "my.yaml")


def test_more_than_three_steps_are_too_many(document: dict[str, Any]) -> None:
    step = document["steps"][1]
    document["steps"] = [{**step, "after_days": days} for days in range(4)]
    with pytest.raises(BadProgramme, match="steps: "):
        from_text(yaml.safe_dump(document), "my.yaml")


@pytest.mark.parametrize("name", playbooks())
def test_every_playbook_is_valid_and_survives_a_round_trip(name: str, tmp_path: Path) -> None:
    journey, text = load(name, tmp_path)
    assert journey.programme == name
    assert set(journey.title) == {"en", "id", "ms"}
    # As it goes through the store.
    assert Journey.model_validate(journey.model_dump(mode="json")) == journey
    assert Journey.model_validate_json(journey.model_dump_json()) == journey
    assert from_text(text, name) == journey


def test_a_file_goes_before_a_name_and_a_name_before_a_playbook(document: dict[str, Any], tmp_path: Path) -> None:
    assert load("win-back", tmp_path)[0].programme == "win-back"
    (tmp_path / "win-back.yaml").write_text(put(document, "programme", "own-win-back"), encoding="utf-8")
    assert load("win-back", tmp_path)[0].programme == "own-win-back"
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text(put(document, "programme", "third"), encoding="utf-8")
    assert load(str(elsewhere), tmp_path)[0].programme == "third"
    with pytest.raises(NoPlaybook, match="win-back"):
        load("lose-back", tmp_path)
