"""Generated rows as a file: what `replay` reads of it are the rows that `generate` sends."""

from roas_producer.generator import GeneratorOptions, rows
from roas_producer.generator.kaggle_file import lines
from roas_producer.hours import hour_blocks
from roas_producer.kaggle import RowParser, read_header


def test_what_is_read_back_are_the_generated_rows() -> None:
    options = GeneratorOptions(rows=600, hours=2)
    header, *written = (line.rstrip("\n").encode() for line in lines(options))

    layout = read_header(header, "file")
    blocks = hour_blocks(enumerate(written, 2), RowParser(layout), "file")

    read = [(block.start_ms, list(block.rows), list(block.bad)) for block in blocks]
    assert read == [(block.start_ms, list(block.rows), []) for block in rows(options)]
    assert sum(len(found) for _, found, _ in read) == 600
