"""Generated rows as the hour blocks that the producer takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from roas_producer.generator.draw import CHUNK_ROWS, Columns, Drawer
from roas_producer.generator.identifiers import hex8, impression_ids, scramble32
from roas_producer.generator.model import load_model
from roas_producer.generator.options import GeneratorOptions
from roas_producer.generator.schedule import Hour, schedule
from roas_producer.generator.texts import Texts
from roas_producer.rows import HOUR_MS, NO_DEVICE, AdRow, HourBlock

_ADDRESS_SALT = np.uint64(0x0AD0_0AD0)
_DEVICE_SALT = np.uint64(0x0DE5_1CE5)


def rows(options: GeneratorOptions) -> Iterator[HourBlock]:
    """Yield the hours in order; an hour's rows are made while they are iterated over.

    An hour that nobody iterates over costs nothing, so a restart may skip to where it was.
    """
    model = load_model()
    drawer, texts = Drawer(model, options.seed), Texts(model)
    for hour in schedule(model, options):
        yield HourBlock(hour.number * HOUR_MS, GeneratedRows(hour, drawer, texts))


@dataclass(frozen=True, slots=True)
class GeneratedRows:
    """The rows of one hour. Iterating again makes the same rows again."""

    hour: Hour
    drawer: Drawer
    texts: Texts

    def __len__(self) -> int:
        return self.hour.rows

    def __iter__(self) -> Iterator[AdRow]:
        for chunk, first in enumerate(range(0, self.hour.rows, CHUNK_ROWS)):
            count = min(CHUNK_ROWS, self.hour.rows - first)
            columns = self.drawer.draw(self.hour, chunk, count)
            ids = impression_ids(self.drawer.seed, self.hour.number, first, count)
            yield from self._build(ids, columns)

    def _build(self, ids: list[str], columns: Columns) -> Iterator[AdRow]:
        texts = self.texts
        creative, placement = columns.creative, columns.placement
        device_ids = hex8(scramble32(columns.device_rank ^ _DEVICE_SALT))
        known = columns.has_device.tolist()
        return map(
            AdRow,
            ids,
            columns.clicked.tolist(),
            repeat(self.hour.number * HOUR_MS),
            texts.c1[columns.device],
            texts.banner[columns.banner],
            texts.site_id[placement],
            texts.site_domain[placement],
            texts.site_category[placement],
            texts.app_id[placement],
            texts.app_domain[placement],
            texts.app_category[placement],
            [device if has else NO_DEVICE for device, has in zip(device_ids, known, strict=True)],
            hex8(scramble32(columns.address_rank ^ _ADDRESS_SALT)),
            texts.model[columns.model],
            texts.device_type[columns.device],
            texts.connection[columns.connection],
            texts.c14[creative],
            texts.c15[creative],
            texts.c16[creative],
            texts.c17[creative],
            texts.c18[creative],
            texts.c19[creative],
            texts.c20[columns.c20],
            texts.c21[creative],
        )
