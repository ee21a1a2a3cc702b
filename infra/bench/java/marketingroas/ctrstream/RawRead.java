package marketingroas.ctrstream;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The limit of what a job in the JVM can do: the same records consumed by the same client, and
 * nothing else; and consumed, decoded and checked by the stream's own deserializer.
 *
 * <p>Arguments: bootstrap servers, registry, folder of the contracts, rounds. The first round warms
 * the JVM up. Prints one JSON object: records of a round, CPU nanoseconds per round.
 */
public final class RawRead {
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private RawRead() {}

    public static void main(String[] arguments) throws Exception {
        int rounds = Integer.parseInt(arguments[3]);
        System.setProperty("roas.contracts", arguments[2]);
        AdEventDeserializer deserializer =
                Contracts.deserializer("ctr-stream", Contracts.NEWEST, new SchemaRegistry(arguments[1]));
        List<Long> consumed = new ArrayList<>();
        List<Long> decoded = new ArrayList<>();
        long records = 0;
        for (int round = 0; round < rounds; round++) {
            long before = cpuNanos();
            records = read(arguments[0], null);
            long between = cpuNanos();
            read(arguments[0], deserializer);
            long after = cpuNanos();
            if (round > 0) {
                consumed.add(between - before);
                decoded.add(after - between);
            }
        }
        System.out.println(
                "{\"records\": " + records + ", \"consume\": " + consumed + ", \"decode\": " + decoded + "}");
    }

    private static long read(String bootstrap, AdEventDeserializer deserializer) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("isolation.level", "read_committed");
        settings.put("enable.auto.commit", "false");
        ByteArrayDeserializer bytes = new ByteArrayDeserializer();
        long records = 0;
        long now = System.currentTimeMillis();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (EventTopic topic : Contracts.topics(Contracts.NEWEST)) {
                consumer.partitionsFor(topic.topic)
                        .forEach(p -> partitions.add(new TopicPartition(p.topic(), p.partition())));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (!finished(consumer, ends)) {
                ConsumerRecords<byte[], byte[]> batch = consumer.poll(PATIENCE);
                records += batch.count();
                if (deserializer != null) {
                    for (ConsumerRecord<byte[], byte[]> record : batch) {
                        deserializer.judge(record, now);
                    }
                }
            }
        }
        return records;
    }

    private static boolean finished(
            KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream()
                .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }
}
