import kafkajs from 'kafkajs';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import { quickenEncoder } from './quick-encoder.ts';

// Here, because every client of the program is made of what is exported below.
quickenEncoder(Encoder);

// kafkajs is CommonJS: Node sees only some of its names, the rest hang on the default export.
const { ConfigResourceTypes, Kafka, KafkaJSAggregateError, KafkaJSError, KafkaJSProtocolError } =
  kafkajs;

export { ConfigResourceTypes, Kafka, KafkaJSAggregateError, KafkaJSError, KafkaJSProtocolError };
