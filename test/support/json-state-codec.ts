import { StopStreamError } from '../../src/core/errors.ts';
import type { StreamState } from '../../src/core/state.ts';
import type { StateCodec } from '../../src/runtime/ports.ts';

/** A state codec without a registry: JSON. */
export const jsonStateCodec: StateCodec = {
  encode: (state) => Buffer.from(JSON.stringify(state)),
  decode(key, bytes) {
    try {
      return Promise.resolve(JSON.parse(bytes.toString('utf8')) as StreamState);
    } catch (cause) {
      return Promise.reject(
        new StopStreamError('state.unreadable', `The state ${key} is not JSON.`, { cause }),
      );
    }
  },
};
