-- Events of whole days, as the batch keeps them: written by roas_batch from the archive alone, so that
-- every table of `raw` can be dropped and rebuilt. One partition per UTC day of event time; it is
-- built aside and attached in the transaction that writes batch.days, so half a day is never seen.
-- Columns follow the newest version of each contract; a test compares them.

CREATE SCHEMA raw;
COMMENT ON SCHEMA raw IS
    'Events by event day, one row per Kafka record, duplicates of event ids included. Complete are the days in batch.days.';

CREATE TABLE raw.ad_impressions (
    event_day           date NOT NULL,
    partition           integer NOT NULL,
    "offset"            bigint NOT NULL,
    record_timestamp    timestamptz NOT NULL,
    schema_id           integer NOT NULL,
    event_id            text NOT NULL,
    event_time          timestamptz NOT NULL,
    labelled            boolean NOT NULL,
    source              text NOT NULL,
    campaign_id         text NOT NULL,
    advertiser_id       text NOT NULL,
    creative_id         text NOT NULL,
    placement_type      text NOT NULL,
    placement_id        text NOT NULL,
    placement_domain    text NOT NULL,
    placement_category  text NOT NULL,
    banner_pos          integer NOT NULL,
    device_type         integer NOT NULL,
    connection_type     integer NOT NULL,
    creative_width      integer,
    creative_height     integer,
    device_id           text,
    device_ip           text,
    device_model        text,
    cost_micros         bigint NOT NULL,
    currency            text NOT NULL,
    attributes          jsonb NOT NULL,
    pricing_model       text NOT NULL,
    PRIMARY KEY (event_day, partition, "offset")
) PARTITION BY LIST (event_day);
COMMENT ON TABLE raw.ad_impressions IS
    'One impression per row. From the topic ad-impressions; partitioned by event day. A NUL character, which no text here can hold, is shown as U+FFFD: the archive has the bytes.';
COMMENT ON COLUMN raw.ad_impressions.event_day IS 'UTC day of event_time; the partition key.';
COMMENT ON COLUMN raw.ad_impressions.partition IS 'Kafka partition of the record.';
COMMENT ON COLUMN raw.ad_impressions."offset" IS 'Offset of the record in it: the unit of counting is the record, not the event.';
COMMENT ON COLUMN raw.ad_impressions.record_timestamp IS 'The record''s Kafka timestamp: when it was sent, wall clock.';
COMMENT ON COLUMN raw.ad_impressions.schema_id IS 'Id of the writer''s schema in the registry.';
COMMENT ON COLUMN raw.ad_impressions.event_id IS 'Impression id. For Avazu rows an unsigned 64-bit decimal: it does not fit a signed long.';
COMMENT ON COLUMN raw.ad_impressions.event_time IS 'When the ad was shown, UTC.';
COMMENT ON COLUMN raw.ad_impressions.labelled IS 'False when the source does not say whether this impression was clicked (Kaggle''s test set): such impressions are left out of CTR labels.';
COMMENT ON COLUMN raw.ad_impressions.source IS 'Where the event comes from. One of UNKNOWN, AVAZU, GENERATED, EXTERNAL.';
COMMENT ON COLUMN raw.ad_impressions.campaign_id IS 'Campaign. For Avazu rows this is C17: an inference from C14 -> C17 -> C21, Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_impressions.advertiser_id IS 'Advertiser. For Avazu rows this is C21: an inference, Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_impressions.creative_id IS 'Creative. For Avazu rows this is C14: an inference (C14 determines C15, C16, C17 and C21), Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_impressions.placement_type IS 'Web site or app. One of UNKNOWN, SITE, APP.';
COMMENT ON COLUMN raw.ad_impressions.placement_id IS 'Site id or app id, by placement_type.';
COMMENT ON COLUMN raw.ad_impressions.placement_domain IS 'Domain of the site or app (hashed in Avazu).';
COMMENT ON COLUMN raw.ad_impressions.placement_category IS 'Category of the site or app (hashed in Avazu).';
COMMENT ON COLUMN raw.ad_impressions.banner_pos IS 'Banner position, an open integer code.';
COMMENT ON COLUMN raw.ad_impressions.device_type IS 'Device type, an open integer code.';
COMMENT ON COLUMN raw.ad_impressions.connection_type IS 'Connection type, an open integer code.';
COMMENT ON COLUMN raw.ad_impressions.creative_width IS 'Creative width in pixels. For Avazu rows C15: an inference.';
COMMENT ON COLUMN raw.ad_impressions.creative_height IS 'Creative height in pixels. For Avazu rows C16: an inference.';
COMMENT ON COLUMN raw.ad_impressions.device_id IS 'Hashed device id. Personal data: erasable.';
COMMENT ON COLUMN raw.ad_impressions.device_ip IS 'Hashed device address. Personal data: erasable.';
COMMENT ON COLUMN raw.ad_impressions.device_model IS 'Hashed device model. Erasable.';
COMMENT ON COLUMN raw.ad_impressions.cost_micros IS 'What this impression cost, in millionths of the currency unit. 0 where pricing_model is CPC. Synthetic unless source is EXTERNAL.';
COMMENT ON COLUMN raw.ad_impressions.currency IS 'ISO 4217 code of every amount in this record. A deployment has one reporting currency; an event in another is a dead letter.';
COMMENT ON COLUMN raw.ad_impressions.attributes IS 'Columns without a field of their own, by their source name (Avazu: C1, C18, C19, C20).';
COMMENT ON COLUMN raw.ad_impressions.pricing_model IS 'How the campaign is charged. Under CPC an impression is free: one that carries a cost is refused, or the money would be counted again with the click. UNKNOWN is not judged. One of UNKNOWN, CPM, CPC.';

