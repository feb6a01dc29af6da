import { createRequire } from 'node:module';
import kafkajs from 'kafkajs';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import { quickenChecksum } from './quick-checksum.ts';
import { quickenEncoder } from './quick-encoder.ts';

// Here, because every client of the program is made of what is exported below.
quickenEncoder(Encoder);

// kafkajs loads what makes record batches with the first of them: until then a file that they load can be changed.
const require = createRequire(import.meta.url);
const checksum = require.resolve('kafkajs/src/protocol/recordBatch/crc32C/index.js');
require(checksum);
quickenChecksum(require.cache[checksum]);

// kafkajs is CommonJS: Node sees only some of its names, the rest hang on the default export.
const { ConfigResourceTypes, Kafka, KafkaJSAggregateError, KafkaJSError, KafkaJSProtocolError } =
  kafkajs;

export { ConfigResourceTypes, Kafka, KafkaJSAggregateError, KafkaJSError, KafkaJSProtocolError };
