-- Dead letters: what failed, byte for byte, and what was done about it. Written by dlq-handler, from
-- Kafka alone (dead-letters, dead-letter-actions), so that it can be rebuilt by reading them again.
-- People and dashboards read errors_v1.

CREATE SCHEMA errors;
COMMENT ON SCHEMA errors IS
    'Dead letters and their state, as dlq-handler keeps them. Read errors_v1 instead.';

CREATE TABLE errors.dead_letters (
    dead_letter_id    text        PRIMARY KEY,
    sequence          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    origin_type       text        NOT NULL,
    topic             text,
    partition         integer,
    "offset"          bigint,
    file_name         text,
    line              bigint,
    key               bytea,
    consumer_group    text        NOT NULL,
    service           text        NOT NULL,
    service_version   text        NOT NULL,
    stage             text        NOT NULL,
    reason            text        NOT NULL,
    detail            text        NOT NULL,
    schema_id         integer,
    first_failed_at   timestamptz NOT NULL,
    failed_at         timestamptz NOT NULL,
    deliveries        integer     NOT NULL DEFAULT 1,
    replay_of         text,
    replays           integer     NOT NULL DEFAULT 0,
    state             text        NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'quarantined', 'replayed', 'fixed', 'discarded')),
    state_changed_at  timestamptz NOT NULL DEFAULT now(),
    operation_id      text,
    record_bytes      integer     NOT NULL,
    letter            bytea       NOT NULL
);
COMMENT ON TABLE errors.dead_letters IS 'One failure of one consumer group at one position.';
COMMENT ON COLUMN errors.dead_letters.dead_letter_id IS 'Hash of origin and consumer group.';
COMMENT ON COLUMN errors.dead_letters.sequence IS 'Order of arrival here.';
COMMENT ON COLUMN errors.dead_letters.origin_type IS 'KAFKA or FILE.';
COMMENT ON COLUMN errors.dead_letters.key IS 'The failed record''s key, byte for byte.';
COMMENT ON COLUMN errors.dead_letters.consumer_group IS 'The consumer group that failed.';
COMMENT ON COLUMN errors.dead_letters.detail IS 'Why, for a person; NUL characters are shown as U+FFFD.';
COMMENT ON COLUMN errors.dead_letters.deliveries IS 'How often this same failure was reported: a crash may report it again.';
COMMENT ON COLUMN errors.dead_letters.replay_of IS 'The dead letter that the failed record was a replay of.';
COMMENT ON COLUMN errors.dead_letters.replays IS 'How many replays are behind this failure.';
COMMENT ON COLUMN errors.dead_letters.state IS 'open; quarantined (failed again too often: only by name); replayed, fixed or discarded.';
COMMENT ON COLUMN errors.dead_letters.operation_id IS 'The operation behind the state.';
COMMENT ON COLUMN errors.dead_letters.record_bytes IS 'Length of the failed record''s value.';
COMMENT ON COLUMN errors.dead_letters.letter IS 'The whole dead letter as it was in Kafka (wire format): the truth behind the columns.';

CREATE INDEX ON errors.dead_letters (state, sequence);
CREATE INDEX ON errors.dead_letters (topic, partition, "offset");
CREATE INDEX ON errors.dead_letters (replay_of) WHERE replay_of IS NOT NULL;
CREATE INDEX ON errors.dead_letters (first_failed_at) WHERE state IN ('open', 'quarantined');

CREATE TABLE errors.actions (
    sequence        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dead_letter_id  text        NOT NULL,
    action          text        NOT NULL,
    operation_id    text        NOT NULL,
    actor           text        NOT NULL,
    why             text        NOT NULL,
    selection       text        NOT NULL,
    topic           text,
    partition       integer,
    for_group       text,
    rule            text,
    rules_sha256    text,
    tool_version    text        NOT NULL,
    acted_at        timestamptz NOT NULL
);
COMMENT ON TABLE errors.actions IS
    'The topic dead-letter-actions: what was done about each dead letter. The newest decides its state.';
COMMENT ON COLUMN errors.actions.sequence IS 'Order in the topic, which has one partition.';

CREATE INDEX ON errors.actions (dead_letter_id, sequence);
CREATE INDEX ON errors.actions (operation_id);

CREATE TABLE errors.operations (
    operation_id      text        PRIMARY KEY,
    action            text        NOT NULL,
    topic             text        NOT NULL,
    actor             text        NOT NULL,
    why               text        NOT NULL,
    selection         jsonb       NOT NULL,
    options           jsonb       NOT NULL,
    up_to_sequence    bigint      NOT NULL,
    selected          bigint      NOT NULL,
    status            text        NOT NULL CHECK (status IN ('running', 'finished', 'cancelled', 'stopped')),
    cancel_requested  boolean     NOT NULL DEFAULT false,
    result            jsonb,
    started_at        timestamptz NOT NULL DEFAULT now(),
    ended_at          timestamptz
);
COMMENT ON TABLE errors.operations IS
    'Runs of the dlq tool that change something: enough to go on with one that was stopped. What they did is in errors.actions.';
COMMENT ON COLUMN errors.operations.up_to_sequence IS 'Dead letters that arrived later are not part of it: what fails again is not replayed by the same operation.';
COMMENT ON COLUMN errors.operations.status IS 'running also after a kill -9: whether one really runs, its lock tells.';

CREATE SEQUENCE errors.writer_epoch;
COMMENT ON SEQUENCE errors.writer_epoch IS
    'Every start of dlq-handler takes the next number; only the holder of the newest one may commit.';

CREATE TABLE errors.consumed_offsets (
    consumer_group  text        NOT NULL,
    topic           text        NOT NULL,
    partition       integer     NOT NULL,
    next_offset     bigint      NOT NULL,
    cluster_id      text        NOT NULL,
    topic_id        text        NOT NULL,
    writer_epoch    bigint      NOT NULL,
    records         bigint      NOT NULL DEFAULT 0,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
);
COMMENT ON TABLE errors.consumed_offsets IS
    'Up to where each partition is stored here: written in the same transaction as the rows.';
COMMENT ON COLUMN errors.consumed_offsets.next_offset IS 'First offset that is not stored yet; compared and set, with the epoch.';

CREATE SCHEMA errors_v1;
COMMENT ON SCHEMA errors_v1 IS
    'Read interface of the dead letters, version 1. Columns are only ever added to it.';

CREATE VIEW errors_v1.dead_letters AS
SELECT dead_letter_id, sequence, origin_type, topic, partition, "offset", file_name, line, key,
    consumer_group, service, service_version, stage, reason, detail, schema_id, first_failed_at,
    failed_at, deliveries, replay_of, replays, state, state_changed_at, operation_id, record_bytes
FROM errors.dead_letters;
COMMENT ON VIEW errors_v1.dead_letters IS 'One failure of one consumer group at one position, and its state.';

CREATE VIEW errors_v1.actions AS
SELECT sequence, dead_letter_id, action, operation_id, actor, why, selection, topic, partition,
    for_group, rule, rules_sha256, tool_version, acted_at
FROM errors.actions;
COMMENT ON VIEW errors_v1.actions IS 'Everything that was done about dead letters, one row per dead letter and action.';

CREATE VIEW errors_v1.operations AS
SELECT operation_id, action, topic, actor, why, selection, options, selected, status,
    cancel_requested, result, started_at, ended_at
FROM errors.operations;
COMMENT ON VIEW errors_v1.operations IS 'Runs of the dlq tool that changed something.';
