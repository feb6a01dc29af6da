import kafkajs from 'kafkajs';

// kafkajs is CommonJS: Node sees only some of its names, the rest hang on the default export.
export const { CompressionTypes, ConfigResourceTypes } = kafkajs;
