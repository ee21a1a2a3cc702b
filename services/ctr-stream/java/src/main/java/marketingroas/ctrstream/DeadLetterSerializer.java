package marketingroas.ctrstream;

/** Writes dead letters, which the source has encoded where it still had the failed record. */
public final class DeadLetterSerializer extends TopicSerializer<DeadLetter> {
    private static final long serialVersionUID = 1L;

    public DeadLetterSerializer(String topic) {
        super(topic);
    }

    @Override
    String key(DeadLetter letter) {
        return letter.id;
    }

    @Override
    byte[] value(DeadLetter letter, byte[] key) {
        return letter.value;
    }
}