CREATE TABLE raw.ad_clicks (
    event_day           date NOT NULL,
    partition           integer NOT NULL,
    "offset"            bigint NOT NULL,
    record_timestamp    timestamptz NOT NULL,
    schema_id           integer NOT NULL,
    event_id            text NOT NULL,
    impression_id       text NOT NULL,
    event_time          timestamptz NOT NULL,
    impression_time     timestamptz NOT NULL,
    source              text NOT NULL,
    campaign_id         text NOT NULL,
    advertiser_id       text NOT NULL,
    creative_id         text NOT NULL,
    placement_type      text NOT NULL,
    placement_id        text NOT NULL,
    placement_domain    text NOT NULL,
    placement_category  text NOT NULL,
    banner_pos          integer NOT NULL,
    device_type         integer NOT NULL,
    connection_type     integer NOT NULL,
    cost_micros         bigint NOT NULL,
    currency            text NOT NULL,
    pricing_model       text NOT NULL,
    PRIMARY KEY (event_day, partition, "offset")
) PARTITION BY LIST (event_day);
COMMENT ON TABLE raw.ad_clicks IS
    'One click per row, with the dimensions of its impression. From the topic ad-clicks; partitioned by event day. A NUL character is shown as U+FFFD.';
COMMENT ON COLUMN raw.ad_clicks.event_day IS 'UTC day of event_time; the partition key.';
COMMENT ON COLUMN raw.ad_clicks.partition IS 'Kafka partition of the record.';
COMMENT ON COLUMN raw.ad_clicks."offset" IS 'Offset of the record in it: the unit of counting is the record, not the event.';
COMMENT ON COLUMN raw.ad_clicks.record_timestamp IS 'The record''s Kafka timestamp: when it was sent, wall clock.';
COMMENT ON COLUMN raw.ad_clicks.schema_id IS 'Id of the writer''s schema in the registry.';
COMMENT ON COLUMN raw.ad_clicks.event_id IS 'Click id.';
COMMENT ON COLUMN raw.ad_clicks.impression_id IS 'event_id of the impression.';
COMMENT ON COLUMN raw.ad_clicks.event_time IS 'When the click happened, UTC.';
COMMENT ON COLUMN raw.ad_clicks.impression_time IS 'When the impression was shown, UTC: attributed CTR counts by it.';
COMMENT ON COLUMN raw.ad_clicks.source IS 'Where the event comes from. One of UNKNOWN, AVAZU, GENERATED, EXTERNAL.';
COMMENT ON COLUMN raw.ad_clicks.campaign_id IS 'Campaign. For Avazu rows this is C17: an inference from C14 -> C17 -> C21, Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_clicks.advertiser_id IS 'Advertiser. For Avazu rows this is C21: an inference, Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_clicks.creative_id IS 'Creative. For Avazu rows this is C14: an inference (C14 determines C15, C16, C17 and C21), Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_clicks.placement_type IS 'Web site or app. One of UNKNOWN, SITE, APP.';
COMMENT ON COLUMN raw.ad_clicks.placement_id IS 'Site id or app id, by placement_type.';
COMMENT ON COLUMN raw.ad_clicks.placement_domain IS 'Domain of the site or app (hashed in Avazu).';
COMMENT ON COLUMN raw.ad_clicks.placement_category IS 'Category of the site or app (hashed in Avazu).';
COMMENT ON COLUMN raw.ad_clicks.banner_pos IS 'Banner position, an open integer code.';
COMMENT ON COLUMN raw.ad_clicks.device_type IS 'Device type, an open integer code.';
COMMENT ON COLUMN raw.ad_clicks.connection_type IS 'Connection type, an open integer code.';
COMMENT ON COLUMN raw.ad_clicks.cost_micros IS 'What this click cost, in millionths of the currency unit. 0 where pricing_model is CPM. Synthetic unless source is EXTERNAL.';
COMMENT ON COLUMN raw.ad_clicks.currency IS 'ISO 4217 code of every amount in this record. A deployment has one reporting currency; an event in another is a dead letter.';
COMMENT ON COLUMN raw.ad_clicks.pricing_model IS 'How the campaign is charged. Under CPM a click is free: one that carries a cost is refused, for its impression has been charged already. UNKNOWN is not judged. One of UNKNOWN, CPM, CPC.';

