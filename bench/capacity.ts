import type { Cluster } from '../sandbox/cluster/start.ts';
import { startGraphApi, type GraphApi } from '../sandbox/graph-api/server.ts';
import { createWorld, type WorldSpec } from '../sandbox/graph-api/world.ts';
import { sampleMemory, type MemorySample } from './memory.ts';

/** The program's memory for a world, after it has polled every stream of every account once. */
export interface CapacityResult {
  readonly small: MemorySample;
  readonly kb_per_account: number;
  readonly bytes_per_media: number;
}

/** The base world; one further world has more accounts, the other more media an account. */
const small = { accounts: 10, mediaPerAccount: 100 };
const moreAccounts = 100;
const moreMedia = 1000;
/** The streams that are on by default. */
const pollsPerAccount = 7;
const kib = 1024;
const mib = kib * kib;

/** Measures the memory that an account and a media add to the program. */
export async function benchCapacity(
  cluster: Cluster,
  environmentOf: (cluster: Cluster, api: GraphApi) => Readonly<Record<string, string>>,
): Promise<CapacityResult> {
  const measure = async (world: Pick<WorldSpec, 'accounts' | 'mediaPerAccount'>) => {
    const spec: WorldSpec = { seed: 1, storiesPerAccount: 2, insightsDays: 30, ...world };
    await using api = await startGraphApi({ world: createWorld(spec) });
    const [sample] = await sampleMemory(environmentOf(cluster, api), {
      every: world.accounts * pollsPerAccount,
      samples: 1,
    });
    if (sample === undefined) throw new Error('the program was not measured');
    return sample;
  };
  const base = await measure(small);
  const wide = await measure({ ...small, accounts: small.accounts + moreAccounts });
  const deep = await measure({ ...small, mediaPerAccount: small.mediaPerAccount + moreMedia });
  return {
    small: base,
    kb_per_account: Math.round(((held(wide) - held(base)) * kib) / moreAccounts),
    bytes_per_media: Math.round(((held(deep) - held(base)) * mib) / (small.accounts * moreMedia)),
  };
}

function held({ heapMb, externalMb }: MemorySample): number {
  return heapMb + externalMb;
}
