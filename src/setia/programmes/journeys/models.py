"""A journey as a document: what its YAML file may say."""

from __future__ import annotations

from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from setia.conditions.condition import BadCondition, Condition
from setia.customers.traits import WORDS
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import LANGUAGES

Texts = dict[Literal["en", "id", "ms"], str]


class BadProgramme(SetiaError):
    """The programme {source} cannot be used: {problem}."""

    code = "journeys.bad_programme"


class NoPlaybook(SetiaError):
    """There is no programme file and no playbook called {name}. Playbooks: {playbooks}."""

    code = "journeys.no_playbook"


class _Part(BaseModel):
    # The docstring under a field is its description in the published schema.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Enter(_Part):
    """Who enters, and when: at the moment the silence passes a quantile of the customer's own rhythm."""

    when: Literal["silence"] = "silence"
    """What lets a customer in: the silence since the latest order."""
    quantile: float = Field(default=0.8, gt=0.5, lt=1)
    """Share of the gaps of a customer who is coming back that are over by then."""
    at_most_days: int = Field(default=540, ge=1)
    """Longer silences are left in peace."""


class Measure(_Part):
    """How the programme is proved."""

    window_days: int = Field(default=60, ge=7, le=365)
    """Days after entering within which an order counts as success, in both arms."""
    held_out: Annotated[float, Field(gt=0, lt=1)] | Literal["auto"] = "auto"
    """Share that gets no message, for comparison; `auto` takes what `setia plan` proposes."""
    expected_effect: float = Field(default=0.05, gt=0, lt=1)
    """Difference in the share who order, as a fraction: 0.05 is five percentage points."""


class OfferSpec(_Part):
    """What a step offers."""

    kind: Literal["none", "percent", "amount", "free_shipping", "gift"] = "none"
    """What is given; every kind but `none` comes with a code that is good once."""
    value: Decimal = Field(default=Decimal(0), ge=0)
    """Per cent of the order, or money, for the kinds `percent` and `amount`."""
    cost: Decimal = Field(default=Decimal(0), ge=0)
    """What free shipping or a gift costs the shop each time."""
    text: Texts | None = None
    """The name of a gift, in each language."""

    @model_validator(mode="after")
    def _complete(self) -> OfferSpec:
        if self.kind in ("percent", "amount") and not self.value:
            raise ValueError(f"an offer of kind {self.kind} needs a value")
        if self.kind == "percent" and self.value > 100:
            raise ValueError("a discount is at most 100 per cent")
        if self.kind == "gift" and not self.text:
            raise ValueError("a gift needs a text that names it in each language")
        return self


class Step(_Part):
    """One message."""

    after_days: float = Field(ge=0)
    """Days after entering."""
    channel: Literal["email"] = "email"
    """How it is sent."""
    offer: OfferSpec = OfferSpec()
    """What it offers; a dearer offer than the customer is worth gives way to that of an earlier step, or to none."""
    valid_days: int = Field(default=14, ge=1)
    """Days for which the code is good."""
    subject: Texts
    """The subject line in each language, as a Liquid template."""
    body: Texts
    """The text in each language, as a Liquid template over name, shop, offer, code and expires."""

    @field_validator("subject", "body")
    @classmethod
    def _all_languages(cls, texts: Texts) -> Texts:
        missing = [language for language in LANGUAGES if not texts.get(language)]
        if missing:
            raise ValueError(f"the text is missing in {', '.join(missing)}")
        return texts


class Journey(_Part):
    """A whole programme."""

    programme: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    """Its name, which never changes."""
    title: Texts
    """What reports call it, in each language."""
    audience: str
    """A condition over traits."""
    enter: Enter = Enter()
    """When a customer of the audience enters."""
    measure: Measure = Measure()
    """How it is proved."""
    most_share_of_worth: float = Field(default=0.3, gt=0, le=1)
    """An offer never costs more than this share of the margin expected of the customer in a year."""
    cost_per_message: Decimal = Field(default=Decimal(0), ge=0)
    """What one message costs, in the shop's currency; part of what a customer kept has cost."""
    code_prefix: str = Field(default="BACK", pattern=r"^[A-Z]{2,8}$")
    """The letters with which its codes begin."""
    steps: tuple[Step, ...] = Field(min_length=1, max_length=3)
    """The messages, in order; an order in between ends the journey."""

    @field_validator("audience")
    @classmethod
    def _condition(cls, text: str) -> str:
        try:
            Condition.parse(text, WORDS)
        except BadCondition as problem:
            raise ValueError(str(problem.facts["problem"])) from problem
        return text

    @model_validator(mode="after")
    def _in_order(self) -> Journey:
        days = [step.after_days for step in self.steps]
        if days != sorted(set(days)):
            raise ValueError("each step comes later than the one before it")
        return self


def from_text(text: str, source: str) -> Journey:
    """A journey from YAML. Raises BadProgramme, which names the line or the field."""
    try:
        document: Any = yaml.safe_load(text)
        return Journey.model_validate(document)
    except yaml.YAMLError as problem:
        raise BadProgramme(source=source, problem=" ".join(str(problem).split())) from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise BadProgramme(source=source, problem=f"{where}: {first['msg']}") from problem


def playbooks() -> list[str]:
    """Names of the programmes that ship with Setia."""
    folder = resources.files("setia.programmes.journeys") / "playbooks"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load(name: str, folder: Path) -> tuple[Journey, str]:
    """A journey and its text, by the path of a file, the name of one in `folder`, or the name of a playbook.

    Raises NoPlaybook, BadProgramme.
    """
    for file in (Path(name), folder / f"{name}.yaml"):
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            return from_text(text, str(file)), text
    if name not in playbooks():
        raise NoPlaybook(name=name, playbooks=", ".join(playbooks()))
    text = (resources.files("setia.programmes.journeys") / "playbooks" / f"{name}.yaml").read_text(encoding="utf-8")
    return from_text(text, name), text
