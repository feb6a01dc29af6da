import kafkajs from 'kafkajs';

// kafkajs is CommonJS: Node sees only some of its names, the rest hang on the default export.
const { ConfigResourceTypes, KafkaJSAggregateError, KafkaJSError, KafkaJSProtocolError } = kafkajs;

export { ConfigResourceTypes, KafkaJSAggregateError, KafkaJSError, KafkaJSProtocolError };