CREATE TABLE raw.ad_conversions (
    event_day           date NOT NULL,
    partition           integer NOT NULL,
    "offset"            bigint NOT NULL,
    record_timestamp    timestamptz NOT NULL,
    schema_id           integer NOT NULL,
    event_id            text NOT NULL,
    impression_id       text NOT NULL,
    event_time          timestamptz NOT NULL,
    impression_time     timestamptz NOT NULL,
    click_id            text,
    click_time          timestamptz,
    source              text NOT NULL,
    campaign_id         text NOT NULL,
    advertiser_id       text NOT NULL,
    creative_id         text NOT NULL,
    placement_type      text NOT NULL,
    placement_id        text NOT NULL,
    placement_domain    text NOT NULL,
    placement_category  text NOT NULL,
    banner_pos          integer NOT NULL,
    device_type         integer NOT NULL,
    connection_type     integer NOT NULL,
    conversion_type     text NOT NULL,
    revenue_micros      bigint NOT NULL,
    currency            text NOT NULL,
    PRIMARY KEY (event_day, partition, "offset")
) PARTITION BY LIST (event_day);
COMMENT ON TABLE raw.ad_conversions IS
    'One conversion per row, with the dimensions of its impression. From the topic ad-conversions; partitioned by event day. A NUL character is shown as U+FFFD.';
COMMENT ON COLUMN raw.ad_conversions.event_day IS 'UTC day of event_time; the partition key.';
COMMENT ON COLUMN raw.ad_conversions.partition IS 'Kafka partition of the record.';
COMMENT ON COLUMN raw.ad_conversions."offset" IS 'Offset of the record in it: the unit of counting is the record, not the event.';
COMMENT ON COLUMN raw.ad_conversions.record_timestamp IS 'The record''s Kafka timestamp: when it was sent, wall clock.';
COMMENT ON COLUMN raw.ad_conversions.schema_id IS 'Id of the writer''s schema in the registry.';
COMMENT ON COLUMN raw.ad_conversions.event_id IS 'Conversion id.';
COMMENT ON COLUMN raw.ad_conversions.impression_id IS 'event_id of the impression.';
COMMENT ON COLUMN raw.ad_conversions.event_time IS 'When the conversion happened, UTC.';
COMMENT ON COLUMN raw.ad_conversions.impression_time IS 'When the impression was shown, UTC: attributed CTR counts by it.';
COMMENT ON COLUMN raw.ad_conversions.click_id IS 'event_id of the click, null for a view-through conversion.';
COMMENT ON COLUMN raw.ad_conversions.click_time IS 'When the click happened, UTC; infinity for a time that no timestamp here can hold.';
COMMENT ON COLUMN raw.ad_conversions.source IS 'Where the event comes from. One of UNKNOWN, AVAZU, GENERATED, EXTERNAL.';
COMMENT ON COLUMN raw.ad_conversions.campaign_id IS 'Campaign. For Avazu rows this is C17: an inference from C14 -> C17 -> C21, Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_conversions.advertiser_id IS 'Advertiser. For Avazu rows this is C21: an inference, Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_conversions.creative_id IS 'Creative. For Avazu rows this is C14: an inference (C14 determines C15, C16, C17 and C21), Avazu publishes no meaning.';
COMMENT ON COLUMN raw.ad_conversions.placement_type IS 'Web site or app. One of UNKNOWN, SITE, APP.';
COMMENT ON COLUMN raw.ad_conversions.placement_id IS 'Site id or app id, by placement_type.';
COMMENT ON COLUMN raw.ad_conversions.placement_domain IS 'Domain of the site or app (hashed in Avazu).';
COMMENT ON COLUMN raw.ad_conversions.placement_category IS 'Category of the site or app (hashed in Avazu).';
COMMENT ON COLUMN raw.ad_conversions.banner_pos IS 'Banner position, an open integer code.';
COMMENT ON COLUMN raw.ad_conversions.device_type IS 'Device type, an open integer code.';
COMMENT ON COLUMN raw.ad_conversions.connection_type IS 'Connection type, an open integer code.';
COMMENT ON COLUMN raw.ad_conversions.conversion_type IS 'What happened, such as purchase. An open code.';
COMMENT ON COLUMN raw.ad_conversions.revenue_micros IS 'Order value, in millionths of the currency unit. Synthetic unless source is EXTERNAL.';
COMMENT ON COLUMN raw.ad_conversions.currency IS 'ISO 4217 code of every amount in this record. A deployment has one reporting currency; an event in another is a dead letter.';

