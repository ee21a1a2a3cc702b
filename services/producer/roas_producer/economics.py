"""The declared model of cost and revenue: Avazu has neither, so both are synthetic.

One TOML file says everything (``economics.toml`` beside this module is the shipped default and
explains each key). All that is drawn is drawn from ids, so the same row costs and earns the same
in every run. The model's content is part of an input's key: another model is another replay.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from math import exp, log
from pathlib import Path
from statistics import NormalDist
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from roas_contracts.errors import MisconfigurationError
from roas_contracts.events import PricingModel
from roas_producer.draws import Draws, threshold, unit

MICROS = 1_000_000
_MAX_MONEY = 1_000_000.0
_STANDARD_NORMAL = NormalDist()


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("a range is [low, high]")
    return value


_Money = Annotated[float, Field(ge=0, le=_MAX_MONEY)]
_Probability = Annotated[float, Field(ge=0, le=1)]
_MoneyRange = Annotated[tuple[_Money, _Money], AfterValidator(_rising)]
_ProbabilityRange = Annotated[tuple[_Probability, _Probability], AfterValidator(_rising)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Price(_Section):
    pay_per_click_share: _Probability
    per_click: _MoneyRange
    per_thousand_impressions: _MoneyRange


class _Conversion(_Section):
    type: str = Field(min_length=1, max_length=64)
    after_click: _ProbabilityRange
    view_through: _ProbabilityRange
    delay_min_seconds: float = Field(ge=0, le=86_400)
    delay_mean_seconds: float = Field(gt=0, le=86_400)
    delay_max_seconds: float = Field(gt=0, le=86_400)


class _OrderValue(_Section):
    median: _MoneyRange
    sigma: float = Field(ge=0, le=5)
    max: _Money


class EconomicsFile(_Section):
    """The file as it is written; an unknown key is an error."""

    version: int = Field(ge=1, le=1)
    seed: str
    price: _Price
    conversion: _Conversion
    order_value: _OrderValue


@dataclass(frozen=True, slots=True)
class CampaignTerms:
    """What one campaign pays and how its orders are."""

    pricing_model: PricingModel
    impression_cost_micros: int
    click_cost_micros: int
    converts_after_click_below: int
    """A click converts where the impression's word is below this."""
    converts_after_view_below: int
    order_median: float


class Economics:
    """The model, ready to be asked.

    Args:
        declared: the validated file.
        fingerprint: SHA-256 of the file's bytes, hex.
    """

    def __init__(self, declared: EconomicsFile, fingerprint: str) -> None:
        self._declared = declared
        self.fingerprint = fingerprint
        self.conversion_type = declared.conversion.type
        self.max_delay_ms = int(declared.conversion.delay_max_seconds * 1000)
        self._terms: dict[str, CampaignTerms] = {}

    def terms(self, campaign_id: str) -> CampaignTerms:
        """The campaign's terms: the same in every run."""
        known = self._terms.get(campaign_id)
        if known is None:
            known = self._terms[campaign_id] = self._deal(campaign_id)
        return known

    def conversion_delay_ms(self, dice: Draws) -> int:
        """Milliseconds between click (or impression) and conversion, at most ``max_delay_ms``."""
        conversion = self._declared.conversion
        seconds = conversion.delay_min_seconds - conversion.delay_mean_seconds * log(
            unit(dice.conversion_delay)
        )
        return min(self.max_delay_ms, int(seconds * 1000))

    def order_value_micros(self, terms: CampaignTerms, dice: Draws) -> int:
        """What the order is worth, micros."""
        order = self._declared.order_value
        # unit() may be exactly 1, where the quantile function has no value.
        quantile = min(unit(dice.order_value), 1 - 2**-53)
        value = terms.order_median * exp(order.sigma * _STANDARD_NORMAL.inv_cdf(quantile))
        return round(min(value, order.max) * MICROS)

    def _deal(self, campaign_id: str) -> CampaignTerms:
        """Draw a campaign's terms from its id and the model's seed."""
        digest = hashlib.blake2b(
            f"{self._declared.seed}\n{campaign_id}".encode(), digest_size=48
        ).digest()
        shares = iter([unit(int.from_bytes(digest[at : at + 8], "big")) for at in range(0, 48, 8)])
        price, conversion = self._declared.price, self._declared.conversion
        pays_per_click = next(shares) <= price.pay_per_click_share
        per_click = _between(price.per_click, next(shares))
        per_thousand = _between(price.per_thousand_impressions, next(shares))
        return CampaignTerms(
            pricing_model=PricingModel.CPC if pays_per_click else PricingModel.CPM,
            impression_cost_micros=0 if pays_per_click else round(per_thousand * MICROS / 1000),
            click_cost_micros=round(per_click * MICROS) if pays_per_click else 0,
            converts_after_click_below=threshold(_between(conversion.after_click, next(shares))),
            converts_after_view_below=threshold(_between(conversion.view_through, next(shares))),
            order_median=_between(self._declared.order_value.median, next(shares)),
        )


def load(path: Path | None) -> Economics:
    """Read a model; the shipped one where ``path`` is None.

    Raises:
        MisconfigurationError: names the file and the key.
    """
    name = str(path) if path else "the shipped economics.toml"
    try:
        if path is None:
            raw = resources.files("roas_producer").joinpath("economics.toml").read_bytes()
        else:
            raw = path.read_bytes()
        declared = EconomicsFile.model_validate(tomllib.loads(raw.decode()))
    except OSError as error:
        raise MisconfigurationError(
            f"economics file {name} cannot be read: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MisconfigurationError(f"economics file {name} is not TOML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        )
        raise MisconfigurationError(f"economics file {name}: {problems}") from error
    return Economics(declared, hashlib.sha256(raw).hexdigest())


def _between(bounds: tuple[float, float], share: float) -> float:
    low, high = bounds
    return low + (high - low) * share
