"""What to do about whatever stops a copy or a run, by the code of the error. Pure."""

REMEDIES = {
    "offset-gone": "The log lost records before they were copied. Lengthen retention.ms, or "
    "compact the topic, then regenerate: the copy becomes what the log holds now.",
    "topic-recreated": "The topic was deleted and made anew, so its offsets mean other records. "
    "Regenerate to follow the new topic; the rows of the old one stay in the retired generation.",
    "log-incomplete": "The log no longer holds all that the copy is made of. Set "
    "retention.ms=-1 and retention.bytes=-1, or compact the topic, and have its writer publish "
    "again what is gone.",
    "schema-changed": "Regenerate: the new shape is built beside the table and swapped in.",
    "copy-diverged": "Regenerate again; if it happens again, something else writes to the table.",
    "sink-unavailable": "Nothing, if the database comes back: copying goes on by itself from the "
    "offsets kept there. Otherwise look at its server, its disk and the network to it.",
    "sink-mismatch": "Somebody altered or dropped the copy's tables. Regenerate to make them anew.",
    "sink-error": "Look at the database's own log, and at what the connector's user may do there.",
    "fenced": "Nothing: another worker writes this copy. Two connectors of one name with one "
    "target would take turns for ever; rename one.",
    "connector-definition-invalid": "Declare it otherwise.",
    "connector-target-invalid": "Declare another target.",
    "connector-target-unset": "Set the variable in the environment of the connectors worker and "
    "restart the worker.",
    "broker-unavailable": "Nothing, if Kafka comes back: copying goes on by itself.",
    "broker-timeout": "Nothing, if Kafka comes back: copying goes on by itself.",
    "topic-missing": "Create the topic, or declare the connector with the right one.",
}


def remedy(code: str) -> str:
    """Say what to do; empty where there is nothing special to say."""
    return REMEDIES.get(code, "")
