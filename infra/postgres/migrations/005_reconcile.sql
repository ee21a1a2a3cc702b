-- What reconciliation found and corrected, and what retention has let go.

CREATE TABLE batch.reconciliations (
    id           bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day          date         NOT NULL,
    run_at       timestamptz  NOT NULL DEFAULT now(),
    verdict      text         NOT NULL CHECK (verdict IN ('agrees', 'differs')),
    compared     bigint       NOT NULL,
    causes       jsonb        NOT NULL,
    corrections  integer      NOT NULL,
    detail       jsonb        NOT NULL
);
CREATE INDEX ON batch.reconciliations (day, run_at);
COMMENT ON TABLE batch.reconciliations IS
    'One run of `batch reconcile` over one event day: realtime against batch against Kafka.';
COMMENT ON COLUMN batch.reconciliations.id IS 'Number of the run.';
COMMENT ON COLUMN batch.reconciliations.day IS 'UTC day of event time.';
COMMENT ON COLUMN batch.reconciliations.run_at IS 'When it was run, wall clock.';
COMMENT ON COLUMN batch.reconciliations.verdict IS 'agrees, or differs: some cause that is an error was found.';
COMMENT ON COLUMN batch.reconciliations.compared IS 'How many (window size, window, dimension, value) were compared.';
COMMENT ON COLUMN batch.reconciliations.causes IS 'Number of differences by cause; causes that are no error (late, kafka expired) are in it too.';
COMMENT ON COLUMN batch.reconciliations.corrections IS 'CORRECTION deltas that this run sent.';
COMMENT ON COLUMN batch.reconciliations.detail IS 'The first differences, each with its place, its cause and both figures; horizon and notes.';

CREATE TABLE batch.corrections (
    correction_id  text         PRIMARY KEY,
    day            date         NOT NULL,
    window_size    text         NOT NULL,
    window_start   timestamptz  NOT NULL,
    dimension      text         NOT NULL,
    value          text         NOT NULL,
    scope          text         NOT NULL CHECK (scope IN ('stream', 'table')),
    cause          text         NOT NULL,
    delta          bigint[]     NOT NULL,
    planned_at     timestamptz  NOT NULL DEFAULT now(),
    committed_at   timestamptz
);
CREATE INDEX ON batch.corrections (day) WHERE committed_at IS NULL;
COMMENT ON TABLE batch.corrections IS
    'CORRECTION deltas of reconciliation. Kafka decides whether one was committed; this is the record of it for people.';
COMMENT ON COLUMN batch.corrections.correction_id IS 'Hash of day, window, dimension, value and the figures; also in the record''s header roas-correction.';
COMMENT ON COLUMN batch.corrections.day IS 'UTC day of event time.';
COMMENT ON COLUMN batch.corrections.window_size IS '1m or 5m.';
COMMENT ON COLUMN batch.corrections.window_start IS 'Start of the window, event time.';
COMMENT ON COLUMN batch.corrections.dimension IS 'The dimension.';
COMMENT ON COLUMN batch.corrections.value IS 'Its value.';
COMMENT ON COLUMN batch.corrections.scope IS 'stream: what the stream counted is corrected. table: only the realtime table was wrong, its topic is right.';
COMMENT ON COLUMN batch.corrections.cause IS 'The cause that was found.';
COMMENT ON COLUMN batch.corrections.delta IS 'Impressions, clicks, conversions, cost and revenue in millionths.';
COMMENT ON COLUMN batch.corrections.planned_at IS 'When the run decided on it, wall clock.';
COMMENT ON COLUMN batch.corrections.committed_at IS 'When a run saw it committed in Kafka, wall clock; null until then.';

CREATE TABLE batch.expired_partitions (
    partition   text         PRIMARY KEY,
    parent      text         NOT NULL,
    day         date         NOT NULL,
    rows        bigint       NOT NULL,
    expired_at  timestamptz  NOT NULL DEFAULT now()
);
COMMENT ON TABLE batch.expired_partitions IS
    'Day partitions that retention has dropped: what is missing there was let go on purpose.';
COMMENT ON COLUMN batch.expired_partitions.partition IS 'The dropped table, with its schema.';
COMMENT ON COLUMN batch.expired_partitions.parent IS 'The table that it was a part of.';
COMMENT ON COLUMN batch.expired_partitions.day IS 'Its UTC day of event time.';
COMMENT ON COLUMN batch.expired_partitions.rows IS 'Rows in it when it was dropped.';
COMMENT ON COLUMN batch.expired_partitions.expired_at IS 'When it was dropped, wall clock.';
