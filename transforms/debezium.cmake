# Debezium's transformations.
set(MILLRACE_DEBEZIUM_TRANSFORMS debezium_transforms.cc)
