import { StopStreamError } from '../../src/engine/errors.ts';
import type { StreamState } from '../../src/engine/state.ts';
import type { StateCodec } from '../../src/engine/ports.ts';

const noMaps = { published: [], insightsRead: [], seen: [], delivered: [] };

/** A state codec without a registry: JSON, which has no maps, so that nothing counts as published or read. */
export const jsonStateCodec: StateCodec = {
  encode: (state) => Buffer.from(JSON.stringify({ ...state, ...noMaps })),
  decode(key, bytes) {
    try {
      const state = JSON.parse(bytes.toString('utf8')) as StreamState;
      return Promise.resolve({
        ...state,
        published: new Map(),
        insightsRead: new Map(),
        seen: new Map(),
        delivered: new Map(),
      });
    } catch (cause) {
      return Promise.reject(
        new StopStreamError('state.unreadable', `The state ${key} is not JSON.`, { cause }),
      );
    }
  },
};