CREATE SCHEMA batch;
COMMENT ON SCHEMA batch IS
    'What the batch has done: what is archived, which days are built, what failed.';

CREATE TABLE batch.archived_ranges (
    topic              text         NOT NULL,
    topic_id           text         NOT NULL,
    partition          integer      NOT NULL,
    from_offset        bigint       NOT NULL,
    to_offset          bigint       NOT NULL CHECK (to_offset > from_offset),
    cluster_id         text         NOT NULL,
    file               text         NOT NULL,
    file_bytes         bigint       NOT NULL,
    file_sha256        text         NOT NULL,
    records_sha256     text         NOT NULL,
    events             bigint       NOT NULL,
    heartbeats         bigint       NOT NULL,
    poison             bigint       NOT NULL,
    skipped            bigint       NOT NULL,
    event_days         date[]       NOT NULL,
    archived_at        timestamptz  NOT NULL DEFAULT now(),
    retired_at         timestamptz,
    PRIMARY KEY (topic, topic_id, partition, from_offset)
);
COMMENT ON TABLE batch.archived_ranges IS
    'Offset ranges that are in the archive, one Parquet file each. Ranges of one partition never overlap.';
COMMENT ON COLUMN batch.archived_ranges.topic IS 'The event topic.';
COMMENT ON COLUMN batch.archived_ranges.topic_id IS 'Kafka''s id of the topic: another one is another topic of the same name, whose offsets mean something else.';
COMMENT ON COLUMN batch.archived_ranges.partition IS 'Kafka partition.';
COMMENT ON COLUMN batch.archived_ranges.from_offset IS 'First offset of the range.';
COMMENT ON COLUMN batch.archived_ranges.to_offset IS 'First offset behind the range. It may hold fewer records than offsets: transactions leave marks and aborted records.';
COMMENT ON COLUMN batch.archived_ranges.cluster_id IS 'Kafka''s id of the cluster.';
COMMENT ON COLUMN batch.archived_ranges.file IS 'The Parquet file, relative to the archive''s folder.';
COMMENT ON COLUMN batch.archived_ranges.file_bytes IS 'Its size.';
COMMENT ON COLUMN batch.archived_ranges.file_sha256 IS 'SHA-256 of the file.';
COMMENT ON COLUMN batch.archived_ranges.records_sha256 IS 'SHA-256 of the records themselves: the same for the same records, however the file is packed.';
COMMENT ON COLUMN batch.archived_ranges.events IS 'Records that are events.';
COMMENT ON COLUMN batch.archived_ranges.heartbeats IS 'Records that are heartbeats.';
COMMENT ON COLUMN batch.archived_ranges.poison IS 'Records that break a rule: dead letters of the stream.';
COMMENT ON COLUMN batch.archived_ranges.skipped IS 'Records for another consumer group than ctr-stream: counted nowhere.';
COMMENT ON COLUMN batch.archived_ranges.event_days IS 'UTC days of the events in it, in order.';
COMMENT ON COLUMN batch.archived_ranges.archived_at IS 'When it was written, wall clock.';
COMMENT ON COLUMN batch.archived_ranges.retired_at IS 'When its topic was given up, as after a restore into new topics: such ranges build no day any more. Null for all others.';

CREATE TABLE batch.lost_ranges (
    topic        text         NOT NULL,
    topic_id     text         NOT NULL,
    partition    integer      NOT NULL,
    from_offset  bigint       NOT NULL,
    to_offset    bigint       NOT NULL CHECK (to_offset > from_offset),
    why          text         NOT NULL,
    accepted_at  timestamptz  NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, topic_id, partition, from_offset)
);
COMMENT ON TABLE batch.lost_ranges IS
    'Offset ranges that Kafka deleted before they were archived, once a person has accepted that.';
