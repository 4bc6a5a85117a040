# Apache Kafka's transformations and predicates.
set(MILLRACE_KAFKA_TRANSFORMS kafka_transforms.cc)
