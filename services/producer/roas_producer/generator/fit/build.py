"""Put the parts of the fit together into the model."""

from __future__ import annotations

import numpy as np

from roas_producer.generator.arrays import Floats, Ints
from roas_producer.generator.fit import activity, creatives, placements, popularity
from roas_producer.generator.fit.calibration import Factor, calibrate
from roas_producer.generator.fit.published import Published, ValueTable
from roas_producer.generator.model import Model

_DRIFTING_PLACEMENTS = 300

_NO_DEVICE_SHARE = {"app": 0.58, "site": 0.96}
"""Shares of rows without a device id. The published figures lack them; these are the shares in the
6,000 sample rows that come with the figures (0.569 and 0.957), slightly raised since that hour has
fewer of them than the whole."""

_DISTINCT = {"device_id": 2_686_408, "device_ip": 6_729_486}


def build_model(published: Published) -> Model:
    """Fit everything and return the model."""
    creative = creatives.fit(published)
    placement = _largest_first(placements.fit(published))
    hour_share = published.hour_impressions / published.hour_impressions.sum()
    day_rows = published.day_impressions
    creative_days = activity.creative_days(creative, day_rows)
    placement_days = activity.placement_days(placement.totals, day_rows, _DRIFTING_PLACEMENTS)
    device_codes, device_totals = _devices(published)
    models = published.table("device_model")
    banners = published.table("banner_pos")
    connections = published.table("device_conn_type")
    c20 = published.table("C20")

    overall = float(published.total[1] / published.total[0])
    tables = [device_totals, models.totals, banners.totals, connections.totals, c20.totals]
    factors = [
        Factor.of(creative_days, creative.totals, overall),
        Factor.of(placement_days, placement.totals, overall),
        *[Factor.of(np.outer(totals[:, 0], day_rows), totals, overall) for totals in tables],
    ]
    hour_effect = calibrate(factors, day_rows, hour_share, _hourly_rates(published, hour_share))
    effects = [factor.effect for factor in factors]
    null_apps = float(placement.totals[placement.is_site == 0, 0].sum())
    null_sites = float(placement.totals[placement.is_site == 1, 0].sum())
    with_device = null_apps * (1 - _NO_DEVICE_SHARE["app"])
    with_device += null_sites * (1 - _NO_DEVICE_SHARE["site"])
    device = popularity.fit(with_device, _DISTINCT["device_id"], 0.75)
    address = popularity.fit(published.total[0], _DISTINCT["device_ip"], 0.9)
    tail = placement_days[_DRIFTING_PLACEMENTS:].sum(axis=0)
    return Model(
        hour_rows=np.outer(day_rows, hour_share),
        hour_effect=hour_effect,
        creative_code=creative.code,
        creative_width=creative.width,
        creative_height=creative.height,
        creative_campaign=creative.campaign,
        creative_advertiser=creative.advertiser,
        creative_c18=creative.c18,
        creative_c19=creative.c19,
        creative_effect=effects[0],
        creative_days=creative_days,
        placement_is_site=placement.is_site,
        placement_code=placement.code,
        placement_domain=placement.domain,
        placement_category=placement.category,
        placement_effect=effects[1],
        placement_rows=placement.totals[:, 0],
        placement_scale=tail / tail.sum(),
        placement_head_days=placement_days[:_DRIFTING_PLACEMENTS],
        no_placement=_null_tokens(published),
        device_c1=device_codes[:, 0],
        device_type=device_codes[:, 1],
        device_effect=effects[2],
        device_rows=device_totals[:, 0],
        model_code=models.values,
        model_effect=effects[3],
        model_rows=models.totals[:, 0],
        banner_code=banners.values,
        banner_effect=effects[4],
        banner_rows=banners.totals[:, 0],
        connection_code=connections.values,
        connection_effect=effects[5],
        connection_rows=connections.totals[:, 0],
        c20_code=c20.values,
        c20_effect=effects[6],
        c20_rows=c20.totals[:, 0],
        no_device_share=np.array([_NO_DEVICE_SHARE["app"], _NO_DEVICE_SHARE["site"]]),
        device_popularity=np.array([device.ranks, device.exponent]),
        address_popularity=np.array([address.ranks, address.exponent]),
    )


def _largest_first(table: placements.Placements) -> placements.Placements:
    order = np.argsort(-table.totals[:, 0], kind="stable")
    return placements.Placements(
        is_site=table.is_site[order],
        code=table.code[order],
        domain=table.domain[order],
        category=table.category[order],
        totals=table.totals[order],
    )


def _null_tokens(published: Published) -> Ints:
    """The most frequent id, domain and category of a side are the ones of "not on this side"."""
    return np.array(
        [
            [published.table(f"{kind}_{part}").values[0] for part in ("id", "domain", "category")]
            for kind in ("app", "site")
        ],
        dtype=np.int64,
    )


def _devices(published: Published) -> tuple[Ints, Floats]:
    """Pairs of C1 and device type, from equal totals.

    C1 1002 has exactly the rows and clicks of device type 0, and 1010 those of types 4 and 5
    together; everything else is type 1, but for the handful of rows of type 2.
    """
    c1 = _as_dict(published.table("C1"))
    types = {int(code): np.array([rows, clicks]) for code, rows, clicks in published.device_types}
    pairs = {(1002, 0): c1.pop(1002), (1010, 4): types[4], (1010, 5): types[5]}
    del c1[1010]
    pairs[1005, 2] = types[2]
    c1[1005] = c1[1005] - types[2]
    pairs |= {(code, 1): totals for code, totals in c1.items()}
    ordered = sorted(pairs)
    return np.array(ordered, dtype=np.int64), np.array([pairs[pair] for pair in ordered])


def _as_dict(table: ValueTable) -> dict[int, Floats]:
    return dict(zip(table.values.tolist(), table.totals, strict=True))


def _hourly_rates(published: Published, hour_share: Floats) -> Floats:
    """Click rate per day and hour: additive on the log-odds, both published margins kept."""
    day_effect = _log_odds(published.day_ctr)
    hour_effect = np.zeros(24)
    day_share = published.day_impressions / published.day_impressions.sum()
    for _ in range(50):
        rates = _logistic(day_effect[:, None] + hour_effect)
        hour_effect += _log_odds(published.hour_ctr) - _log_odds(day_share @ rates)
        rates = _logistic(day_effect[:, None] + hour_effect)
        day_effect += _log_odds(published.day_ctr) - _log_odds(rates @ hour_share)
    return _logistic(day_effect[:, None] + hour_effect)


def _log_odds(rate: Floats) -> Floats:
    return np.asarray(np.log(rate / (1.0 - rate)))


def _logistic(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))