COMMENT ON COLUMN batch.lost_ranges.topic IS 'The event topic.';
COMMENT ON COLUMN batch.lost_ranges.topic_id IS 'Kafka''s id of the topic.';
COMMENT ON COLUMN batch.lost_ranges.partition IS 'Kafka partition.';
COMMENT ON COLUMN batch.lost_ranges.from_offset IS 'First offset that is lost.';
COMMENT ON COLUMN batch.lost_ranges.to_offset IS 'First offset behind them.';
COMMENT ON COLUMN batch.lost_ranges.why IS 'What the person said about it.';
COMMENT ON COLUMN batch.lost_ranges.accepted_at IS 'When it was accepted, wall clock.';

CREATE TABLE batch.days (
    day                    date         PRIMARY KEY,
    built_at               timestamptz  NOT NULL,
    fingerprint            text         NOT NULL,
    impressions            bigint       NOT NULL,
    clicks                 bigint       NOT NULL,
    conversions            bigint       NOT NULL,
    duplicate_impressions  bigint       NOT NULL,
    duplicate_clicks       bigint       NOT NULL,
    duplicate_conversions  bigint       NOT NULL,
    poison                 bigint       NOT NULL
);
COMMENT ON TABLE batch.days IS
    'Event days that raw holds whole: written in the transaction that attaches the day''s partitions.';
COMMENT ON COLUMN batch.days.day IS 'UTC day of event time.';
COMMENT ON COLUMN batch.days.built_at IS 'When the day was built last, wall clock: newer than a mart means that the mart is stale.';
COMMENT ON COLUMN batch.days.fingerprint IS 'Of the archive files and contract versions that it was built from: equal means nothing to do.';
COMMENT ON COLUMN batch.days.impressions IS 'Rows of raw.ad_impressions.';
COMMENT ON COLUMN batch.days.clicks IS 'Rows of raw.ad_clicks.';
COMMENT ON COLUMN batch.days.conversions IS 'Rows of raw.ad_conversions.';
COMMENT ON COLUMN batch.days.duplicate_impressions IS 'Of those rows, how many have an event id that another row of the day has already. They are kept.';
COMMENT ON COLUMN batch.days.duplicate_clicks IS 'The same of clicks.';
COMMENT ON COLUMN batch.days.duplicate_conversions IS 'The same of conversions.';
COMMENT ON COLUMN batch.days.poison IS 'Archived records that break a rule and yet tell this event day. They are no rows.';

CREATE TABLE batch.incidents (
    id              bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    raised_at       timestamptz  NOT NULL DEFAULT now(),
    last_raised_at  timestamptz  NOT NULL DEFAULT now(),
    times           integer      NOT NULL DEFAULT 1,
    source          text         NOT NULL,
    kind            text         NOT NULL,
    subject         text         NOT NULL DEFAULT '',
    detail          jsonb        NOT NULL DEFAULT '{}',
    resolved_at     timestamptz,
    resolution      text
);
COMMENT ON TABLE batch.incidents IS
    'What failed in the batch and needs a person, for alerts to read. Open ones are unique by source, kind and subject.';
COMMENT ON COLUMN batch.incidents.id IS 'Number of the incident.';
COMMENT ON COLUMN batch.incidents.raised_at IS 'When it was raised first, wall clock.';
COMMENT ON COLUMN batch.incidents.last_raised_at IS 'When it was raised last, wall clock.';
COMMENT ON COLUMN batch.incidents.times IS 'How often it was raised while open.';
COMMENT ON COLUMN batch.incidents.source IS 'Who raised it: dag.task, or a command.';
COMMENT ON COLUMN batch.incidents.kind IS 'What kind of failure: a short, stable word.';
COMMENT ON COLUMN batch.incidents.subject IS 'What it is about, such as a day or an offset range; empty if nothing in particular.';
COMMENT ON COLUMN batch.incidents.detail IS 'What happened the last time, with figures.';
COMMENT ON COLUMN batch.incidents.resolved_at IS 'When it was resolved, wall clock; null while open.';
COMMENT ON COLUMN batch.incidents.resolution IS 'How, or by whom, it was resolved.';

CREATE UNIQUE INDEX ON batch.incidents (source, kind, subject) WHERE resolved_at IS NULL;
